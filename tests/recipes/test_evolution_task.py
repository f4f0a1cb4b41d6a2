"""The task: no document is in two parts, counting is Bayes' rule, and reading first helps."""

import copy
import math
from dataclasses import replace

import pytest
import torch

from llm_course.recipes import evolution_task as task
from llm_course.recipes.evolution_task import KINDS, MASK, PAD, MaskedLM


@pytest.fixture(scope="module")
def found():
    return task.pieces(n_unlabelled=600, n_test=40)


def share(kinds, found) -> float:
    truth = [kind for _, kind in found.test]
    return sum(a == b for a, b in zip(kinds, truth, strict=True)) / len(truth)


def test_pieces_are_of_one_part_only_and_have_seven_words(found):
    test, labelled = ({text for text, _ in part} for part in (found.test, found.labelled))
    assert not (test & labelled) and not (set(found.unlabelled) & (test | labelled))
    assert len(found.unlabelled) == 600
    for kind in range(len(KINDS)):
        assert sum(own == kind for _, own in found.test) == 40
        assert sum(own == kind for _, own in found.labelled) == 80
    for text in [*test, *found.unlabelled[:50]]:
        assert len(text.split()) == 7 and text == text.lower()
    few = found.few(3, seed=1)
    assert [kind for _, kind in few] == [0, 0, 0, 1, 1, 1] and few == found.few(3, seed=1)
    assert few != found.few(3, seed=2)


def test_counting_is_bayes_rule(found):
    few, k = found.few(4, seed=0), 0.5
    encode, vocab = found.tokenizer.encode, len(found.tokenizer) + 1  # the end is one more
    expected = []
    for text, _ in found.test:
        scores = []
        for kind in range(len(KINDS)):
            seen = [token for piece, own in few if own == kind for token in encode(piece)]
            n = len(seen) + 4  # four ends
            scores.append(
                math.prod((seen.count(token) + k) / (n + k * vocab) for token in encode(text))
            )
        expected.append(scores.index(max(scores)))
    assert task.counted_kinds(few, found, k) == expected


def test_vectors_tell_kinds_apart_that_differ_in_their_tokens(found):
    vocab = len(found.tokenizer)
    few = found.few(20, seed=0)
    kinds = task.vector_kinds(torch.eye(vocab), few, found)
    assert share(kinds, found) > 0.6


def test_vectors_are_learned_from_the_unlabelled_pieces(found):
    vectors = task.word_vectors(found, seed=0, d_model=8, n_epochs=1)
    assert vectors.shape == (len(found.tokenizer), 8) and not vectors.requires_grad
    assert torch.equal(vectors, task.word_vectors(found, seed=0, d_model=8, n_epochs=1))


def test_padding_changes_nothing():
    model = MaskedLM(20, seed=0, d_model=16).double()
    tokens = torch.tensor([[5, 6, 7]])
    padded = torch.tensor([[5, 6, 7, PAD, PAD]])
    torch.testing.assert_close(model.kinds(tokens), model.kinds(padded), atol=1e-10, rtol=0)
    torch.testing.assert_close(model(tokens), model(padded)[:, :3], atol=1e-10, rtol=0)


def test_filling_gaps_helps_a_task_with_few_labels(found):
    """Many unlabelled pieces of two kinds with their own words; two labels of each."""
    generator = torch.Generator().manual_seed(0)
    kinds = torch.randint(2, (2000,), generator=generator)
    tokens = torch.randint(2, 32, (2000, 4), generator=generator) + 30 * kinds[:, None]
    model = MaskedLM(62, seed=0, d_model=32)
    losses = task.pretrain(model, tokens, n_epochs=20, seed=0)
    assert sum(losses[-10:]) < 0.9 * sum(losses[:10])
    few = torch.cat([torch.where(kinds == kind)[0][:2] for kind in range(2)])
    rest = torch.where(~torch.isin(torch.arange(2000), few))[0]

    def right(start: MaskedLM) -> float:
        tuned = task.fine_tune(copy.deepcopy(start), tokens[few], kinds[few])
        return (tuned.kinds(tokens[rest]).argmax(-1) == kinds[rest]).float().mean().item()

    assert right(model) > 0.9
    assert right(MaskedLM(62, seed=0, d_model=32)) < 0.8


def test_ids_are_cut_and_filled(found):
    longer = replace(found)
    ids = longer.ids(["a", "one two three four five six seven " * 9])
    assert ids.shape == (2, task.LONGEST)
    assert (ids[0, 1:] == PAD).all() and (ids[1] != PAD).all()
    assert MASK not in ids
