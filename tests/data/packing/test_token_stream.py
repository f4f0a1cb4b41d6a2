"""The stream over shards: every token once and in order, whatever part is asked for."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_course.data.packing.token_stream import TokenStream
from llm_course.errors import CourseError

DOCUMENTS = st.lists(st.integers(0, 99), min_size=1, max_size=7)
SHARDS = st.lists(st.lists(DOCUMENTS, max_size=4), max_size=4)
QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@QUIET
@given(SHARDS, st.data())
def test_any_part_is_that_of_the_documents_end_to_end(stream_folder, shards, data):
    stream = TokenStream(stream_folder(shards))
    flat = [document for shard in shards for document in shard]
    tokens = [token for document in flat for token in document]
    owners = [number for number, document in enumerate(flat) for _ in document]
    start = data.draw(st.integers(0, len(tokens)))
    stop = data.draw(st.integers(start, len(tokens) + 5))
    found, documents = stream.read(start, stop)
    assert found.tolist() == tokens[start:stop] and documents.tolist() == owners[start:stop]
    assert (len(stream), stream.n_documents) == (len(tokens), len(flat))
    assert [stream.document(number).tolist() for number in range(len(flat))] == flat


@pytest.mark.parametrize("suffix", ["tokens", "lengths"])
@pytest.mark.parametrize("damage", ["short", "gone"])
def test_damage_is_named(stream_folder, suffix, damage):
    folder = stream_folder([[[1, 2, 3]]])
    path = folder / f"shard-0.{suffix}"
    path.write_bytes(path.read_bytes()[:-1]) if damage == "short" else path.unlink()
    with pytest.raises(CourseError, match=rf"shard-0\.{suffix}: expected \d+ bytes, got"):
        TokenStream(folder)


def test_lengths_that_do_not_add_up(stream_folder):
    folder = stream_folder([[[1, 2, 3]]])
    (folder / "shard-0.lengths").write_bytes(bytes([2, 0, 0, 0]))
    with pytest.raises(CourseError, match="lengths that add up to 3, got 2"):
        TokenStream(folder)


@pytest.mark.parametrize("change", [{"shards": 5}, {"shards": [{}]}, {"dtype": "words"}])
def test_an_index_of_wrong_fields(stream_folder, change):
    folder = stream_folder([[[1]]])
    path = folder / "index.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change))
    with pytest.raises(CourseError, match="expected an index of tokens"):
        TokenStream(folder)


def test_parts_that_are_none(stream_folder):
    stream = TokenStream(stream_folder([[[1, 2]]]))
    for start, stop in ((-1, 1), (2, 1)):
        with pytest.raises(ValueError, match="start, stop: expected"):
            stream.read(start, stop)
    with pytest.raises(IndexError, match="number: expected 0 to 0, got 1"):
        stream.document(1)
