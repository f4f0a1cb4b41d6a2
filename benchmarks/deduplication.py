"""Near-duplicates removed from real text: the course's stage against ``datasketch``.

Run it alone: ``python benchmarks/deduplication.py``. It prints a table and writes its result to
``benchmarks/results/deduplication.json``, from which the book's page of benchmarks is made. Both
have the same texts, the same shingles of five words, 100 hashes in 20 bands of 5 rows, and remove
a text that shares a band with one that was kept. Before anything is timed, both have to find 99 %
of the planted near-duplicates. Memory is measured in a process for each, as what the work adds to
the peak (``VmHWM``) after the texts are read.
"""

import re
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from datasketch import MinHash as TheirMinHash
from datasketch import MinHashLSH

from llm_course.classroom.book.benchmark_result import record_result
from llm_course.data.corpora import load
from llm_course.data.deduplication.exact import duplicate_lines, exact_duplicates
from llm_course.data.deduplication.near import near_duplicates, near_duplicates_bounded
from llm_course.data.deduplication.planted import plant
from llm_course.data.documents import Document, measure
from llm_course.data.stages import Removed, Stage

RESULT = Path(__file__).parent / "results" / "deduplication.json"
REPEATS, N_PLANTED, BANDS, ROWS, WORDS = 5, 500, 20, 5, 5
Ids = set[str]
Way = Callable[[Sequence[Document]], Ids]


def ours(make: Callable[[], Stage]) -> Way:
    """The ids that a new stage removes."""

    def way(documents: Sequence[Document]) -> Ids:
        outcomes = make()(documents)
        return {outcome.document.id for outcome in outcomes if isinstance(outcome, Removed)}

    return way


def theirs(documents: Sequence[Document]) -> Ids:
    """The ids that datasketch's index has a candidate for."""
    index, removed = MinHashLSH(num_perm=BANDS * ROWS, params=(BANDS, ROWS)), set()
    for document in documents:
        words = document.text.casefold().split()
        n = min(WORDS, len(words))
        runs = {" ".join(words[i : i + n]) for i in range(len(words) - n + 1)}
        signature = TheirMinHash(num_perm=BANDS * ROWS)
        signature.update_batch([run.encode() for run in runs])
        if index.query(signature):
            removed.add(document.id)
        else:
            index.insert(document.id, signature)
    return removed


WAYS: dict[str, Way] = {
    "datasketch": theirs,
    "MinHash, candidates": ours(lambda: near_duplicates(least=0)),
    "MinHash, compared": ours(near_duplicates),
    "MinHash, bounded memory": ours(lambda: near_duplicates_bounded(12_000)),
    "lines": ours(duplicate_lines),
    "exact": ours(exact_duplicates),
}


def corpus() -> tuple[list[Document], Ids]:
    """The English encyclopedia with near-duplicates planted, and their ids."""
    articles = load("wiki_en")
    long = [document for document in articles if 40 <= len(document.text.split()) <= 200]
    copies = [planted.copy for planted in plant(long, N_PLANTED, least=0.8)]
    return articles + copies, {copy.id for copy in copies}


def peak() -> int:
    """The largest resident memory of this process so far, in bytes."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return 1024 * int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])


def added(name: str) -> float:
    """MiB that the work adds to the peak of this process."""
    documents, _ = corpus()
    before = peak()
    WAYS[name](documents)
    return (peak() - before) / 2**20


def memory(name: str) -> float:
    """``added``, in a process of its own."""
    words = [sys.executable, __file__, "--memory", name]
    return float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def rows() -> list[list[str]]:
    """Speed, ratio, memory, recall and false positives of each way, timed in turn."""
    documents, planted = corpus()
    megabytes = measure(documents)[1] / 1e6
    times: dict[str, list[float]] = {name: [] for name in WAYS}
    found: dict[str, Ids] = {}
    for _ in range(REPEATS):
        for name, way in WAYS.items():
            start = time.process_time()
            found[name] = way(documents)
            times[name].append(time.process_time() - start)
    for name in ("datasketch", *(name for name in WAYS if name.startswith("MinHash"))):
        if len(found[name] & planted) < 0.99 * len(planted):
            raise SystemExit(f"{name}: expected 99 % of the planted, got {len(found[name])}")
    median = {name: statistics.median(taken) for name, taken in times.items()}
    return [
        [
            name,
            f"{60 * megabytes / median[name]:,.0f}",
            f"{median[name] / median['datasketch']:.2f}",
            f"{memory(name):.0f}",
            f"{len(found[name] & planted) / len(planted):.3f}",
            str(len(found[name] - planted)),
        ]
        for name in WAYS
    ]


def main() -> None:
    """Measure, print and record."""
    if sys.argv[1:2] == ["--memory"]:
        print(added(sys.argv[2]))
        return
    record_result(
        RESULT,
        title="Deduplication",
        what="The English encyclopedia (4.9 MB, 10,033 texts) with "
        f"{N_PLANTED} planted copies of Jaccard similarity 0.8 to 1. Speed is of one core, in "
        f"processor time, median of {REPEATS} in turn; false positives are other texts removed. "
        "Memory is what is needed beyond the peak of reading the texts. Lines and exact duplicates "
        "are other tasks, shown for their speed: few of the planted copies are exact.",
        command="OMP_NUM_THREADS=1 python benchmarks/deduplication.py",
        columns=["stage", "MB/min", "time / datasketch", "MiB added", "recall", "false"],
        rows=rows(),
        packages=["numpy", "datasketch"],
    )


if __name__ == "__main__":
    main()
