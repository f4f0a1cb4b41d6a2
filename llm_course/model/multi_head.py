"""Several heads at once: the projections, the cut into heads, and what puts them together.

``Attention`` is the module that holds the matrices; these functions are its mathematics, with the
matrices given. Self-attention is cross-attention of a text with itself.
"""

from torch import Tensor

from llm_course.model.attention import scaled_dot_product_attention
from llm_course.model.heads import check_heads, merge_heads, split_heads
from llm_course.shapes import check_shape


def cross_attention(
    x: Tensor,
    memory: Tensor,
    w_query: Tensor,
    w_key: Tensor,
    w_value: Tensor,
    w_output: Tensor,
    n_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """Attention of one text to another: ``x`` asks, ``memory`` answers.

    ``Concat(head_1, ..., head_h) W_O`` with ``head_i = attention(x W_Qi, m W_Ki, m W_Vi)``. The
    matrices multiply from the right, ``x @ w``; PyTorch's ``nn.Linear`` keeps the transpose.

    Args:
        x: what asks, such as a decoder's stream.
        memory: what answers, such as an encoder's output.
        w_query: projection to the queries; the columns of head 0 come first.
        w_key: projection to the keys.
        w_value: projection to the values.
        w_output: projection of the merged heads.
        n_heads: number of heads; it divides ``d_model``.
        mask: bool, True = may attend; every position is visible if not given.

    Shapes:
        x ``b q d``; memory ``b k d``; each matrix ``d d``; mask broadcasts to ``b h q k``; returns
        ``b q d``.

    Raises:
        ShapeError: the sizes do not fit.
        TypeError: the mask is not bool.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, sections 3.2.2 and 3.2.3.

    >>> import torch
    >>> x, memory = torch.tensor([[[9.0, 9.0]]]), torch.tensor([[[2.0, 4.0]]])
    >>> cross_attention(x, memory, *[torch.eye(2)] * 3, 3 * torch.eye(2), n_heads=2).tolist()
    [[[6.0, 12.0]]]
    """
    sizes = check_shape(x, "b q d", "x")
    check_shape(memory, "b k d", "memory", b=sizes["b"], d=sizes["d"])
    check_heads(sizes["d"], n_heads)
    matrices = {"w_query": w_query, "w_key": w_key, "w_value": w_value, "w_output": w_output}
    for name, matrix in matrices.items():
        check_shape(matrix, "d_in d_out", name, d_in=sizes["d"], d_out=sizes["d"])
    query = split_heads(x @ w_query, n_heads)
    key, value = split_heads(memory @ w_key, n_heads), split_heads(memory @ w_value, n_heads)
    return merge_heads(scaled_dot_product_attention(query, key, value, mask)) @ w_output


def multi_head_attention(
    x: Tensor,
    w_query: Tensor,
    w_key: Tensor,
    w_value: Tensor,
    w_output: Tensor,
    n_heads: int,
    mask: Tensor | None = None,
) -> Tensor:
    """Self-attention by several heads, each on its own slice of the projected features.

    ``Concat(head_1, ..., head_h) W_O`` with ``head_i = attention(x W_Qi, x W_Ki, x W_Vi)``. The
    matrices multiply from the right, ``x @ w``; PyTorch's ``nn.Linear`` keeps the transpose.

    Args:
        x: the input of the layer.
        w_query: projection to the queries; the columns of head 0 come first.
        w_key: projection to the keys.
        w_value: projection to the values.
        w_output: projection of the merged heads.
        n_heads: number of heads; it divides ``d_model``.
        mask: bool, True = may attend; every position is visible if not given.

    Shapes:
        x ``b t d``; each matrix ``d d``; mask broadcasts to ``b h t t``; returns ``b t d``.

    Raises:
        ShapeError: the sizes do not fit.
        TypeError: the mask is not bool.

    Source:
        Vaswani et al. 2017, arXiv:1706.03762, section 3.2.2.

    >>> import torch
    >>> x = torch.tensor([[[2.0, 4.0]]])  # one token attends to itself, whatever its query
    >>> multi_head_attention(x, *[torch.eye(2)] * 3, 3 * torch.eye(2), n_heads=2).tolist()
    [[[6.0, 12.0]]]
    """
    check_shape(x, "b t d", "x")
    return cross_attention(x, x, w_query, w_key, w_value, w_output, n_heads, mask)
