"""Each of the four inputs is checked against the others."""

import pytest
import torch

from llm_course.model.attention_inputs import check_attention_inputs
from llm_course.shapes import ShapeError

QUERY, KEY = torch.zeros(2, 6, 3, 4), torch.zeros(2, 2, 5, 4)
VISIBLE = torch.ones(3, 5, dtype=torch.bool)


def test_sizes_are_given_back():
    sizes = check_attention_inputs(QUERY, KEY, VISIBLE, torch.zeros(1, 6, 3, 5))
    assert sizes == {"b": 2, "h": 6, "q": 3, "d": 4, "g": 2, "k": 5}


@pytest.mark.parametrize(
    ("inputs", "kind", "message"),
    [
        ((QUERY[0], KEY), ShapeError, "query: expected 4 axes"),
        ((QUERY, KEY[:1]), ShapeError, "key: expected b=2, got 1"),
        ((QUERY, KEY, VISIBLE.T), ShapeError, "mask: expected axes"),
        ((QUERY, KEY, VISIBLE.float()), TypeError, "mask: expected bool"),
        ((QUERY, KEY, None, torch.zeros(1, 2, 3, 5)), ShapeError, "bias: expected axes"),
        ((QUERY, KEY, None, VISIBLE[None, None]), TypeError, "bias: expected floats"),
    ],
)
def test_what_does_not_fit_is_refused(inputs, kind, message):
    with pytest.raises(kind, match=message):
        check_attention_inputs(*inputs)
