"""A build: whole, the same however it is run or interrupted, and clear about what is wrong."""

import json
import multiprocessing
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from distributed import LocalCluster

from llm_course.classroom.course import find_root
from llm_course.data import packages
from llm_course.data.packing.batches import packed_batches
from llm_course.data.packing.document_mask import PADDING
from llm_course.data.packing.token_stream import TokenStream
from llm_course.errors import CourseError
from llm_course.recipes.data_build import run
from llm_course.recipes.data_build.document_files import read_documents
from llm_course.recipes.data_build.recipe import load_recipe, parse_recipe
from llm_course.recipes.data_build.run import build
from llm_course.tokenizers.tokenizer_json import load

RESULT = {"build.json", "report.json", "flow.svg"}


@pytest.fixture(scope="session")
def whole(table, tree, tmp_path_factory):
    """The small recipe built in one go by one process of this machine: its files, its report."""
    folder = tmp_path_factory.mktemp("whole")
    report = build(parse_recipe(table()), folder)
    return tree(folder), report


def test_a_result_can_be_trained_on(whole, tmp_path):
    files, report = whole
    for name, content in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    stream = TokenStream(tmp_path / "shards")
    assert len(stream) == report["result"]["size"] and report["unit"] == "tokens"
    assert stream.index["end"] == 256 and stream.vocab_size == 257
    ends = stream.document_ends - 1
    assert all(stream.read(int(end), int(end) + 1)[0][0] == 256 for end in ends)
    batches = list(packed_batches(stream, context_length=64, batch_size=4))
    n_tokens = sum(int((batch.documents != PADDING).sum()) for batch in batches)
    assert n_tokens == len(stream)
    text = load(tmp_path / "tokenizer.json").decode(stream.document(0)[:-1])
    assert text and "�" not in text


def test_only_the_result_is_left(whole):
    files, report = whole
    names = set(files) - {f"shards/{name}" for name in ("index.json",)}
    shards = {f"shards/shard-{number:05d}" for number in range(report["result"]["shards"])}
    assert len(shards) > 2
    wanted = RESULT | {"tokenizer.json"}
    wanted |= {f"{shard}.{suffix}" for shard in shards for suffix in ("tokens", "lengths")}
    assert names == wanted


def test_proportional_weights_lose_and_repeat_nothing(table, tmp_path, without_processes):
    changes = {"mixture": None, "stages": None, "tokenizer": None}
    report = build(parse_recipe(table(**changes)), tmp_path)
    found = [d for path in sorted((tmp_path / "shards").iterdir()) for d in read_documents(path)]
    ids = [document.id for document in found]
    assert len(ids) == len(set(ids)) == 650 == report["result"]["n_documents"]
    assert report["unit"] == "bytes" and not (tmp_path / "tokenizer.json").exists()
    # Shuffled: the corpora alternate.
    changes = np.diff([document.corpus == "tiny_world" for document in found]).sum()
    assert changes > 100


@pytest.mark.parametrize("tokenizer", [{"use": "bpe", "vocab_size": 300}, None])
def test_any_number_of_processes_gives_the_same_bytes(
    table, tree, tmp_path, without_processes, tokenizer
):
    """The executor of this test answers in the order of the jobs; a shuffled one does not."""
    recipe = parse_recipe(table(tokenizer=tokenizer))
    build(recipe, tmp_path / "one")
    inline = run.executor

    def shuffled(work, jobs, new_executor, at_once):
        jobs = random.Random(1).sample(list(jobs), len(jobs))
        return run_jobs(work, jobs, new_executor, at_once)

    run_jobs, run.run_jobs = run.run_jobs, shuffled
    try:
        build(recipe, tmp_path / "two", jobs=3)
    finally:
        run.run_jobs = run_jobs
    assert inline is run.executor
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


def test_processes_give_what_one_gives(whole, table, tree, tmp_path, without_processes):
    build(parse_recipe(table()), tmp_path)
    assert tree(tmp_path) == whole[0]


def test_a_finished_build_is_kept(table, tree, tmp_path, without_processes):
    recipe = parse_recipe(table())
    report, steps = build(recipe, tmp_path), []
    before = tree(tmp_path)
    assert build(recipe, tmp_path, progress=lambda *told: steps.append(told)) == report
    assert steps == [] and tree(tmp_path) == before


def killed_at(events, table, folder):
    """In a child: build, and end by SIGKILL at the n-th time that a file gets its name."""
    replace, left = os.replace, [events]

    def fatal(source, target):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        replace(source, target)
        if left[0] == 0 and events % 2:
            os.kill(os.getpid(), signal.SIGKILL)  # just after, and not just before the next

    os.replace = fatal
    build(parse_recipe(table), folder)


def in_child(target, *arguments):
    child = multiprocessing.get_context("fork").Process(target=target, args=arguments)
    child.start()
    return child


@pytest.mark.parametrize("seed", range(2))
def test_a_build_killed_at_any_write_goes_on_to_the_same_bytes(
    whole, table, tree, tmp_path, without_processes, seed
):
    rng, kills, first = random.Random(seed), 0, [0, 1, 2, 3]  # the first writes, then any
    while True:
        child = in_child(
            killed_at, first.pop(0) if first else rng.randint(0, 40), table(), tmp_path
        )
        child.join()
        if child.exitcode == 0:
            break
        assert child.exitcode == -signal.SIGKILL
        kills += 1
    assert kills >= 4
    assert tree(tmp_path) == whole[0]


@pytest.mark.parametrize("seed", range(2))
def test_a_build_killed_at_any_moment_goes_on_to_the_same_bytes(
    whole, table, tree, tmp_path, without_processes, seed
):
    rng, kills, longest, out = random.Random(seed), 0, 0.4, tmp_path / "out"
    while True:
        child = in_child(build, parse_recipe(table()), out)
        child.join(rng.uniform(0.01, longest + 0.1 * kills))
        if child.exitcode is None:
            os.kill(child.pid, signal.SIGKILL)
        child.join()
        if child.exitcode == 0 and kills:
            break
        if child.exitcode == 0:  # a fast machine was done before it could be killed
            shutil.rmtree(out)
            longest /= 2
            continue
        assert child.exitcode == -signal.SIGKILL
        kills += 1
    assert tree(out) == whole[0]


BUILD = """
import json, sys
from pathlib import Path
from llm_course.recipes.data_build.recipe import load_recipe, parse_recipe
from llm_course.recipes.data_build.run import build
if __name__ == "__main__":
    tell = lambda *told: print(*told, flush=True)
    build(parse_recipe(json.loads(sys.argv[1])), Path(sys.argv[2]), jobs=2, progress=tell)
"""


@pytest.mark.slow
def test_a_build_of_many_processes_killed_while_they_write(whole, table, tree, tmp_path):
    script, rng = tmp_path / "script.py", random.Random(0)
    script.write_text(BUILD)
    command = [sys.executable, str(script), json.dumps(table()), str(tmp_path / "out")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    for step in ("filter-0 3", "write 1"):
        with subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=environment
        ) as process:
            told = next((line for line in process.stdout if line.startswith(step)), None)
            time.sleep(rng.uniform(0, 0.05))
            process.kill()
        assert told is not None, f"it ended before {step}"
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    assert tree(tmp_path / "out") == whole[0]


@pytest.mark.slow
def test_a_dask_cluster_gives_the_same_bytes(whole, table, tree, tmp_path):
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        build(parse_recipe(table()), tmp_path, jobs=2, scheduler=cluster.scheduler_address)
    assert tree(tmp_path) == whole[0]


def test_a_corpus_of_which_nothing_is_left(table, tmp_path, without_processes):
    stages = [{"use": "c4_pages", "blocked_words": list("aeiou"), "without": ["few sentences"]},
              {"use": "gopher_quality", "corpora": ["chatterbot_it"]}]  # fmt: skip
    corpora = [{"name": "tiny_world", "limit": 5}, {"name": "chatterbot_it", "limit": 5}]
    with pytest.raises(CourseError, match="corpus chatterbot_it: expected that some document rem"):
        build(parse_recipe(table(stages=stages, corpora=corpora)), tmp_path)


def test_a_mixture_smaller_than_any_document(table, tmp_path, without_processes):
    with pytest.raises(CourseError, match="mixture: size: expected room for a document, got 1"):
        build(parse_recipe(table(mixture={"size": 1})), tmp_path)


def test_the_tiny_recipe_needs_nothing_installed(tmp_path, without_processes, monkeypatch):
    monkeypatch.setattr(packages.importlib.util, "find_spec", lambda name: None)
    recipe = load_recipe(find_root(Path(__file__).parent) / "configs" / "data-tiny.toml")
    report = build(recipe, tmp_path)
    assert report["result"]["n_documents"] == 2000 and report["result"]["shards"] > 1


def test_two_builds_in_one_folder(table, tmp_path):
    with (
        run.locked(tmp_path, who="build"),
        pytest.raises(CourseError, match="another build is at work there"),
    ):
        build(parse_recipe(table()), tmp_path)


def test_a_defect_names_the_job(table, tmp_path, without_processes, monkeypatch):
    def broken(text):
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(run, "work", broken)
    with pytest.raises(CourseError, match=r"read \w+: .*ZeroDivisionError: oh.*Fix: ") as e:
        build(parse_recipe(table()), tmp_path)
    assert isinstance(e.value.__cause__, ZeroDivisionError)
