"""T5's buckets at every distance, and the table that they look up."""

import pytest
import torch
from transformers import T5Config
from transformers.models.t5.modeling_t5 import T5Attention

from llm_course.model.relative_positions import RelativeBias, relative_buckets


@pytest.mark.parametrize("bidirectional", [True, False])
@pytest.mark.parametrize(("n_buckets", "max_distance"), [(32, 128), (16, 40), (8, 20), (64, 1000)])
def test_every_distance_has_t5s_bucket(n_buckets, max_distance, bidirectional):
    reach = 2 * max_distance
    distances = torch.arange(-reach, reach + 1)
    ours = relative_buckets(
        torch.zeros(1, dtype=torch.long), distances,
        n_buckets=n_buckets, max_distance=max_distance, bidirectional=bidirectional,
    )  # fmt: skip
    theirs = T5Attention._relative_position_bucket(
        distances, bidirectional=bidirectional, num_buckets=n_buckets, max_distance=max_distance
    )
    assert torch.equal(ours[0], theirs)
    assert set(ours[0].tolist()) == set(range(n_buckets)) - ({n_buckets // 2} & _unused(ours))


def _unused(buckets):
    """With two directions, distance 0 belongs to the lower half: the upper half's 0 is free."""
    return set(range(int(buckets.max()) + 1)) - set(buckets.flatten().tolist())


@pytest.mark.parametrize("bidirectional", [True, False])
def test_the_bias_is_t5s(bidirectional):
    config = T5Config(
        d_model=8, d_kv=4, num_heads=3, relative_attention_num_buckets=16,
        relative_attention_max_distance=40, is_decoder=not bidirectional,
    )  # fmt: skip
    theirs = T5Attention(config, has_relative_attention_bias=True, layer_idx=0)
    ours = RelativeBias(3, 16, 40, bidirectional=bidirectional)
    ours.table.load_state_dict(theirs.relative_attention_bias.state_dict())
    here = torch.arange(70)
    assert torch.equal(ours(here, here), theirs.compute_bias(70, 70)[0])


def test_only_distances_matter():
    here, far = torch.arange(20), torch.arange(5000, 5020)
    for bidirectional in (True, False):
        near = relative_buckets(here, here, bidirectional=bidirectional)
        assert torch.equal(near, relative_buckets(far, far, bidirectional=bidirectional))


def test_the_future_is_one_bucket_under_a_causal_mask():
    buckets = relative_buckets(torch.tensor([3]), torch.arange(3, 400), bidirectional=False)
    assert set(buckets.flatten().tolist()) == {0}


@pytest.mark.parametrize(("n_buckets", "distance"), [(2, 128), (0, 128), (32, 8), (32, 0)])
def test_impossible_buckets_are_refused(n_buckets, distance):
    with pytest.raises(ValueError, match="n_buckets, max_distance: expected at least 4 buckets"):
        relative_buckets(
            torch.arange(2), torch.arange(2),
            n_buckets=n_buckets, max_distance=distance, bidirectional=True,
        )  # fmt: skip
