"""The Λ-shaped window: a token sees the first few tokens, the last few, and nothing between.

Heads put much of their weight on the first tokens, whatever these say (the *attention sink*). A
plain sliding window takes them away and the model breaks down; with a handful of them kept it reads
texts of any length. Distances stay small as well: what lies between is taken out, and the tokens
that are left are counted anew. So keys come here **before** rotation, and are rotated by their
place among those that a query sees.
"""

from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from llm_course.long_context.rope_scaling import check_rotary
from llm_course.model.attention import Attend, fused_attention
from llm_course.model.config_parts import RopePairing
from llm_course.model.decoder import Decoder
from llm_course.model.masks import causal_mask, sliding_window_mask
from llm_course.model.positions import rope_angles, turn
from llm_course.pretrained.pretrained_model import assemble


def lambda_mask(
    n_queries: int,
    n_sinks: int,
    window: int,
    n_keys: int | None = None,
    device: torch.device | str | None = None,
) -> Tensor:
    """The mask of the Λ: the first ``n_sinks`` tokens and the last ``window``, itself counted.

    Query ``i`` at position ``p = i + n_keys - n_queries`` may attend to key ``j <= p`` if
    ``j < n_sinks`` or ``p - j < window``.

    Args:
        n_queries: number of queries, the last of the positions.
        n_sinks: how many of the first tokens stay visible; 0 is a sliding window.
        window: how many of the last tokens are visible.
        n_keys: number of keys; as many as queries if not given.
        device: where the mask is made.

    Shapes:
        returns ``q k``, bool, True = may attend.

    Raises:
        ValueError: the window is empty, the sinks are negative or more than the window, or a size
            does not fit (as in ``causal_mask``).

    Source:
        Han et al. 2023, arXiv:2308.16137, section 4; Xiao et al. 2023, arXiv:2309.17453,
        section 3.2.

    >>> lambda_mask(5, n_sinks=1, window=2).int().tolist()[2:]
    [[1, 1, 1, 0, 0], [1, 0, 1, 1, 0], [1, 0, 0, 1, 1]]
    """
    check_lambda(n_sinks, window)
    near = sliding_window_mask(n_queries, window, n_keys, device)
    sink = torch.arange(near.shape[1], device=device) < n_sinks
    return causal_mask(n_queries, n_keys, device) & (near | sink)


def lambda_attention(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None = None,
    *,
    n_sinks: int,
    window: int,
    frequencies: Tensor,
    pairing: RopePairing,
    magnitude: float = 1.0,
    scale: float | None = None,
    attend: Attend = fused_attention,
) -> Tensor:
    """Attention under the Λ, which rotates the queries and keys itself.

    A near key at ``j`` is as far from a query at ``p`` as it is, ``p - j``. A sink at ``j`` is at
    most ``n_sinks + window - 1 - j`` away: the query is rotated to its place among the tokens that
    it sees, ``min(p, n_sinks + window - 1)``. So each query has two rotations, one for either kind
    of key. They are laid side by side, and a key is zero where the other kind has its features;
    the product over all features is then the one that is wanted.

    Args:
        query: not yet rotated; the last of the positions.
        key: not yet rotated; sinks first, then the near ones, without a gap in their count.
        value: what each key answers.
        mask: bool, True = may attend; it hides more than the Λ does.
        n_sinks: as in ``lambda_mask``.
        window: as there.
        frequencies: radians a position, for each pair.
        pairing: which features rotate together.
        magnitude: what cosines and sines are multiplied by.
        scale: what the products are multiplied by; ``1 / sqrt(d_head)`` if not given.
        attend: the kernel.

    Shapes:
        query ``b h q d``; key, value ``b g k d``; mask broadcasts to ``b h q k``; returns
        ``b h q d``.

    Raises:
        ValueError: as ``lambda_mask``.
        ShapeError: the sizes do not fit.
    """
    seen = lambda_mask(query.shape[2], n_sinks, window, key.shape[2], query.device)
    place = torch.arange(key.shape[2], device=query.device)
    here = place[key.shape[2] - query.shape[2] :]
    # fp64: far out in a stream an fp32 angle would be a fraction of a degree off.
    angles = partial(rope_angles, inverse_frequencies=frequencies.double(), magnitude=magnitude)
    to_near = turn(query, *angles(here), pairing)
    to_sink = turn(query, *angles(here.clamp(max=n_sinks + window - 1)), pairing)
    turned = turn(key, *angles(place), pairing)
    is_sink = (place < n_sinks).unsqueeze(-1)  # k 1
    both = torch.cat((turned.masked_fill(is_sink, 0), turned.masked_fill(~is_sink, 0)), dim=-1)
    return attend(
        torch.cat((to_near, to_sink), dim=-1),
        both,
        value,
        seen if mask is None else seen & mask,
        scale=query.shape[-1] ** -0.5 if scale is None else scale,
    )


def lambda_model(
    model: Decoder, n_sinks: int, window: int, attend: Attend = fused_attention
) -> Decoder:
    """A model that sees through the Λ: its own weights, not a copy of them, for inference.

    Its config says ``position="none"``, because not the model rotates but its attention. On a text
    of at most ``n_sinks + window`` tokens nothing is hidden, and it equals the model.

    Args:
        model: a decoder with RoPE.
        n_sinks: as in ``lambda_mask``.
        window: as there.
        attend: the kernel.

    Raises:
        ValueError: the model has no rotary positions or a window of its own, or a size is out of
            range.
    """
    config = check_rotary(model.config)
    check_lambda(n_sinks, window)
    if config.wiring.window is not None:
        raise ValueError(
            f"wiring.window: expected None under another window, got {config.wiring.window}."
        )
    device = model.output_weight.device
    seen = partial(
        lambda_attention,
        n_sinks=n_sinks,
        window=window,
        frequencies=model.frequencies(device),
        pairing=config.position_options.rope_pairing,
        magnitude=config.position_options.rope_magnitude,
        attend=attend,
    )
    bare = replace(config, position="none")
    return assemble(bare, model.state_dict(), "lambda_model", device, attend=seen)


def check_lambda(n_sinks: int, window: int) -> None:
    """Refuse a Λ without a window, and one whose sinks are more than that.

    >>> check_lambda(n_sinks=8, window=4)  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    ValueError: n_sinks: expected at most window=4, got 8. Fix: a few sinks are enough, ...
    """
    if window < 1:
        raise ValueError(f"window: expected 1 or more, got {window}.")
    if n_sinks < 0:
        raise ValueError(f"n_sinks: expected 0 or more, got {n_sinks}.")
    if n_sinks > window:
        raise ValueError(
            f"n_sinks: expected at most window={window}, got {n_sinks}. "
            "Fix: a few sinks are enough, 4 in the paper; lengthen the window."
        )
