"""The given cases, each between two good students, graded in one go as a class of 72."""

import json
import os
import shutil
import socket
import tempfile
import threading
from pathlib import Path

import psutil
import pytest

from llm_course.classroom.grade.marking.examiner import load, nbgrader_spec
from llm_course.classroom.grade.records.class_run import ClassRun, grade_class

CASES = Path(__file__).parent / "cases"
DEMO = CASES / "assignment"
EXPECTED = json.loads((CASES / "expect.json").read_text())
MARK = "hidden-mark-7f3a"
GIVEN_PORT = "48765"  # where the case r06_network tries to connect
ZERO = {name for name, end in EXPECTED.items() if end.startswith("0")}
WHOLE = {name for name, end in EXPECTED.items() if end == "10"}

pytestmark = [pytest.mark.needs("bubblewrap"), pytest.mark.slow]


@pytest.fixture(scope="module")
def graded(tmp_path_factory):
    """The run over all cases, the folder of grades, and what was seen meanwhile."""
    work = tmp_path_factory.mktemp("cases")
    shutil.copy(DEMO / "release.ipynb", work / "p.ipynb")
    handed_in, out = work / "handed-in", work / "grades"
    for case in EXPECTED:
        for student, source in (
            (f"aa-{case}", DEMO / "solved.ipynb"),
            (f"{case}", CASES / "submissions" / case / "p.ipynb"),
            (f"zz-{case}", DEMO / "solved.ipynb"),
        ):
            (handed_in / student).mkdir(parents=True)
            shutil.copy(source, handed_in / student / "p.ipynb")
    listener = _Listener()
    caller = handed_in / "r06_network" / "p.ipynb"
    source = caller.read_text()
    assert GIVEN_PORT in source
    caller.write_text(source.replace(GIVEN_PORT, str(listener.port)))
    spec = nbgrader_spec(
        "ps1",
        DEMO / "source.ipynb",
        work / "p.ipynb",
        helpers=(DEMO / "llm_mini.py",),
        withheld={"sol_softmax": ["llm_mini.softmax"]},
    )
    place = tempfile.mkdtemp(prefix="g-", dir="/tmp")
    seen = {"memory": [], "connections": listener.connections, "place": place}
    with pytest.MonkeyPatch.context() as patch, listener:
        patch.setenv("LLM_COURSE_TMP", seen["place"])
        run = grade_class(
            {"ps1/p": (load(spec), spec)},
            handed_in,
            out,
            jobs=2,
            progress=lambda *_: seen["memory"].append(_examiners()),
        )
    return run, out, seen


class _Listener:
    """A server at the address that a case tries to reach; it notes who comes.

    The port is a free one: another run of these tests on this machine has its own.
    """

    def __init__(self):
        self.connections, self.socket = [], socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]

    def __enter__(self):
        threading.Thread(target=self._serve, daemon=True).start()

    def __exit__(self, *_):
        self.socket.close()

    def _serve(self):
        while True:
            try:
                self.connections.append(self.socket.accept())
            except OSError:
                return


def _leftovers(place):
    """Temporary files of this run, and processes that are its own or its sandboxes'."""
    processes = []
    for process in psutil.process_iter(["cmdline", "environ"]):
        words = " ".join(process.info["cmdline"] or [])
        own = (process.info["environ"] or {}).get("LLM_COURSE_TMP") == place
        if (
            (place in words or words == "sleep 61" or own)
            and process.pid != os.getpid()
            and "resource_tracker" not in words
        ):
            processes.append(words)
    return list(Path(place).iterdir()), processes


def _examiners():
    """The resident memory of the examiners, in bytes."""
    sizes = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "llm_course.classroom.grade.marking.examiner" in process.cmdline():
                sizes.append(process.memory_info().rss)
        except psutil.NoSuchProcess:
            continue
    return max(sizes, default=0)


def points(run: ClassRun, student: str) -> float:
    return next(r.points for r in run.graded.reports if r.student == student)


def report(run, student):
    return next(r for r in run.graded.reports if r.student == student)


@pytest.mark.parametrize("case", EXPECTED)
def test_the_neighbours_keep_everything(graded, case):
    run, _, _ = graded
    assert (points(run, f"aa-{case}"), points(run, f"zz-{case}")) == (10, 10)


@pytest.mark.parametrize("case", sorted(ZERO))
def test_no_point_that_was_not_earned(graded, case):
    assert points(graded[0], case) == 0


@pytest.mark.parametrize("case", sorted(WHOLE))
def test_honest_work_keeps_its_points(graded, case):
    assert points(graded[0], case) == 10


def test_every_submission_ends_with_a_score(graded):
    run, _, _ = graded
    assert len(run.graded.reports) == 3 * len(EXPECTED)
    assert {found.status for found in run.graded.reports} == {"graded"}


def test_a_broken_file_is_a_named_fault(graded):
    (fault,) = report(graded[0], "s13_malformed_json").faults
    assert fault.name == "unreadable-notebook"


def test_delegation_is_told(graded):
    found = report(graded[0], "f17_delegation")
    told = [test.message for test in found.questions[0].tests]
    assert all("llm_mini.softmax" in text and "withheld" in text for text in told)
    feedback = (graded[1] / "feedback" / "f17_delegation.html").read_text()
    assert "llm_mini.softmax" in feedback and "withheld in grading" in feedback


def test_hidden_tests_reach_nobody(graded):
    _, out, _ = graded
    texts = [path for path in out.rglob("*") if path.suffix in (".html", ".csv", ".json")]
    assert len(texts) > 100
    originals = set((out / "originals").iterdir())
    leaks = [path for path in texts if path not in originals and MARK in path.read_text()]
    assert leaks == []


def test_feedback_is_small_and_holds_no_script(graded):
    _, out, _ = graded
    pages = list((out / "feedback").glob("*.html"))
    assert len(pages) == 3 * len(EXPECTED)
    assert max(page.stat().st_size for page in pages) < 300_000
    for page in pages:
        text = page.read_text().lower()
        assert "<script" not in text and "onerror=" not in text.replace("&#34;", "")


def test_nothing_was_reached_over_the_network(graded):
    assert graded[2]["connections"] == []


def test_nothing_is_left(graded):
    assert _leftovers(graded[2]["place"]) == ([], [])


def test_memory_stays_constant(graded):
    memory = [size for size in graded[2]["memory"] if size]
    third = len(memory) // 3
    assert max(memory[-third:]) < 1.1 * max(memory[:third]) + 30 * 2**20


def test_the_gradebook_agrees(graded):
    from nbgrader.api import Gradebook

    run, out, _ = graded
    with Gradebook(f"sqlite:///{out / 'gradebook.db'}", "llm-course") as book:
        entered = {s.student.id: s.score for s in book.assignment_submissions("ps1")}
    assert entered == {r.student: r.points for r in run.graded.reports}
