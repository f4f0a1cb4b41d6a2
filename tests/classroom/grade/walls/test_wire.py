"""Values cross unchanged, and nothing but values crosses."""

import json
import math

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as st_numpy

from llm_course.classroom.grade.walls import wire
from llm_course.classroom.grade.walls.wire import WireError, dumps, loads

scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False)
    | st.complex_numbers(allow_nan=False)
    | st.text()
    | st.binary()
)
keys = st.integers() | st.text() | st.tuples(st.integers(), st.text())
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.dictionaries(keys, inner)
        | st.frozensets(keys)
        | st.sets(keys)
    ),
    max_leaves=20,
)


def same_types(left, right):
    """Whether two values are built of the same types, containers included."""
    if type(left) is not type(right):
        return False
    if isinstance(left, list | tuple):
        return all(map(same_types, left, right))
    return not isinstance(left, dict) or all(same_types(left[key], right[key]) for key in left)


@given(values)
def test_plain_values_cross_with_their_types(value):
    back = loads(dumps(value))
    assert back == value and same_types(back, value)


@given(st_numpy.arrays(st_numpy.scalar_dtypes().filter(lambda d: d.kind in "biufcSU"), (2, 3)))
def test_arrays_cross_bit_for_bit(array):
    back = loads(dumps(array))
    assert back.shape == array.shape and back.dtype == array.dtype.newbyteorder("<")
    assert back.tobytes() == array.astype(array.dtype.newbyteorder("<")).tobytes()


DTYPES = [
    torch.float64, torch.float32, torch.float16, torch.bfloat16, torch.int64, torch.int32,
    torch.int16, torch.int8, torch.uint8, torch.bool, torch.complex64,
]  # fmt: skip


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("shape", [(), (0, 3), (2, 3)], ids=str)
def test_tensors_cross_with_their_dtype(dtype, shape):
    tensor = torch.arange(math.prod(shape)).reshape(shape).to(dtype)
    back = loads(dumps(tensor))
    assert back.dtype == dtype and back.shape == tensor.shape and torch.equal(back, tensor)


def test_not_a_number_and_infinity_cross():
    tensor = torch.tensor([math.nan, math.inf, -math.inf])
    assert torch.equal(loads(dumps(tensor)).isnan(), tensor.isnan())
    assert loads(dumps([math.inf, -math.inf])) == [math.inf, -math.inf]
    assert math.isnan(loads(dumps(math.nan)))


def test_views_and_gradients_cross_as_what_they_show():
    tensor = torch.arange(6.0, requires_grad=True).reshape(2, 3).T
    back = loads(dumps(tensor))
    assert torch.equal(back, tensor.detach()) and not back.requires_grad


def test_a_state_dict_crosses():
    state = torch.nn.Linear(2, 3).state_dict()
    back = loads(dumps(state))
    assert list(back) == ["weight", "bias"] and torch.equal(back["weight"], state["weight"])


def test_a_generator_crosses_with_its_state():
    generator = torch.Generator().manual_seed(5)
    torch.randn(3, generator=generator)
    back = loads(dumps(generator))
    assert torch.equal(torch.randn(4, generator=back), torch.randn(4, generator=generator))


class Liar(tuple):
    def __eq__(self, other):
        return True

    __hash__ = tuple.__hash__


class LiarInt(int):
    def __eq__(self, other):
        return True

    __hash__ = int.__hash__


class LiarText(str):
    def __str__(self):
        return "another"


@pytest.mark.parametrize("liar", [Liar((1.0, 2.0)), LiarInt(7), LiarText("told")])
def test_an_object_that_lies_arrives_as_plain_data(liar):
    back = loads(dumps(liar))
    assert type(back) in (tuple, int, str)
    assert back != (3, 4) and back != 8 and back != "another"


class Reducing:
    def __reduce__(self):
        return (print, ("ran",))


@pytest.mark.parametrize(
    "value",
    [
        print,
        Reducing(),
        object(),
        np.array([Reducing()], dtype=object),
        [torch.nn.Linear(1, 1)],
        (x for x in "ab"),
        torch.eye(2).to_sparse(),
    ],
    ids=lambda v: type(v).__name__,
)
def test_what_is_not_data_stays_behind(value):
    with pytest.raises(WireError, match="expected"):
        dumps(value)


def test_a_circle_and_a_tower_are_errors():
    circle = []
    circle.append(circle)
    with pytest.raises(WireError):
        dumps(circle)
    with pytest.raises(WireError):
        loads("[" * 100_000)
    with pytest.raises(WireError):
        loads('["list", [' * 80 + "1" + "]]" * 80)


FORGED = [
    "",
    "{}",
    '{"a": 1}',
    '["pickle", "gASVJgAAAA=="]',
    '["array", {"dtype": "|O", "shape": [1], "data": "AAAAAAAAAAA="}]',
    '["array", {"dtype": "<f8", "shape": [1000000000000], "data": "AAAA"}]',
    '["array", {"dtype": "<f8", "shape": [-1, -1], "data": "AAAAAAAAAAA="}]',
    '["array", {"dtype": "(1000000,1000000)f8", "shape": [1], "data": ""}]',
    '["array", {"dtype": "f8,O", "shape": [1], "data": ""}]',
    '["tensor", {"torch": "load", "dtype": "<f4", "shape": [], "data": "AAAAAA=="}]',
    '["tensor", {"torch": "int64", "dtype": "<f4", "shape": [], "data": "AAAAAA=="}]',
    '["dtype", "ops"]',
    '["device", "cuda:0"]',
    '["generator", {"dtype": "|u1", "shape": [2], "data": "AAA="}]',
    '["float", "1e5"]',
    '["range", [0, 1, 0]]',
    '["dict", [[["list", []], 1]]]',
    '["list"]',
    '["tuple", 5]',
    "1" * 5000,
]


@pytest.mark.parametrize("text", FORGED)
def test_a_forged_message_is_an_error(text):
    with pytest.raises(WireError):
        loads(text)


@given(st.recursive(st.none() | st.integers() | st.text(), lambda s: st.lists(s)))
def test_any_json_is_a_value_or_an_error(found):
    try:
        loads(json.dumps(found))
    except WireError:
        return


def test_a_message_that_is_too_large_is_an_error(monkeypatch):
    monkeypatch.setattr(wire, "LARGEST", 10)
    with pytest.raises(WireError, match="at most 10 characters"):
        dumps("a" * 11)
    with pytest.raises(WireError, match="at most 10 characters"):
        loads('"' + "a" * 11 + '"')
