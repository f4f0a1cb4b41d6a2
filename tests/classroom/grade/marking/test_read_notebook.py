"""Any file can be handed in; what is a notebook is read."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.classroom.grade.marking import read_notebook
from llm_course.classroom.grade.marking.read_notebook import Cell, read_cells


def file(*cells, **more):
    return json.dumps({"cells": list(cells), "metadata": {}, **more}).encode()


def code(source, **more):
    return {"cell_type": "code", "source": source, "metadata": {}, **more}


def test_cells_are_read_with_their_grade_ids():
    metadata = {"nbgrader": {"grade_id": "ex"}}
    read = read_cells(file(code(["a = 1\n", "b"], metadata=metadata), code("c", cell_type="raw")))
    assert read.cells == [Cell("code", "ex", "a = 1\nb"), Cell("raw", "", "c")]
    assert read.faults == ()


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_read(mark):
    assert read_cells(file(code("x")).decode().encode(mark)).cells == [Cell("code", "", "x")]


def test_an_old_notebook_is_read():
    sheets = [{"cells": [{"cell_type": "code", "input": "x = 1"}]}]
    data = json.dumps({"worksheets": sheets, "nbformat": 3}).encode()
    assert read_cells(data).cells == [Cell("code", "", "x = 1")]


@pytest.mark.parametrize(
    "data",
    [b"", b"{", b"[]", b"null", b'{"cells": {}}', b"\xff\xfe\x00", b"\x80", b"[" * 200_000],
)
def test_what_is_no_notebook_is_named(data):
    read = read_cells(data)
    assert read.cells is None
    (fault,) = read.faults
    assert fault.name == "unreadable-notebook" and "expected" in fault.message and fault.cost


def test_broken_cells_are_left_out_and_counted():
    wrong = [5, {"source": 7}, {"source": ["a", 1]}]
    read = read_cells(file(*wrong, code("x")))
    assert read.cells == [Cell("code", "", "x")]
    assert "3 cells" in read.faults[0].message


def test_sizes_are_limited(monkeypatch):
    monkeypatch.setattr(read_notebook, "LONGEST_CELL", 5)
    monkeypatch.setattr(read_notebook, "MOST_CELLS", 2)
    read = read_cells(file(code("123456"), code("1"), code("2")))
    assert read.cells == [Cell("code", "", "1")]
    assert {fault.name for fault in read.faults} == {"cell-too-long", "too-many-cells"}
    monkeypatch.setattr(read_notebook, "LARGEST_FILE", 5)
    assert read_cells(file()).cells is None


def test_lone_surrogates_and_zeros_do_no_harm():
    (cell,) = read_cells(file(code("a\ud800\0b"))).cells
    assert cell.source == "a?b"


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
cells = st.fixed_dictionaries(
    {},
    optional={
        "cell_type": st.sampled_from(["code", "markdown"]) | anything,
        "source": st.text() | st.lists(st.text()) | anything,
        "metadata": anything | st.fixed_dictionaries({"nbgrader": anything}),
    },
)


@given(st.lists(cells | anything), anything)
def test_no_file_raises(found, metadata):
    read = read_cells(json.dumps({"cells": found, "metadata": metadata}).encode())
    assert len(read.cells) <= len(found)
    assert all(isinstance(cell.source, str) for cell in read.cells)
