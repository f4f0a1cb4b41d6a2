import json

import pytest

from llm_course.classroom.coverage.evidence import (
    GPU_REPORT,
    Evidence,
    proof_exists,
    symbol_exists,
)
from llm_course.classroom.execute.cache import source_hash

KEY = "07_sample/counting"


@pytest.fixture
def code(tmp_path):
    files = {
        "llm_course/__init__.py": "",
        "llm_course/model/__init__.py": "",
        "llm_course/model/norms.py": "EPS: float = 1\nNORMS = {}\ndef rms_norm(): ...\n"
        "class RMSNorm:\n    def forward(self): ...\nif True:\n    def hidden(): ...\n",
        "tests/model/test_norms.py": "def test_a(): ...\ndef helper(): ...\n"
        "class TestB:\n    def test_c(self): ...\n",
        "other/norms.py": "def rms_norm(): ...",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "exists"),
    [
        ("llm_course.model.norms.rms_norm", True),
        ("llm_course.model.norms.RMSNorm", True),
        ("llm_course.model.norms.RMSNorm.forward", True),
        ("llm_course.model.norms.NORMS", True),
        ("llm_course.model.norms.EPS", True),
        ("llm_course.model.norms", True),
        ("llm_course.model", True),
        ("llm_course.model.norms.layer_norm", False),
        ("llm_course.model.norms.RMSNorm.backward", False),
        ("llm_course.model.rms_norm", False),
        ("llm_course.norms.rms_norm", False),
        ("other.norms.rms_norm", False),
        ("torch.nn.RMSNorm", False),
        ("", False),
    ],
)
def test_symbols_are_found_without_an_import(code, name, exists):
    assert symbol_exists(code, name) is exists


@pytest.mark.parametrize(
    ("name", "exists"),
    [
        ("tests/model/test_norms.py::test_a", True),
        ("tests/model/test_norms.py::TestB::test_c", True),
        ("tests/model/test_norms.py::test_b", False),
        ("tests/model/test_norms.py::helper", False),
        ("tests/model/test_norms.py", False),
        ("tests/model/test_gone.py::test_a", False),
        ("llm_course/model/norms.py::rms_norm", False),
    ],
)
def test_proofs_are_tests_that_exist(code, name, exists):
    assert proof_exists(code, name) is exists


def test_an_edit_is_seen(code):
    name = "llm_course.model.norms.layer_norm"
    assert not symbol_exists(code, name)
    (code / "llm_course/model/norms.py").write_text("def layer_norm(): ...")
    assert symbol_exists(code, name)


def test_sections_with_their_labels(sample_course):
    sections = Evidence(sample_course).sections(KEY)
    assert sections["Build it"] == "sample-build"
    assert sections["See it"] == ""
    assert "BEGIN SOLUTION" not in sections, "a comment in code is no heading"


def test_a_whole_exercise_lacks_nothing(sample_course):
    assert Evidence(sample_course).lacks(KEY, "ex-07-1-mean") == ""


def test_an_exercise_lacks_a_cell(sample_course, edit_chapter):
    edit_chapter("grade_id: test-07-1-mean-hidden", "grade_id: test-07-9-mean-hidden")
    lacking = Evidence(sample_course).lacks(KEY, "ex-07-1-mean")
    assert lacking == f"a cell test-07-1-mean-hidden in {KEY}"


def test_an_exercise_lacks_wrong_answers(sample_course):
    (sample_course / "solutions/07_sample/wrong_answers/ex_07_1_mean.py").unlink()
    assert "wrong answers" in Evidence(sample_course).lacks(KEY, "ex-07-1-mean")


def test_pages_at_any_depth(sample_course):
    (sample_course / "book" / "_toc.yml").write_text(
        "root: intro\nparts:\n- chapters:\n"
        "  - file: a\n    sections:\n    - file: b/c\n    - glob: d/*\n"
    )
    assert Evidence(sample_course).pages == {"intro", "a", "b/c"}


def record(root, **changes):
    notebook = Evidence(root).notebooks[KEY]
    entry = {"source": source_hash(notebook), "status": "executed", "seconds": 9.0} | changes
    (root / GPU_REPORT).write_text(json.dumps({"device": "H200", "notebooks": {KEY: entry}}))


@pytest.mark.parametrize(
    ("changes", "state"),
    [({}, "yes"), ({"source": "0" * 64}, "stale"), ({"status": "failed"}, "failed")],
)
def test_a_gpu_run_counts_for_the_source_it_was_made_from(sample_course, changes, state):
    record(sample_course, **changes)
    assert Evidence(sample_course).gpu(KEY) == state


def test_a_gpu_run_becomes_stale_by_an_edit(sample_course, edit_chapter):
    record(sample_course)
    edit_chapter("## See it", "## See this")
    assert Evidence(sample_course).gpu(KEY) == "stale"


@pytest.mark.parametrize("text", [None, "{", "[]", '{"notebooks": []}', '{"notebooks": {}}'])
def test_no_report_or_a_damaged_one_is_no_run(sample_course, text):
    if text is not None:
        (sample_course / GPU_REPORT).write_text(text)
    assert Evidence(sample_course).gpu(KEY) == "missing"
