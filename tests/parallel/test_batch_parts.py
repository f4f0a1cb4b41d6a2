import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llm_course.parallel.batch_parts import rows_of_rank, share_of_targets
from llm_course.training.loss import IGNORE


@given(n_ranks=st.integers(1, 4), m=st.integers(1, 3), rows=st.integers(1, 3))
def test_every_row_is_computed_once_and_in_order(n_ranks, m, rows):
    tokens = torch.arange(n_ranks * m * rows).unsqueeze(1)
    parts = [
        part for r in range(n_ranks) for part in rows_of_rank((tokens, -tokens), r, n_ranks, m)
    ]
    assert len(parts) == n_ranks * m
    assert torch.equal(torch.cat([part[0] for part in parts]), tokens)
    assert torch.equal(torch.cat([part[1] for part in parts]), -tokens)


def test_shares_add_up_to_one():
    targets = torch.tensor([[1, 2, IGNORE], [IGNORE, IGNORE, 3], [IGNORE] * 3, [4, 5, 6]])
    shares = [share_of_targets(row, 6) for row in targets]
    assert shares == [2 / 6, 1 / 6, 0, 3 / 6] and sum(shares) == 1


def test_errors():
    batch = torch.zeros(6, 2), torch.zeros(6, 2)
    with pytest.raises(ValueError, match=r"multiple of 4 rows \(2 ranks times 2 micro-batches\)"):
        rows_of_rank(batch, 0, 2, 2)
    with pytest.raises(ValueError, match="got 0"):
        rows_of_rank((torch.zeros(0, 2), torch.zeros(0, 2)), 0, 1)
    with pytest.raises(ValueError, match="targets: expected one that counts"):
        share_of_targets(torch.tensor([IGNORE]), 0)
