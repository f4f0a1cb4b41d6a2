"""Which targets count, and what is refused."""

import pytest
import torch

from llm_course.shapes import ShapeError
from llm_course.training.targets import IGNORE, check_rows, counted_targets


def test_ignored_targets_become_zero_and_do_not_count():
    targets, counts = counted_targets(torch.tensor([3, IGNORE, 0]), 4, IGNORE)
    assert targets.tolist() == [3, 0, 0]
    assert counts.tolist() == [True, False, True]


def test_the_largest_id_fits_and_the_next_does_not():
    counted_targets(torch.tensor([3]), 4, IGNORE)
    with pytest.raises(ValueError, match=r"expected 0 to vocab_size - 1 = 3 or .* got 4 to 4"):
        counted_targets(torch.tensor([4]), 4, IGNORE)


def test_rows_and_targets_are_laid_out_alike():
    rows, targets = check_rows(
        torch.arange(12.0).reshape(2, 3, 2), "x", torch.arange(6).int().reshape(2, 3)
    )
    assert rows.tolist() == [[2.0 * i, 2.0 * i + 1] for i in range(6)]
    assert targets.tolist() == list(range(6)) and targets.dtype == torch.int64


def test_what_does_not_fit_is_refused():
    with pytest.raises(ShapeError, match=r"targets: expected one for each row of x \(2, 3, 2\)"):
        check_rows(torch.zeros(2, 3, 2), "x", torch.zeros(2, 2, dtype=torch.int64))
    with pytest.raises(TypeError, match="targets: expected int64 or int32 ids"):
        check_rows(torch.zeros(2, 3, 2), "x", torch.zeros(2, 3))
