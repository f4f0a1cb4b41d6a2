"""The rules that hold for every file of the package and of its tests."""

import ast
import re
from pathlib import Path

import pytest

from llm_course.classroom.course import find_root

ROOT = find_root(Path(__file__).parent)
PACKAGE = ROOT / "llm_course"
MODULES = sorted(path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")
INITS = sorted(PACKAGE.rglob("__init__.py"))
LONGEST_FILE = 250
LONGEST_FUNCTION = 40
UNSAFE = re.compile(
    r"\bpickle\b|\bdill\b|\bjoblib\.load\b|\btorch\.load\(|allow_pickle=True|(?<![.\w])eval\("
)
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")


def named(path):
    return path.relative_to(ROOT).as_posix()


def parsed(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def mirrored(path):
    """Where the tests of a module lie."""
    relative = path.relative_to(PACKAGE)
    return ROOT / "tests" / relative.parent / f"test_{relative.name}"


def has_module(test):
    """Whether `test_norms.py` or `test_norms_parity.py` stands where `norms.py` does."""
    folder = PACKAGE / test.parent.relative_to(ROOT / "tests")
    words = test.stem.removeprefix("test_").split("_")
    names = ["_".join(words[:count]) for count in range(1, len(words) + 1)]
    return any((folder / f"{name}.py").is_file() for name in names)


def lines_of(function):
    """The length of a function without its docstring."""
    docstring = ast.get_docstring(function, clean=False)
    return function.end_lineno - function.lineno + 1 - len((docstring or "").splitlines())


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_every_module_has_its_tests(path):
    tests = mirrored(path)
    assert tests.is_file(), f"expected {named(tests)}"
    functions = [node.name for node in ast.walk(parsed(tests)) if isinstance(node, ast.FunctionDef)]
    assert any(name.startswith("test_") for name in functions), f"{named(tests)} tests nothing"


def test_every_test_of_a_module_has_its_module():
    folders = [path for path in (ROOT / "tests").iterdir() if (PACKAGE / path.name).is_dir()]
    tests = [test for folder in folders for test in sorted(folder.rglob("test_*.py"))]
    assert tests, "expected tests"
    assert [named(test) for test in tests if not has_module(test)] == []


@pytest.mark.parametrize("path", INITS, ids=named)
def test_an_init_holds_a_docstring_and_nothing_else(path):
    tree = parsed(path)
    assert ast.get_docstring(tree), "expected a docstring, which the API reference shows"
    assert len(tree.body) == 1, "expected nothing but the docstring"


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_file_is_about_one_thing(path):
    count = len(path.read_text(encoding="utf-8").splitlines())
    assert count <= LONGEST_FILE, f"{count} lines: two ideas, or one?"
    long = {
        node.name: lines_of(node)
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and lines_of(node) > LONGEST_FUNCTION
    }
    assert long == {}, "functions longer than the limit, without their docstrings"


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_is_documented_and_finished(path):
    tree, text = parsed(path), path.read_text(encoding="utf-8")
    assert ast.get_docstring(tree), "expected a docstring, which the API reference shows"
    asserts = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.Assert)]
    assert asserts == [], "assert belongs in tests: python -O drops it"
    code = ast.unparse(without_docstrings(tree))
    assert UNSAFE.findall(code) == [], "a pickle can run code when it is loaded"
    assert UNFINISHED.findall(text) == []


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("*.py")), ids=named)
def test_no_test_is_skipped_or_expected_to_fail(path):
    marks = [
        f"{named(path)}:{node.lineno}"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute)
        and node.attr in ("skip", "skipif", "xfail", "importorskip")
    ]
    assert marks == []


def without_docstrings(tree):
    """The tree with every docstring replaced by a pass."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and ast_is_text(body[0]):
            body[0] = ast.Pass()
    return tree


def ast_is_text(node):
    """Whether a statement is a string standing alone."""
    return isinstance(node, ast.Expr) and isinstance(getattr(node.value, "value", None), str)
