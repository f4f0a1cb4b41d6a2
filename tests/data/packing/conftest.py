"""A folder of token files, from lists of documents."""

import pytest

from llm_course.data.packing.token_files import write_index, write_shard


@pytest.fixture(scope="session")
def stream_folder(tmp_path_factory):
    """What writes shards (lists of documents) into a new folder."""

    def write(shards, vocab_size=100):
        folder = tmp_path_factory.mktemp("stream")
        entries = [
            write_shard(folder, f"shard-{number}", documents, vocab_size)
            for number, documents in enumerate(shards)
        ]
        write_index(folder, entries, vocab_size)
        return folder

    return write
