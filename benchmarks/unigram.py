"""Training a Unigram tokenizer: the course's trainer against Hugging Face's and SentencePiece's.

Run it alone: ``python benchmarks/unigram.py``. It prints a table and writes its result to
``benchmarks/results/unigram.json``, from which the book's page of benchmarks is made. All three
learn from the same lines; what their vocabularies are worth is measured on other lines, by the
forward algorithm of one implementation. Each training runs in a process of its own, the sides in
turn. ``--repeats N`` and ``--megabytes N`` make it shorter.
"""

import argparse
import io
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import sentencepiece
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

from llm_course.classroom.book.benchmark_result import Goal, record_result
from llm_course.data.corpora import load
from llm_course.files import atomic_write
from llm_course.tokenizers.metaspace import SENTENCEPIECE
from llm_course.tokenizers.unigram import Unigram
from llm_course.tokenizers.unigram_training import train_unigram

RESULT = Path(__file__).parent / "results" / "unigram.json"
VOCAB, HELD_OUT, COVERAGE = 8_000, 300_000, 0.9995
SPECIAL = ["<unk>", "<s>", "</s>"]
Pieces = list[tuple[str, float]]


def corpus_lines(megabytes: float) -> tuple[list[str], list[str]]:
    """Lines to learn from, and others to measure on: English and French articles, shuffled."""
    articles = [document.text for name in ("wiki_en", "wiki_fr") for document in load(name)]
    random.Random(0).shuffle(articles)
    learn: list[str] = []
    held_out: list[str] = []
    room = megabytes * 1e6
    for line in (line for article in articles for line in article.split("\n") if line.strip()):
        (learn if room > 0 else held_out).append(line)
        room -= len(line.encode()) + 1
        if room < -HELD_OUT:
            break
    return learn, held_out


def ours(lines: list[str]) -> Pieces:
    """The course's."""
    return train_unigram(
        lines, VOCAB, special_tokens=SPECIAL, byte_fallback=False, prepare=SENTENCEPIECE,
        coverage=COVERAGE,
    ).pieces  # fmt: skip


def hugging_face(lines: list[str], *, scripts: bool = False) -> Pieces:
    """Hugging Face's, with the normaliser and words of its SentencePiece preset."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Nmt(), normalizers.NFKC(), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    words = [pre_tokenizers.Metaspace(), *([pre_tokenizers.UnicodeScripts()] if scripts else [])]
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(words)
    trainer = trainers.UnigramTrainer(
        vocab_size=VOCAB, unk_token="<unk>", special_tokens=SPECIAL, show_progress=False
    )
    tokenizer.train_from_iterator(lines, trainer)
    return [tuple(piece) for piece in json.loads(tokenizer.to_str())["model"]["vocab"]]


def hugging_face_scripts(lines: list[str]) -> Pieces:
    """Hugging Face's, with words cut where the script changes, as SentencePiece and we cut."""
    return hugging_face(lines, scripts=True)


def sentencepiece_(lines: list[str]) -> Pieces:
    """SentencePiece's."""
    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=written, vocab_size=VOCAB,
        model_type="unigram", character_coverage=COVERAGE, minloglevel=2,
        max_sentence_length=1_000_000, num_threads=os.cpu_count(),
    )  # fmt: skip
    model = sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())
    return [(model.id_to_piece(i), model.get_score(i)) for i in range(model.get_piece_size())]


SIDES: dict[str, Callable[[list[str]], Pieces]] = {
    "ours": ours,
    "Hugging Face": hugging_face,
    "Hugging Face, scripts apart": hugging_face_scripts,
    "SentencePiece": sentencepiece_,
}


def run_side(side: str, megabytes: float, output: str) -> None:
    """Train once and write seconds, peak memory and pieces; what ``measure`` starts."""
    lines, _ = corpus_lines(megabytes)
    start, cpu = time.perf_counter(), time.process_time()
    pieces = SIDES[side](lines)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    atomic_write(
        output, json.dumps({"seconds": seconds, "cpu": cpu, "MiB": peak, "pieces": pieces})
    )


def measure(side: str, megabytes: float) -> dict:
    """One training in a fresh process."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "result.json"
        subprocess.run(
            [sys.executable, __file__, "--side", side, str(output), "--megabytes", str(megabytes)],
            check=True,
        )
        return json.loads(output.read_text())


def nats_per_character(pieces: dict[str, Pieces], held_out: list[str]) -> dict[str, float]:
    """Negative log-likelihood of the held-out lines whose characters all sides know."""
    models_of = {
        side: Unigram(found, SPECIAL, prepare=SENTENCEPIECE, keep_marks=False)
        for side, found in pieces.items()
    }
    known = set.intersection(
        *({p for p in m.vocabulary if len(p) == 1} for m in models_of.values())
    )
    lines = [line for line in held_out if set(SENTENCEPIECE(line)) <= known]
    characters = sum(len(SENTENCEPIECE(line)) for line in lines)
    return {
        side: -sum(map(model.log_likelihood, lines)) / characters
        for side, model in models_of.items()
    }


def table(repeats: int, megabytes: float) -> list[list[str]]:
    """A row for each side."""
    runs: dict[str, list[dict]] = {side: [] for side in SIDES}
    for turn in range(repeats):
        for side in SIDES:
            runs[side].append(measure(side, megabytes))
            print(f"turn {turn + 1}: {side}: {runs[side][-1]['seconds']:.1f} s", flush=True)
    seconds, cpu, memory = (
        {side: statistics.median(run[what] for run in found) for side, found in runs.items()}
        for what in ("seconds", "cpu", "MiB")
    )
    worth = nats_per_character(
        {side: [tuple(piece) for piece in found[0]["pieces"]] for side, found in runs.items()},
        corpus_lines(megabytes)[1],
    )
    return [
        [
            side,
            f"{seconds[side]:.1f}",
            f"{seconds['ours'] / seconds[side]:.2f}",
            f"{cpu[side]:.1f}",
            f"{cpu['ours'] / cpu[side]:.2f}",
            f"{memory[side]:.0f}",
            f"{worth[side]:.4f}",
        ]
        for side in SIDES
    ]


def main() -> None:
    """Measure, print and record."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--megabytes", type=float, default=8.0)
    parser.add_argument("--side", nargs=2, metavar=("SIDE", "OUTPUT"))
    arguments = parser.parse_args()
    if arguments.side:
        run_side(arguments.side[0], arguments.megabytes, arguments.side[1])
        return
    rows = table(arguments.repeats, arguments.megabytes)
    threads = os.environ.get("OMP_NUM_THREADS", "unset")
    record_result(
        RESULT,
        title="Unigram training",
        what=f"{arguments.megabytes:g} MB of English and French encyclopedia articles, "
        f"{VOCAB:,} pieces, normalised as nmt_nfkc, seeds and EM as each side's defaults set them. "
        "Ours is Python and numpy on one core; Hugging Face (Rust) and SentencePiece (C++) use "
        "all cores, so CPU seconds stand beside the wall clock's. Each training in a process of "
        f"its own, in turn, median of {arguments.repeats}; memory is the peak of the process, "
        "imports and corpus included. "
        "Held out: nats per character by the forward algorithm, less is better.",
        command=f"OMP_NUM_THREADS={threads} python benchmarks/unigram.py "
        f"--repeats {arguments.repeats} --megabytes {arguments.megabytes:g}",
        columns=[
            "trainer",
            "seconds",
            "ours / this",
            "CPU seconds",
            "CPU, ours / this",
            "peak MiB",
            "held out",
        ],
        rows=rows,
        packages=["tokenizers", "sentencepiece"],
        goals=[Goal(column="ours / this", most=2.0, rows=("Hugging Face",))],
    )


if __name__ == "__main__":
    main()
