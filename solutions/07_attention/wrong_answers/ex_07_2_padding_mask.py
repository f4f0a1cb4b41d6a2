"""Plausible wrong answers to ex-07-2, the padding mask."""

import torch
from einops import rearrange


def upside_down(tokens, pad_id):
    """True marks the padding, where the course's masks say True = may attend."""
    return rearrange(tokens == pad_id, "b k -> b 1 1 k")


def rows_instead_of_columns(tokens, pad_id):
    """The padding query is hidden instead of the padding key: words still attend to padding."""
    return rearrange(tokens != pad_id, "b q -> b 1 q 1")


def no_axes_for_heads_and_queries(tokens, pad_id):
    """The mask is (b, t), which broadcasts against (query, key) and not against (batch, key)."""
    return tokens != pad_id


def numbers_instead_of_booleans(tokens, pad_id):
    """The mask is 0 and 1 as floats; PyTorch adds a float mask to the scores and hides nothing."""
    return rearrange((tokens != pad_id).float(), "b k -> b 1 1 k")


def padding_is_always_zero(tokens, pad_id):
    """The pad id is taken to be 0, whatever the tokenizer says."""
    return rearrange(tokens != 0, "b k -> b 1 1 k")


def padding_only_at_the_end(tokens, pad_id):
    """Only the length is kept, so padding on the left is taken for words."""
    lengths = (tokens != pad_id).sum(dim=1, keepdim=True)
    return rearrange(torch.arange(tokens.shape[1]) < lengths, "b k -> b 1 1 k")
