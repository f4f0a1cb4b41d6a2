"""The classifier: gradients against torch, the optimum against L-BFGS, and held-out quality."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llm_course.data.cleaning.bag_of_words import bags_of_words
from llm_course.data.cleaning.classifier import (
    classifier_filter,
    loss_and_gradients,
    train_classifier,
)
from llm_course.data.cleaning.measures import auc
from llm_course.data.cleaning.spoiled import boilerplate, shuffled
from llm_course.data.corpora import load
from llm_course.data.documents import Document
from llm_course.data.stages import Kept, Removed

N_BUCKETS, DECAY = 40, 0.01
TEXTS = ["a b c", "b c d", "", "x y", "y z z z", "a a"]
LABELS = ["abc", "abc", "none", "xyz", "xyz", "abc"]
CLASSES = ["abc", "none", "xyz"]


def dense(texts, **options):
    """The bags as a plain matrix of torch."""
    bags, x = (
        bags_of_words(texts, N_BUCKETS, **options),
        torch.zeros(len(texts), N_BUCKETS).double(),
    )
    for i in range(len(texts)):
        row = bags.rows([i])
        x[i, row.buckets] = torch.from_numpy(row.weights)
    return bags, x


def torch_loss(x, y, weight, bias):
    scores = x @ weight + bias
    return torch.nn.functional.cross_entropy(scores, y) + DECAY / 2 * (weight**2).sum()


def test_loss_and_gradients_equal_torchs():
    bags, x = dense(TEXTS)
    y = np.array([CLASSES.index(label) for label in LABELS])
    rng = np.random.default_rng(0)
    weight, bias = rng.normal(size=(N_BUCKETS, 3)), rng.normal(size=3)
    w, b = torch.tensor(weight, requires_grad=True), torch.tensor(bias, requires_grad=True)
    expected = torch_loss(x, torch.from_numpy(y), w, b)
    expected.backward()
    loss, by_weight, by_bias = loss_and_gradients(bags, y, weight, bias, DECAY)
    assert loss == pytest.approx(expected.item(), abs=1e-12)
    np.testing.assert_allclose(by_weight, w.grad.numpy(), atol=1e-12)
    np.testing.assert_allclose(by_bias, b.grad.numpy(), atol=1e-12)


def test_training_finds_the_optimum_of_a_convex_loss():
    _, x = dense(TEXTS)
    y = torch.tensor([CLASSES.index(label) for label in LABELS])
    w = torch.zeros(N_BUCKETS, 3, dtype=torch.float64, requires_grad=True)
    b = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    solver = torch.optim.LBFGS([w, b], max_iter=500, tolerance_grad=1e-12)

    def closure():
        solver.zero_grad()
        loss = torch_loss(x, y, w, b)
        loss.backward()
        return loss

    solver.step(closure)
    model = train_classifier(TEXTS, LABELS, n_buckets=N_BUCKETS, epochs=800, decay=DECAY)
    assert list(model.classes) == CLASSES
    expected = torch.softmax(x @ w + b, dim=1).detach().numpy()
    np.testing.assert_allclose(model.probabilities(TEXTS), expected, atol=2e-3)


@pytest.fixture(scope="module")
def summaries():
    return [document.text for document in load("wiki_en")[::10]][:1000]


def quality(summaries, spoil, **options):
    """The AUC on held-out summaries, spoiled by ``spoil(number, text, split)``."""
    known, new = summaries[:700], summaries[700:]
    bad = [spoil(i, text, "train") for i, text in enumerate(known)]
    labels = ["good"] * len(known) + ["bad"] * len(bad)
    model = train_classifier(known + bad, labels, n_buckets=1 << 14, epochs=3, **options)
    spoiled = [spoil(i, text, "held_out") for i, text in enumerate(new)]
    return auc(model.probabilities(new)[:, 1], model.probabilities(spoiled)[:, 1])


def test_boilerplate_from_other_templates_is_told_from_text(summaries):
    assert quality(summaries, lambda i, text, split: boilerplate(i, split=split)) > 0.97


def test_shuffled_text_needs_pairs_of_words(summaries):
    def spoil(i, text, split):
        return shuffled(text, (split, i))

    assert quality(summaries, spoil, pairs=True) > 0.95
    assert quality(summaries, spoil, pairs=False) == pytest.approx(0.5, abs=1e-9)


def test_topics_are_told_far_better_than_by_the_most_frequent():
    documents = load("wiki_es")
    order = np.random.default_rng(0).permutation(len(documents))
    known, new = ([documents[i] for i in part] for part in (order[:1500], order[1500:2000]))
    model = train_classifier(
        [document.text for document in known],
        [document.topic for document in known],
        n_buckets=1 << 14,
        epochs=3,
    )
    guessed = model.classify([document.text for document in new])
    right = sum(g == document.topic for g, document in zip(guessed, new, strict=True))
    topics = [document.topic for document in new]
    most_frequent = max(map(topics.count, set(topics)))
    assert right / len(new) > 0.75 > 2 * most_frequent / len(new)


@given(st.lists(st.text(st.characters()), max_size=4))
def test_any_text_gets_probabilities_and_an_outcome_in_order(texts):
    model = train_classifier(["a b", "c d"], ["good", "bad"], n_buckets=64, epochs=2)
    found = [Document(id=f"demo/{i}", text=text, corpus="demo") for i, text in enumerate(texts)]
    p = model.probabilities(texts)
    assert p.shape == (len(texts), 2) and np.allclose(p.sum(axis=1), 1)
    outcomes = list(classifier_filter(model, ["good"])(found))
    assert [outcome.document for outcome in outcomes] == found
    for row, outcome in zip(p, outcomes, strict=True):
        assert isinstance(outcome, Kept if row[1] >= 0.5 else Removed)


def test_a_seed_gives_the_same_model():
    first, second = (train_classifier(TEXTS, LABELS, n_buckets=N_BUCKETS) for _ in range(2))
    assert np.array_equal(first.weight, second.weight)


def test_wrong_input():
    with pytest.raises(ValueError, match="expected one label a text and two classes or more"):
        train_classifier(["a"], ["good", "bad"])
    with pytest.raises(ValueError, match="expected one label a text and two classes or more"):
        train_classifier(["a", "b"], ["good", "good"])
    model = train_classifier(["a b", "c d"], ["good", "bad"], n_buckets=64)
    with pytest.raises(ValueError, match=r"expected some of \('bad', 'good'\), got \['fine'\]"):
        classifier_filter(model, ["fine"])
