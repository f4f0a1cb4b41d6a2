"""The log of steps: what is written comes back, and an interrupted log is mended."""

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_course.errors import CourseError
from llm_course.training.csv_log import CsvLog, read_csv_log

COLUMNS = ["step", "loss", "note"]


def fill(path, steps, first_step=0):
    log = CsvLog(path, COLUMNS, first_step)
    for step in steps:
        log.write({"step": step, "loss": 1 / (step + 3), "note": None})


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=5))
def test_numbers_come_back_bit_by_bit(tmp_path_factory, numbers):
    path = tmp_path_factory.mktemp("log") / "log.csv"
    log = CsvLog(path, ["step", "loss"])
    for step, number in enumerate(numbers):
        log.write({"step": step, "loss": number})
    assert [row["loss"] for row in read_csv_log(path)] == numbers


def test_others_can_read_it(tmp_path):
    fill(tmp_path / "log.csv", range(2))
    with (tmp_path / "log.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert rows == [
        {"step": "0", "loss": "0.3333333333333333", "note": ""},
        {"step": "1", "loss": "0.25", "note": ""},
    ]


@pytest.mark.parametrize("cut", range(1, 25, 3))
def test_a_run_that_goes_on_has_the_log_of_one_without_interruption(tmp_path, cut):
    fill(tmp_path / "whole.csv", range(9))
    path = tmp_path / "log.csv"
    fill(path, range(7))
    path.write_bytes(path.read_bytes()[:-cut])  # killed in the middle of a line
    fill(path, range(4, 9), first_step=4)  # on from the checkpoint after step 3
    assert path.read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_a_new_run_begins_an_empty_log(tmp_path):
    fill(tmp_path / "log.csv", range(4))
    fill(tmp_path / "log.csv", range(2))
    assert len(read_csv_log(tmp_path / "log.csv")) == 2


def test_other_columns_are_refused(tmp_path):
    fill(tmp_path / "log.csv", range(2))
    with pytest.raises(
        CourseError, match=r"log.csv: expected the columns \['step'\], got \['step',"
    ):
        CsvLog(tmp_path / "log.csv", ["step"])
    with pytest.raises(ValueError, match=r"row: expected the columns .* got \['step'\]"):
        CsvLog(tmp_path / "log.csv", COLUMNS).write({"step": 3})
