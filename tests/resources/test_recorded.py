import pytest

from llm_course.errors import CourseError
from llm_course.resources import recorded

ROWS = [{"kind": "a, b", "loss": 0.1}, {"kind": "ü", "loss": float("inf")}]


def kept(folder, **changes):
    settings = {"command": "python -m x", "config": {"n": 3}, "seeds": [0, 1]} | changes
    recorded.record("toy", ROWS, folder=folder, **settings)
    return recorded.load_recorded("toy", folder)


def test_rows_come_back_unchanged_with_their_provenance(tmp_path):
    found = kept(tmp_path)
    assert found.rows == ROWS
    assert found.provenance["config"] == {"n": 3} and found.provenance["seeds"] == [0, 1]
    assert "torch" in found.provenance["versions"]
    assert "`python -m x`" in found.source() and found.provenance["date"] in found.source()


@pytest.mark.parametrize("rows", [[], [{"a": 1}, {"b": 1}], [{"a": 1}, {"a": 1, "b": 2}]])
def test_rows_without_common_columns_are_refused_and_nothing_is_written(tmp_path, rows):
    with pytest.raises(ValueError, match="rows: expected"):
        recorded.record("toy", rows, command="x", config={}, seeds=[], folder=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_name_lists_the_known_ones(tmp_path):
    kept(tmp_path)
    with pytest.raises(CourseError, match=r"expected a recorded experiment \(toy\), got 'other'"):
        recorded.load_recorded("other", tmp_path)


def test_provenance_that_lacks_something_is_refused(tmp_path):
    kept(tmp_path)
    (tmp_path / "toy.json").write_text('{"command": "x"}')
    with pytest.raises(CourseError, match="missing .*'config'"):
        recorded.load_recorded("toy", tmp_path)


@pytest.mark.parametrize("path", sorted(recorded.FOLDER.glob("*.csv")), ids=lambda path: path.stem)
def test_every_recorded_table_is_whole(path):
    found = recorded.load_recorded(path.stem)
    assert found.rows and found.provenance["seeds"]
