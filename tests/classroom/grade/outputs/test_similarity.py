"""Copied answers are found, whatever the names; independent ones are not."""

from pathlib import Path

import llm_course
from llm_course.classroom.grade.marking.report import QuestionResult, Report
from llm_course.classroom.grade.outputs.similarity import Likeness, alike, as_csv, package_sources

STUB = '''def attention(query, key, value, mask=None):
    """Softmax of the scores times the values, for tensors of any number of heads."""
    raise NotImplementedError("ex-07-1")
'''
ONE = '''def attention(query, key, value, mask=None):
    """Softmax of the scores times the values, for tensors of any number of heads."""
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf)
    largest = scores.max(dim=-1, keepdim=True).values
    weights = torch.exp(scores - largest)
    weights = weights / weights.sum(dim=-1, keepdim=True)
    return torch.nan_to_num(weights, nan=0.0) @ value
'''
OTHER = '''def attention(query, key, value, mask=None):
    """Softmax of the scores times the values, for tensors of any number of heads."""
    d = query.size(-1)
    result = []
    for q in query.unbind(dim=-2):
        logits = (q.unsqueeze(-2) * key).sum(-1) * d ** -0.5
        if mask is not None:
            logits = torch.where(mask, logits, torch.tensor(float("-inf")))
        result.append((F.softmax(logits, -1).unsqueeze(-1) * value).sum(-2))
    return torch.stack(result, dim=-2)
'''
RENAMED = ONE.replace("scores", "s").replace("weights", "w").replace("largest", "m")


def report(student, answer):
    question = QuestionResult(grade_id="ex", title="", optional=False, tests=(), answer=answer)
    return Report(
        student=student, chapter="07", notebook="n", submission_hash="", grader_hash="",
        questions=(question,),
    )  # fmt: skip


def pairs(*reports, **options):
    found = alike(reports, {"07/n": STUB}, **options)
    return [(pair.student, pair.other) for pair in found]


def test_a_copy_with_other_names_and_comments_is_found():
    copied = "# my own work\n" + RENAMED
    assert pairs(report("ada", ONE), report("bob", copied), report("eve", OTHER)) == [
        ("ada", "bob")
    ]


def test_stubs_and_short_answers_say_nothing():
    assert pairs(report("ada", STUB), report("bob", STUB)) == []
    assert pairs(report("ada", "def f(x): return x"), report("bob", "def f(x): return x")) == []


def test_the_package_is_compared_too():
    package = {"llm_course/model/attention.py": ONE + "\n\nclass Other:\n    pass\n"}
    assert pairs(report("ada", RENAMED), package=package) == [
        ("ada", "llm_course/model/attention.py")
    ]
    sources = package_sources(Path(llm_course.__file__).parent)
    assert "llm_course/model/attention.py" in sources
    assert not any("classroom" in name for name in sources)


def test_the_table_has_the_most_alike_first():
    found = [Likeness("07/n", "a", "b", 0.8, 0.5), Likeness("07/n", "=c", "d", 0.9, 1.0)]
    lines = as_csv(found).splitlines()
    assert lines[1].startswith("07/n,'=c,d,0.9,1") and lines[2].startswith("07/n,a,b,0.8,0.5")


def test_damaged_code_is_compared_as_text():
    assert pairs(report("ada", "def f(:\n" + ONE), report("bob", "def f(:\n" + ONE)) == [
        ("ada", "bob")
    ]
