import pytest

from llm_course.parallel.layout import Layout


def test_ranks_multiply():
    assert Layout(data=2, pipeline=3, tensor=4).n_ranks == 24
    assert Layout().n_ranks == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data": 0}, "data: expected at least 1, got 0"),
        ({"n_microbatches": 0}, "n_microbatches: expected at least 1"),
        ({"bucket_bytes": 0}, "bucket_bytes: expected at least 1"),
        ({"zero": 4}, "zero: expected 0, 1, 2 or 3, got 4"),
        ({"schedule": "zigzag"}, "schedule: expected one of naive, gpipe, 1f1b, got 'zigzag'"),
    ],
)
def test_errors(changes, message):
    with pytest.raises(ValueError, match=message):
        Layout(**changes)
