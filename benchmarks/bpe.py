"""Byte-level BPE of the course against Hugging Face's tokenizers (Rust) and tiktoken (Rust).

Run it alone: ``python benchmarks/bpe.py``. It prints two tables and writes them to
``benchmarks/results/bpe_training.json`` and ``bpe_encoding.json``, from which the book's page of
benchmarks is made. Merges and ids are compared before anything is timed. Memory is measured in a
process for each side.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import tiktoken
from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from llm_course.classroom.book.benchmark_result import Goal, record_result
from llm_course.data.corpora import load
from llm_course.tokenizers.bpe import ByteLevelBPE
from llm_course.tokenizers.bpe_training import train_bpe
from llm_course.tokenizers.published import gpt2
from llm_course.tokenizers.tokenizer_json import save

RESULTS = Path(__file__).parent / "results"
N_BYTES, VOCAB, REPEATS = 8_000_000, 8_192, 5
ENCODED_BYTES, ENCODE_REPEATS = 4_000_000, 3
CORPORA = {"wiki": ("wiki_en", "wiki_fr"), "python": ("python",)}
Merges = list[tuple[str, str]]


def read(corpus: str, left: int = N_BYTES) -> list[str]:
    """The first megabytes of a corpus."""
    texts: list[str] = []
    for name in CORPORA[corpus]:
        for document in load(name):
            if left > 0:
                texts.append(document.text)
                left -= len(document.text.encode())
    return texts


def our_merges(texts: list[str]) -> Merges:
    """Train ours."""
    return train_bpe(texts, VOCAB).merges


def their_tokenizer(texts: list[str]) -> Tokenizer:
    """Train theirs."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=VOCAB, show_progress=False, initial_alphabet=alphabet)
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def their_merges(texts: list[str]) -> Merges:
    """The merges of theirs."""
    merges = json.loads(their_tokenizer(texts).to_str())["model"]["merges"]
    return [tuple(merge) for merge in merges]


TRAIN: dict[str, Callable[[list[str]], object]] = {
    "ours": lambda texts: train_bpe(texts, VOCAB),
    "theirs": their_tokenizer,
}


def seconds(work: Callable[[], object]) -> float:
    """Wall-clock seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def medians(ways: dict[str, Callable[[], object]], repeats: int) -> dict[str, float]:
    """Median seconds of each way, all in turn."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(repeats):
        for name, work in ways.items():
            times[name].append(seconds(work))
    return {name: statistics.median(taken) for name, taken in times.items()}


def peak_memory(side: str, corpus: str) -> int:
    """Peak resident MiB of a process that imports all of this, reads the corpus and trains."""
    command = [sys.executable, __file__, "--memory", side, corpus]
    return int(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def print_memory(side: str, corpus: str) -> None:
    """What ``peak_memory`` starts."""
    TRAIN[side](read(corpus))
    status = Path("/proc/self/status").read_text()
    print(int(status.split("VmHWM:")[1].split()[0]) // 1024)


def training_row(corpus: str) -> list[str]:
    """One line of the table of training."""
    texts = read(corpus)
    if our_merges(texts) != their_merges(texts):
        raise SystemExit(f"{corpus}: expected equal merges")
    time_of = medians({side: lambda side=side: TRAIN[side](texts) for side in TRAIN}, REPEATS)
    memory = {side: peak_memory(side, corpus) for side in TRAIN}
    return [
        corpus,
        f"{time_of['ours']:.2f}",
        f"{time_of['theirs']:.2f}",
        f"{time_of['ours'] / time_of['theirs']:.2f}",
        str(memory["ours"]),
        str(memory["theirs"]),
        f"{memory['ours'] / memory['theirs']:.2f}",
    ]


def peers(ours: ByteLevelBPE) -> tuple[Callable[[], Tokenizer], tiktoken.Encoding]:
    """Hugging Face's tokenizer, made anew at each call, and tiktoken's, of the same table."""
    with tempfile.TemporaryDirectory() as folder:
        save(ours, Path(folder, "tokenizer.json"))
        content = Path(folder, "tokenizer.json").read_text(encoding="utf-8")
    special = set(ours.special_tokens.values())
    ranks = {ours.token_bytes(i): i for i in ours.vocabulary.values() if i not in special}
    encoding = tiktoken.Encoding(
        "gpt2", pat_str=ours.pre_split, mergeable_ranks=ranks, special_tokens={}
    )
    return (lambda: Tokenizer.from_str(content)), encoding


def encoding_row(corpus: str) -> list[str]:
    """One line of the table of encoding."""
    texts = read(corpus, ENCODED_BYTES)
    size = sum(len(text.encode()) for text in texts) / 1e6
    warm = gpt2()
    new_theirs, tiktokens = peers(warm)
    expected = [tiktokens.encode_ordinary(text) for text in texts]
    if [warm.encode(text) for text in texts] != expected or expected != [
        found.ids for found in new_theirs().encode_batch(texts)
    ]:
        raise SystemExit(f"{corpus}: expected equal ids")
    cold = [gpt2() for _ in range(ENCODE_REPEATS)]  # Making them is not timed, on either side.
    theirs = [new_theirs() for _ in range(ENCODE_REPEATS)]

    def encode_cold() -> None:
        tokenizer = cold.pop()
        for text in texts:
            tokenizer.encode(text)

    time_of = medians(
        {
            "cold": encode_cold,
            "batch": lambda: theirs.pop().encode_batch(texts),
            "warm": lambda: [warm.encode(text) for text in texts],
            "tiktoken": lambda: [tiktokens.encode_ordinary(text) for text in texts],
        },
        ENCODE_REPEATS,
    )
    speed = {name: size / taken for name, taken in time_of.items()}
    return [
        corpus,
        *(f"{speed[name]:.1f}" for name in ("cold", "batch")),
        f"{speed['cold'] / speed['batch']:.2f}",
        *(f"{speed[name]:.1f}" for name in ("warm", "tiktoken")),
        f"{speed['warm'] / speed['tiktoken']:.2f}",
    ]


def record(
    name: str,
    title: str,
    what: str,
    columns: list[str],
    rows: list[list[str]],
    goals: list[Goal],
) -> None:
    """Print a table and write it."""
    record_result(
        RESULTS / f"{name}.json",
        title=title,
        what=what,
        command="python benchmarks/bpe.py",
        columns=columns,
        rows=rows,
        packages=["regex", "tokenizers", "tiktoken"],
        goals=goals,
    )


def main() -> None:
    """Measure, print and record."""
    columns = ["corpus", "ours, s", "HF, s", "time, ratio", "ours, MiB", "HF, MiB", "memory, ratio"]
    record(
        "bpe_training",
        "Training byte-level BPE",
        f"8 MB of text (encyclopedia in English and French; Python's standard library), GPT-2's "
        f"split, a vocabulary of {VOCAB:,}: the course's, in Python, against Hugging Face's, in "
        f"Rust on all cores. The merges are the same. Both in turn, median of {REPEATS}. Memory is "
        "the peak resident set of a process for each, which holds the texts and the same imports.",
        columns,
        [training_row(corpus) for corpus in CORPORA],
        [Goal(column="time, ratio", most=1.0), Goal(column="memory, ratio", most=2.0)],
    )
    columns = ["corpus", "ours, cold, MB/s", "HF batch, MB/s", "ours / HF", "ours, warm, MB/s"]
    record(
        "bpe_encoding",
        "Encoding with GPT-2's table",
        "The first 4 MB of the same, document by document, with the same ids. Cold: a tokenizer "
        "that has seen no text, against Hugging Face's encode_batch on all cores. Warm: one that "
        "has encoded the texts before, against tiktoken, both on one core. All in turn, median of "
        f"{ENCODE_REPEATS}.",
        [*columns, "tiktoken, MB/s", "ours / tiktoken"],
        [encoding_row(corpus) for corpus in CORPORA],
        [
            Goal(
                column="ours / HF",
                least=1.0,
                reason="Most words of an encyclopedia are new when they come, so the merges run in "
                "Python for each; the library's run in Rust on all cores.",
            ),
            Goal(column="ours / tiktoken", least=0.5),
        ],
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        print_memory(*sys.argv[2:])
    else:
        main()
