"""Plausible wrong answers to ex-06-5, greedy decoding."""

import torch

from llm_course.decoding.greedy import assemble_pair


def _write(
    model_settings, weights, source, start_id, end_id, max_tokens, *, place=-1, fill=True,
    stop=True, choose=torch.Tensor.argmax, forget=False,
):  # fmt: skip
    model = assemble_pair(model_settings, weights)
    memory = model.encode(source)
    target = torch.full((len(source), 1), start_id)
    finished = torch.zeros(len(source), 1, dtype=torch.bool)
    for _ in range(max_tokens):
        read = target[:, -1:] if forget else target
        token = choose(model.decoder(read, memory=memory)[:, place], dim=-1, keepdim=True)
        if fill:
            token = token.masked_fill(finished, end_id)
        target = torch.cat([target, token], dim=1)
        finished = finished | (token == end_id)
        if stop and finished.all():
            break
    return target


def start_token_kept(model_settings, weights, source, start_id, end_id, max_tokens):
    """The start token is part of the result."""
    return _write(model_settings, weights, source, start_id, end_id, max_tokens)


def goes_on_after_the_end(model_settings, weights, source, start_id, end_id, max_tokens):
    """A finished target goes on writing until the whole batch is finished."""
    written = _write(model_settings, weights, source, start_id, end_id, max_tokens, fill=False)
    return written[:, 1:]


def never_stops(model_settings, weights, source, start_id, end_id, max_tokens):
    """All max_tokens are written, although every target is finished."""
    written = _write(model_settings, weights, source, start_id, end_id, max_tokens, stop=False)
    return written[:, 1:]


def reads_the_first_position(model_settings, weights, source, start_id, end_id, max_tokens):
    """The logits at the first position are used at every step: the same token again and again."""
    written = _write(model_settings, weights, source, start_id, end_id, max_tokens, place=0)
    return written[:, 1:]


def least_likely(model_settings, weights, source, start_id, end_id, max_tokens):
    """argmin for argmax."""
    choose = torch.Tensor.argmin
    written = _write(model_settings, weights, source, start_id, end_id, max_tokens, choose=choose)
    return written[:, 1:]


def forgets_what_it_wrote(model_settings, weights, source, start_id, end_id, max_tokens):
    """The decoder is given the last token only, without the ones before."""
    written = _write(model_settings, weights, source, start_id, end_id, max_tokens, forget=True)
    return written[:, 1:]


def one_token_too_few(model_settings, weights, source, start_id, end_id, max_tokens):
    """The start token is counted as written."""
    if max_tokens == 1:
        return torch.full((len(source), 0), end_id)
    written = _write(model_settings, weights, source, start_id, end_id, max_tokens - 1)
    return written[:, 1:]


def stops_at_the_first_end(model_settings, weights, source, start_id, end_id, max_tokens):
    """The loop ends as soon as any target is finished."""
    written = _write(model_settings, weights, source, start_id, end_id, max_tokens)[:, 1:]
    ended = (written == end_id).any(dim=0)
    return written[:, : int(ended.int().argmax()) + 1] if ended.any() else written


def end_token_cut_off(model_settings, weights, source, start_id, end_id, max_tokens):
    """The last column is dropped when everything ended, although the end token belongs to it."""
    written = _write(model_settings, weights, source, start_id, end_id, max_tokens)[:, 1:]
    return written[:, :-1] if (written[:, -1] == end_id).all() else written
