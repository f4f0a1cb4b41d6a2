"""Beam search in a table against the list of all texts, and against a greedy loop."""

from itertools import pairwise, product

import pytest
import torch

from llm_course.decoding.table_search import table_beam_search
from llm_course.shapes import ShapeError


def random_table(seed: int, size: int) -> torch.Tensor:
    noise = torch.randn(size, size, generator=torch.Generator().manual_seed(seed))
    return (2 * noise).log_softmax(-1)


@pytest.mark.parametrize("alpha", [0.0, 0.6, 1.0, 2.0])
@pytest.mark.parametrize("seed", range(4))
def test_a_beam_that_holds_everything_finds_the_best_of_all_texts(seed, alpha):
    table, end = random_table(seed, 4), seed
    texts = [t for n in range(1, 5) for t in product(range(4), repeat=n)]
    texts = [t for t in texts if end not in t[:-1] and (t[-1] == end or len(t) == 4)]
    scores = {
        t: sum(table[a, b].item() for a, b in pairwise((1, *t))) / len(t) ** alpha for t in texts
    }
    tokens, score = table_beam_search(table, 1, end, 400, alpha, 4)
    assert tuple(tokens) == max(scores, key=scores.get)
    assert score == pytest.approx(max(scores.values()), abs=1e-5)


@pytest.mark.parametrize("seed", range(8))
def test_a_beam_of_one_is_greedy(seed):
    table, greedy = random_table(seed, 6), [2]
    while len(greedy) < 8 and greedy[1:][-1:] != [0]:
        greedy.append(table[greedy[-1]].argmax().item())
    assert table_beam_search(table, 2, 0, 1, 1.0, 7)[0] == greedy[1:]


def test_bad_input_is_refused():
    with pytest.raises(ShapeError):
        table_beam_search(torch.zeros(2, 3), 0, 1, 2, 1.0, 4)
    with pytest.raises(ValueError, match="width"):
        table_beam_search(random_table(0, 3), 0, 1, 0, 1.0, 4)
