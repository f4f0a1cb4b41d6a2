"""What attention accepts: queries and keys of one size, with a mask and a bias that fit both."""

from torch import Tensor

from llm_course.model.masks import check_mask
from llm_course.model.score_bias import check_bias
from llm_course.shapes import check_shape


def check_attention_inputs(
    query: Tensor, key: Tensor, mask: Tensor | None = None, bias: Tensor | None = None
) -> dict[str, int]:
    """The sizes ``b h q d`` and ``g k``, once everything is known to fit.

    Shapes:
        query ``b h q d``; key ``b g k d``; mask and bias broadcast to ``b h q k``.

    Raises:
        ShapeError: the sizes do not fit.
        TypeError: the mask is not bool, or the bias not float.

    >>> import torch
    >>> check_attention_inputs(torch.zeros(2, 4, 3, 8), torch.zeros(2, 1, 5, 8))
    {'b': 2, 'h': 4, 'q': 3, 'd': 8, 'g': 1, 'k': 5}
    """
    sizes = check_shape(query, "b h q d", "query")
    sizes |= check_shape(key, "b g k d", "key", b=sizes["b"], d=sizes["d"])
    whole = {axis: sizes[axis] for axis in "bhqk"}
    if mask is not None:
        check_mask(mask, **whole)
    if bias is not None:
        check_bias(bias, **whole)
    return sizes
