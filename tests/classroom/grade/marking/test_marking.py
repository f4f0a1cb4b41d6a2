"""From the bytes that were handed in to a report, in real sandboxes."""

import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from llm_course.classroom.course import find_root, notebooks
from llm_course.classroom.grade.marking.assignment import of_chapter, of_nbgrader
from llm_course.classroom.grade.marking.marking import mark, seed_of

ROOT = find_root(Path(__file__).parent)
pytestmark = pytest.mark.needs("bubblewrap")

SEEDED = """
import random
value = random.Random(SEED).random()
### BEGIN HIDDEN TESTS
assert double(value) == 2 * value, f"twice {value} is {2 * value}"
### END HIDDEN TESTS
"""


def cell(source, name="", **grading):
    """A cell, with nbgrader's metadata when it has a name."""
    made = new_code_cell(source)
    if name:
        fields = {"grade": False, "solution": False, "locked": False, "schema_version": 3}
        made.metadata["nbgrader"] = {"grade_id": name, "task": False, **fields, **grading}
    return made


def source_cells(solution="def double(x):\n    return 2 * x"):
    return [
        cell("SEED = 0", "setup", locked=True),
        cell(solution, "ex-double", solution=True),
        cell("assert double(4) == 8, f'got {double(4)}'", "test-seen", grade=True, points=1),
        cell(SEEDED, "test-unseen", grade=True, points=2),
        cell("def half(x):\n    return x / 2", "ex-half", solution=True),
        cell("assert half(4) == 2, f'got {half(4)}'", "test-half", grade=True, points=3),
    ]


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A small assignment of two questions."""
    folder = tmp_path_factory.mktemp("small")
    paths = folder / "source.ipynb", folder / "work.ipynb"
    for path, stub in zip(paths, ("def double(x):\n    return 2 * x", "stub"), strict=True):
        notebook = new_notebook(cells=source_cells(stub))
        nbformat.write(notebook, path)
    return of_nbgrader("ps", *paths)


def handed_in(*extra, double="def double(x):\n    return 2 * x", half="def half(x): return x / 2"):
    """A submission as bytes."""
    cells = source_cells(double)
    cells[4].source = half
    return nbformat.writes(new_notebook(cells=[*extra, *cells])).encode()


def points(report):
    return [test.points for question in report.questions for test in question.tests]


def test_a_good_answer_gets_everything(small):
    report = mark(small, "ada", handed_in(), secret=b"s")
    assert points(report) == [1, 2, 3] and report.status == "graded" and report.faults == ()
    assert (report.points, report.max_points, report.student) == (6, 6, "ada")


def test_one_wrong_answer_costs_its_own_points(small):
    report = mark(small, "ada", handed_in(double="def double(x): return x + 4"), secret=b"s")
    assert points(report) == [1, 0, 3]
    assert report.questions[0].tests[1].message == "twice … is …"


def test_a_hanging_answer_costs_its_own_points_only(small, monkeypatch):
    monkeypatch.setattr("llm_course.classroom.grade.marking.answers.CALL_SECONDS", 1.0)
    loop = "def double(x):\n    while True: pass"
    report = mark(small, "ada", handed_in(double=loop), secret=b"s")
    assert points(report) == [0, 0, 3]
    assert "did not finish" in report.questions[0].tests[0].message
    dead = "def double(x):\n    import os; os._exit(1)"
    assert points(mark(small, "ada", handed_in(double=dead), secret=b"s")) == [0, 0, 3]


def test_a_hanging_cell_is_left_out_and_told(small, monkeypatch):
    monkeypatch.setattr("llm_course.classroom.grade.marking.answers.CELL_SECONDS", 2.0)
    report = mark(small, "ada", handed_in(cell("while True: pass")), secret=b"s")
    assert points(report) == [1, 2, 3]
    assert [fault.name for fault in report.faults] == ["cell-stopped"]


def test_inputs_follow_from_the_secret_and_the_submission(small):
    guess = "def double(x):\n    return 2 * x if x == 4 else 1.6888437030500962"  # for SEED = 0
    assert points(mark(small, "ada", handed_in(double=guess), secret=b"s")) == [1, 0, 3]
    assert seed_of(b"s", "ab") == seed_of(b"s", "ab")
    assert len({seed_of(s, h) for s in (b"s", b"t") for h in ("ab", "ac")}) == 4
    assert 0 <= seed_of(b"s", "ab") < 2**31


def test_only_the_visible_tests_on_request(small):
    report = mark(small, "ada", handed_in(), secret=b"", only_visible=True)
    assert [test.grade_id for q in report.questions for test in q.tests] == [
        "test-seen",
        "test-half",
    ]


LEAKS = {
    "printed": "def double(x):\n    print('LEAK', x)\n    return 0",
    "raised": "def double(x):\n    raise ValueError(f'LEAK {x}')",
    "named": "def double(x):\n    raise type(f'LEAK{x}'.replace('.', '_'), (Exception,), {})()",
    "returned": "def double(x):\n    return f'LEAK {x}'",
    "stored": "kept = []\ndef double(x):\n    kept.append(x)\n    return 0",
    "on-disk": "def double(x):\n    open('/tmp/kept', 'a').write(f'LEAK {x}')\n    return 0",
    "in-a-thread": "import threading, time\nseen = []\n"
    "def shout():\n    while True:\n        print('LEAK', seen)\n        time.sleep(0.05)\n"
    "threading.Thread(target=shout, daemon=True).start()\n"
    "def double(x):\n    seen.append(x)\n    time.sleep(0.3)\n    return 0",
}
TELLS = (
    "def half(x):\n    import os\n    told = str(globals().get('kept'))\n    raise ValueError(told)"
)


@pytest.mark.parametrize("answer", LEAKS.values(), ids=LEAKS)
def test_no_hidden_input_reaches_the_report(small, answer):
    data = handed_in(double=answer, half=TELLS)
    value = str(_hidden_value(data))
    report = mark(small, "ada", data, secret=b"s")
    told = [t.message for q in report.questions for t in q.tests]
    told += [fault.message for fault in report.faults] + [o.text for o in report.outputs]
    assert not [text for text in told if value in text or value.replace(".", "_") in text]
    assert report.questions[0].tests[1].points == 0


def _hidden_value(data):
    import hashlib
    import random

    return random.Random(seed_of(b"s", hashlib.sha256(data).hexdigest())).random()


@pytest.fixture(scope="module")
def chapter():
    """The real chapter."""
    return of_chapter(ROOT, notebooks(ROOT, ["self_attention"])[0])


def solved(chapter, changes=None):
    """The released notebook with its solutions, some of them changed."""
    found = nbformat.from_dict(chapter.release.copy())
    solutions = {q.grade_id: q.solution for q in chapter.questions} | (changes or {})
    for each in found.cells:
        name = each.metadata.get("nbgrader", {}).get("grade_id")
        each.source = solutions.get(name, each.source)
    return nbformat.writes(found).encode()


def test_the_chapter_s_own_solutions_get_everything(chapter):
    report = mark(chapter, "ada", solved(chapter), secret=b"s")
    assert report.points == report.max_points == chapter.points and report.faults == ()


def test_a_catalogued_mistake_is_named(chapter):
    first = chapter.questions[0]
    wrong = first.solution.replace("math.sqrt(query.shape[-1])", "query.shape[-1]")
    report = mark(chapter, "ada", solved(chapter, {first.grade_id: wrong}), secret=b"s")
    found = report.questions[0]
    assert found.points == 0 and found.misconception_name == "divided_by_d_k"
    assert found.link == "07_attention/self_attention.html#ex-07-1-scaled-dot-product"
    assert report.points == report.max_points - found.max_points


DELEGATIONS = {
    "package": "from llm_course.model.attention import scaled_dot_product_attention",
    "library": "def scaled_dot_product_attention(q, k, v, mask=None):\n"
    "    return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)",
    "operator": "def scaled_dot_product_attention(q, k, v, mask=None):\n"
    "    return torch.ops.aten.scaled_dot_product_attention(q, k, v, mask)",
    "heads": "def scaled_dot_product_attention(q, k, v, mask=None):\n"
    "    return attention.fused_attention(q, k, v, mask)",
}


@pytest.mark.parametrize("answer", DELEGATIONS.values(), ids=DELEGATIONS)
def test_delegation_scores_nothing_and_is_told(chapter, answer):
    first = chapter.questions[0]
    report = mark(chapter, "ada", solved(chapter, {first.grade_id: answer}), secret=b"s")
    assert report.questions[0].points == 0
    assert all("withheld in grading" in test.message for test in report.questions[0].tests)
    assert report.points == report.max_points - first.points


def test_what_an_exercise_allows_is_there(chapter):
    assert "attention.scaled_dot_product_attention" in chapter.questions[3].solution
    assert "llm_course.model.multi_head.multi_head_attention" in chapter.questions[3].withheld


def test_the_examiner_s_path_is_left_alone(small):
    before = list(sys.path)
    mark(small, "ada", handed_in(), secret=b"s")
    assert sys.path == before
