"""Beam search where the model is a table: the log-probability of each token after each other.

The smallest language model there is. It has no cache and no prompt, so that the search can be
followed by hand and compared with all texts.
"""

from torch import Tensor

from llm_course.decoding.beam import BeamConfig, Search
from llm_course.shapes import check_shape


def table_beam_search(
    log_p: Tensor, start: int, end: int, width: int, alpha: float, max_length: int
) -> tuple[list[int], float]:
    """The best text in a table, and its score.

    Args:
        log_p: row ``a`` has the log-probabilities of the tokens after token ``a``.
        start: the token before the text.
        end: the token that ends a text.
        width: how many beginnings are kept; 1 is greedy search.
        alpha: the length penalty, 0 or more.
        max_length: the longest text, in tokens; it counts as finished.

    Shapes:
        log_p ``v v``; returns the tokens without ``start``.

    Raises:
        ShapeError: the table is not square.
        ValueError: a number is out of its range.

    Source:
        Sutskever et al. 2014, arXiv:1409.3215, section 3.2; the score as in ``length_normalised``.

    >>> import torch
    >>> log_p = torch.tensor([[1.0, 0, 0], [0.2, 0.2, 0.6], [0.9, 0.1, 0]]).log()
    >>> tokens, score = table_beam_search(log_p, start=1, end=0, width=2, alpha=1.0, max_length=3)
    >>> tokens, round(score, 4)  # log(0.6 * 0.9) / 2
    ([2, 0], -0.3081)
    """
    check_shape(log_p, "rows v", "log_p", rows=log_p.shape[-1])
    config = BeamConfig(
        width=width, length_penalty=alpha, early_stopping="never", max_new_tokens=max_length,
        end_ids=(end,),
    )  # fmt: skip
    search, last = Search(config, max_length), [start]
    while not search.done:
        search.advance(log_p[last])
        last = [text[-1] for text in search.texts]
    best = search.finished[0]
    return best.tokens, best.score
