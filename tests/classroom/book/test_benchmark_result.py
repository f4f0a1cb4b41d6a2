import pytest

from llm_course.classroom.book.benchmark_page import render_page
from llm_course.classroom.book.benchmark_result import record_result


def recorded(path, rows, **options):
    record_result(
        path,
        title="Toy",
        what="Ours against theirs.",
        command="python benchmarks/toy.py",
        columns=["length", "ratio"],
        rows=rows,
        packages=["numpy"],
        **options,
    )


def test_the_page_can_show_what_was_recorded(tmp_path, capsys):
    recorded(tmp_path / "toy.json", [[8, "0.5"], [1024, "0.25"]])
    page = render_page(tmp_path)
    assert "## Toy" in page and "| 1024 | 0.25 |" in page and "`python benchmarks/toy.py`" in page
    assert "numpy" in page and "*Measured on" in page
    printed = capsys.readouterr().out.splitlines()
    assert [line.split() for line in printed] == [
        ["length", "ratio"],
        ["8", "0.5"],
        ["1024", "0.25"],
    ]
    assert len({len(line) for line in printed}) == 1


def test_nothing_measured_is_said(tmp_path):
    recorded(tmp_path / "toy.json", [])
    assert "*Not measured on" in render_page(tmp_path)


def test_a_ragged_table_is_refused_and_not_written(tmp_path):
    with pytest.raises(ValueError, match="expected 2 cells, got 1 in row 1"):
        recorded(tmp_path / "toy.json", [[8, 1], [9]])
    assert not list(tmp_path.iterdir())


def test_a_device_stands_for_the_machine(tmp_path):
    recorded(tmp_path / "toy.json", [[8, 1]], device="a GPU")
    assert "; a GPU;" in render_page(tmp_path)
