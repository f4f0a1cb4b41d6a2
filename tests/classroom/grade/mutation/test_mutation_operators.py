"""Each operator alone, on one expression: the exact list of what it makes."""

import ast

import pytest

from llm_course.classroom.grade.mutation import mutation_operators as operators
from llm_course.classroom.grade.mutation.mutation_operators import axes_swapped, negated


def made(operator, text: str, *more) -> list[tuple[str, str]]:
    """The kinds and texts that an operator makes of an expression or statement."""
    (statement,) = ast.parse(text).body
    node = statement.value if isinstance(statement, ast.Expr) else statement
    return [(kind, ast.unparse(ast.fix_missing_locations(n))) for kind, n in operator(node, *more)]


def texts(operator, text: str, *more) -> list[str]:
    """Only the texts."""
    return [other for _, other in made(operator, text, *more)]


@pytest.mark.parametrize(
    ("given", "others"),
    [
        ("a < b", ["a <= b", "a > b"]),
        ("a <= b", ["a < b", "a >= b"]),
        ("a > b", ["a >= b", "a < b"]),
        ("a >= b", ["a > b", "a <= b"]),
        ("a == b", ["a != b"]),
        ("a is not None", ["a is None"]),
        ("a in b", ["a not in b"]),
        ("0 < a != b", ["0 <= a != b", "0 > a != b", "0 < a == b"]),
    ],
)
def test_comparisons(given: str, others: list[str]) -> None:
    assert made(operators.comparison, given) == [("flipped comparison", o) for o in others]


@pytest.mark.parametrize(
    ("given", "others"),
    [
        ("a + b", ["a", "b", "a - b"]),
        ("a - b", ["a", "b", "b - a", "a + b"]),
        ("a * b", ["a", "b", "a / b"]),
        ("a / b", ["a", "b", "b / a", "a * b"]),
        ("a @ b", ["a", "b", "b @ a", "a * b"]),
        ("a ** 2", ["a", "2", "2 ** a", "a * 2"]),
        ("a // b", ["a", "b", "b // a", "a / b"]),
        ("a % b", ["a", "b", "b % a", "a // b"]),
        ("a & b", ["a", "b", "a | b"]),
        ("a ^ b", ["a", "b", "a & b"]),
    ],
)
def test_arithmetic(given: str, others: list[str]) -> None:
    assert texts(operators.arithmetic, given) == others


def test_every_operator_of_python_is_known() -> None:
    assert set(operators.ARITHMETIC) == set(ast.operator.__subclasses__())
    assert set(operators.COMPARISONS) == set(operators.OPPOSITES) == set(ast.cmpop.__subclasses__())


def test_operands_keep_their_brackets() -> None:
    assert "c / (a + b)" in texts(operators.arithmetic, "(a + b) / c")


def test_augmented_assignments() -> None:
    assert texts(operators.augmented, "total += x") == ["total -= x", "total = x"]
    assert texts(operators.augmented, "rows[i] *= x") == ["rows[i] /= x", "rows[i] = x"]


def test_connectives() -> None:
    assert texts(operators.connective, "a and b") == ["a or b", "b", "a"]
    assert texts(operators.connective, "a or b or c") == [
        "a and b and c",
        "b or c",
        "a or c",
        "a or b",
    ]


def test_signs() -> None:
    assert made(operators.sign, "-x") == [("dropped sign", "x")]
    assert made(operators.sign, "~mask") == [("dropped negation", "mask")]
    assert made(operators.sign, "not x") == [("dropped negation", "x")]
    assert texts(operators.sign, "-1") == ["1", "0", "-2"]
    assert texts(operators.sign, "-2") == ["2", "-1", "-3"]
    assert texts(operators.sign, "+x") == []


@pytest.mark.parametrize(
    ("given", "others"),
    [
        ("1", ["2", "0"]),
        ("0", ["1", "-1"]),
        ("0.0", ["1.0", "-1.0"]),
        ("0.9", ["1.9", "0.45"]),
        ("1e-06", ["1.000001", "5e-07"]),
        ("True", ["False"]),
        ("False", ["True"]),
        ("None", []),
        ("...", []),
        ("b'x'", []),
        ("' '", ["''"]),
        ("''", ["' '"]),
        ("'b t d -> b d t'", ["'b t d -> d b t'", "'b t d -> b t d'"]),
    ],
)
def test_constants(given: str, others: list[str]) -> None:
    assert texts(operators.constant, given) == others


@pytest.mark.parametrize(
    ("given", "others"),
    [
        ("x.softmax(dim=-1)", ["x", "x.softmax()"]),
        ("x.cumsum(-1).mean()", ["x.cumsum(-1)"]),
        ("torch.relu(x)", ["x"]),
        ("torch.special.entr(w)", ["w"]),
        ("torch.zeros(n, m)", ["torch.zeros(m, n)"]),
        ("torch.no_grad()", []),
        ("F.dropout(x, p=p, training=True)", ["x", "F.dropout(x, training=True)",
                                             "F.dropout(x, p=p)"]),
        ("max(a, b)", ["a"]),
        ("key.transpose(a, b)", ["key"]),
        ("attend(q, k, v)", ["q", "attend(k, q, v)", "attend(q, v, k)"]),
        ("rearrange(x, 'b t -> t b')", ["x"]),
        ("range(n)", []),
        ("f(*parts, **options)", []),
    ],
)  # fmt: skip
def test_calls(given: str, others: list[str]) -> None:
    assert texts(operators.call, given, {"torch", "F"}) == others


def test_counterparts() -> None:
    assert texts(operators.attribute, "x.tril") == ["x.triu"]
    assert texts(operators.attribute, "x.softmax") == ["x.log_softmax"]
    assert texts(operators.attribute, "x.shape") == []
    assert texts(operators.name, "max") == ["min"]
    assert texts(operators.name, "sum") == []


def test_slices() -> None:
    (statement,) = ast.parse("x[a:b:c]").body
    found = list(operators.part(statement.value.slice))
    assert [ast.unparse(node) for _, node in found] == [":b:c", "a::c", "a:b"]


@pytest.mark.parametrize(
    ("given", "opposite"),
    [
        ("a < b", "a >= b"),
        ("a >= b", "a < b"),
        ("a == b", "a != b"),
        ("a is None", "a is not None"),
        ("not a", "a"),
        ("a", "not a"),
        ("a < b < c", "not a < b < c"),
        ("a and b", "not (a and b)"),
    ],
)
def test_opposites(given: str, opposite: str) -> None:
    assert ast.unparse(negated(ast.parse(given, mode="eval").body)) == opposite


def test_axes_keep_spaces_commas_and_brackets() -> None:
    assert list(axes_swapped("b q d, b k d -> b q k")) == [
        "b q d, b k d -> q b k",
        "b q d, b k d -> b k q",
    ]
    assert list(axes_swapped("b (h w) -> (b h) w")) == [
        "b (w h) -> (b h) w",
        "b (h w) -> (h b) w",
    ]
    assert list(axes_swapped("b k -> b 1 1 k")) == ["b k -> 1 b 1 k", "b k -> b 1 k 1"]
    assert list(axes_swapped("b ... d -> b d ...")) == ["b ... d -> d b ...", "b ... d -> b ... d"]


def test_axes_of_one_letter_are_swapped_without_spaces() -> None:
    assert list(axes_swapped("bqd,bkd->bqk")) == ["bqd,bkd->qbk", "bqd,bkd->bkq"]
    assert list(axes_swapped("ij, jk -> ik")) == ["ij, jk -> ki"]
    for nothing in ("ij->", "b t d -> b", "b t d -> ()", "-> 1"):
        assert list(axes_swapped(nothing)) == []
