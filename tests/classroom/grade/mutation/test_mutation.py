"""Mutants of whole functions: the exact list, and what is left alone."""

import ast

import pytest

from llm_course.classroom.grade.mutation.mutation import mutants_of


def told(source: str, setup: str = "") -> list[str]:
    """Every mutant in words."""
    return [str(mutant) for mutant in mutants_of(source, setup)]


def changed_to(source: str, setup: str = "") -> list[str]:
    """The changed line of every mutant."""
    return [mutant.becomes for mutant in mutants_of(source, setup)]


def test_a_function_with_a_loop() -> None:
    source = '''def largest(numbers):
    """The largest of some numbers."""
    best = numbers[0]
    for number in numbers[1:]:
        if number > best:
            best = number
    return best
'''
    assert told(source) == [
        "line 3, off by one: best = numbers[0] → best = numbers[1]",
        "line 3, off by one: best = numbers[0] → best = numbers[-1]",
        "line 4, dropped statement: for number in numbers[1:]: → pass",
        "line 4, dropped bound: for number in numbers[1:]: → for number in numbers[:]:",
        "line 4, off by one: for number in numbers[1:]: → for number in numbers[2:]:",
        "line 4, off by one: for number in numbers[1:]: → for number in numbers[0:]:",
        "line 5, dropped statement: if number > best: → pass",
        "line 5, negated condition: if number > best: → if number <= best:",
        "line 5, flipped comparison: if number > best: → if number >= best:",
        "line 5, flipped comparison: if number > best: → if number < best:",
        "line 6, dropped statement: best = number → pass",
    ]


def test_each_mutant_is_the_solution_with_one_change() -> None:
    source = "def f(x, y):\n    z = x * y\n    return z + 1\n"
    for mutant in mutants_of(source):
        lines = mutant.source.split("\n")
        plain = source.rstrip().split("\n")
        differing = [i for i, (one, two) in enumerate(zip(plain, lines, strict=True)) if one != two]
        assert differing == [mutant.line - 1]
        assert lines[mutant.line - 1].strip() == mutant.becomes
        assert plain[mutant.line - 1].strip() == mutant.was


def test_every_mutant_is_python_and_another_program() -> None:
    source = (
        "def f(x, n=2):\n    if x and n > 1:\n        return x[1:n]\n    return [i for i in x if i]"
    )
    mutants = mutants_of(source)
    trees = [ast.dump(ast.parse(mutant.source)) for mutant in mutants]
    assert len(trees) > 10
    assert len(set(trees)) == len(trees)
    assert ast.dump(ast.parse(source)) not in trees


def test_the_tree_is_left_as_it_was() -> None:
    source = "def f(x):\n    return x.sum(dim=-1) / 2"
    assert mutants_of(source) == mutants_of(source)


@pytest.mark.parametrize(
    "source",
    [
        'def f(x):\n    """One of 2 texts: a - b."""\n    return x',
        "def f(x: int | None) -> list[int] | None:\n    y: dict[str, int] | None = x\n    return y",
        "@cache(maxsize=2)\ndef f(x):\n    return x",
        "import math as m\nfrom a import b\n\ndef f(x):\n    return x",
        "def f(x):\n    return x\n\nclass A:\n    pass",
    ],
    ids=["docstring", "annotations", "decorator", "imports", "definitions"],
)
def test_what_no_test_should_depend_on_is_left_alone(source: str) -> None:
    assert told(source) == []


def test_of_a_raise_only_the_whole_is_dropped() -> None:
    source = "def f(x):\n    if x:\n        raise ValueError(f'{x}: expected 2 - 1')\n    return x"
    assert changed_to(source) == ["pass", "if not x:", "pass"]


def test_a_statement_that_others_need_is_not_dropped() -> None:
    needed = "def f(x):\n    y = x.copy()\n    y.sort()\n    return y"
    assert "pass" not in [m.becomes for m in mutants_of(needed) if m.was.startswith("y = ")]
    assert [m.was for m in mutants_of(needed) if m.becomes == "pass"] == ["y.sort()"]
    renewed = "def f(x):\n    x = x.copy()\n    return x"
    assert [m.was for m in mutants_of(renewed) if m.becomes == "pass"] == ["x = x.copy()"]


def test_the_last_return_stays_an_early_one_goes() -> None:
    source = "def f(x):\n    if x:\n        return x\n    return abs(x)"
    assert [m.was for m in mutants_of(source) if m.becomes == "pass"] == ["if x:", "return x"]


def test_conditions_everywhere() -> None:
    found = changed_to("def f(xs):\n    return [x for x in xs if x.ok]")
    assert found == ["return [x for x in xs if not x.ok]", "return [x for x in xs]"]
    assert "return a if not c else b" in changed_to("def f(a, b, c):\n    return a if c else b")
    assert "while not x:" in changed_to("def f(x):\n    while x:\n        x.pop()\n    return x")


def test_defaults_and_keywords_change_too() -> None:
    found = changed_to("def f(x, eps=1, keep=True):\n    return g(x, dim=-1)")
    assert found == [
        "def f(x, eps=2, keep=True):",
        "def f(x, eps=0, keep=True):",
        "def f(x, eps=1, keep=False):",
        "return x",
        "return g(x)",
        "return g(x, dim=1)",
        "return g(x, dim=0)",
        "return g(x, dim=-2)",
    ]


def test_a_module_is_no_value_a_method_s_owner_is() -> None:
    source = "def f(x):\n    return math.floor(x.abs())"
    assert "return math" not in changed_to(source, "import math")
    assert changed_to(source, "import math") == [
        "return x.abs()",
        "return math.ceil(x.abs())",
        "return math.floor(x)",
    ]


def test_equal_mutants_count_once() -> None:
    # Dropping either term of x + x leaves x.
    assert changed_to("def f(x):\n    return x + x") == ["return x", "return x - x"]


def test_what_does_not_compile_is_no_mutant() -> None:
    # A complex number in a pattern begins with its real part: 2j - 1 would be no pattern.
    source = "def f(x):\n    match x:\n        case 1 - 2j:\n            return x\n    return 0"
    found = changed_to(source)
    assert "case 1 + 2j:" in found
    assert "case 2j - 1:" not in found
