"""The classifier filter: logistic regression on bags of words, from scratch.

P(class | x) = softmax(W x + b). The loss is the mean cross-entropy plus λ/2 · ‖W‖²; its gradient
by the scores of a text is P − y, so that of W is the mean of (P − y) xᵀ plus λW. For quality the
classes are good and bad; for topics there are as many as there are topics.

Source:
    Bishop 2006, *Pattern Recognition and Machine Learning*, equation 4.109 (the gradient); the
    step is AdaGrad's: Duchi, Hazan and Singer 2011. As a quality filter: Brown et al. 2020
    (arXiv:2005.14165), appendix A.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from llm_course.data.cleaning.bag_of_words import Bags, bags_of_words
from llm_course.data.documents import Document
from llm_course.data.stages import Kept, Outcome, Removed, Stage, each

Floats = NDArray[np.float64]
N_BUCKETS = 1 << 16


def softmax(scores: Floats) -> Floats:
    """Probabilities, each row adding up to 1."""
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def class_scores(bags: Bags, weight: Floats, bias: Floats) -> Floats:
    """W x + b of each text.

    Shapes:
        weight: (buckets, classes); bias: (classes,); returns (texts, classes).
    """
    scores = np.zeros((len(bags), len(bias)))
    row = np.repeat(np.arange(len(bags)), np.diff(bags.starts))
    np.add.at(scores, row, bags.weights[:, None] * weight[bags.buckets])
    return scores + bias


def loss_and_gradients(
    bags: Bags, labels: NDArray[np.int64], weight: Floats, bias: Floats, decay: float
) -> tuple[float, Floats, Floats]:
    """The loss of a batch and its gradients by the weight and the bias.

    Shapes:
        labels: (texts,); weight: (buckets, classes); bias: (classes,).
    """
    p = softmax(class_scores(bags, weight, bias))
    texts = np.arange(len(bags))
    loss = -np.log(p[texts, labels]).mean() + decay / 2 * (weight**2).sum()
    p[texts, labels] -= 1  # ∂loss/∂scores = P − y
    error = p / len(bags)
    row = np.repeat(texts, np.diff(bags.starts))
    gradient = decay * weight
    np.add.at(gradient, bags.buckets, bags.weights[:, None] * error[row])
    return float(loss), gradient, error.sum(axis=0)


@dataclass(frozen=True)
class TextClassifier:
    """A trained classifier.

    Shapes:
        weight: (buckets, classes); bias: (classes,).
    """

    classes: tuple[str, ...]
    weight: Floats
    bias: Floats
    pairs: bool = True

    def probabilities(self, texts: Sequence[str]) -> Floats:
        """P(class | text).

        Shapes:
            returns (len(texts), classes).
        """
        bags = bags_of_words(texts, len(self.weight), pairs=self.pairs)
        return softmax(class_scores(bags, self.weight, self.bias))

    def classify(self, texts: Sequence[str]) -> list[str]:
        """The most probable class of each text."""
        return [self.classes[i] for i in self.probabilities(texts).argmax(axis=1)]


def train_classifier(
    texts: Sequence[str],
    labels: Sequence[str],
    *,
    n_buckets: int = N_BUCKETS,
    pairs: bool = True,
    epochs: int = 5,
    batch: int = 64,
    rate: float = 0.5,
    decay: float = 1e-6,
    seed: int = 0,
) -> TextClassifier:
    """Minimise the loss by AdaGrad over random batches.

    Raises:
        ValueError: texts and labels do not match, or there are fewer than two classes.

    >>> model = train_classifier(["a good text", "click here now"] * 20, ["good", "bad"] * 20)
    >>> model.classes, model.classify(["a text", "click now"])
    (('bad', 'good'), ['good', 'bad'])
    """
    classes = tuple(sorted(set(labels)))
    if len(texts) != len(labels) or len(classes) < 2:
        raise ValueError(
            f"texts, labels: expected one label a text and two classes or more, got {len(texts)} "
            f"texts, {len(labels)} labels, classes {classes}."
        )
    number = np.array([classes.index(label) for label in labels])
    bags = bags_of_words(texts, n_buckets, pairs=pairs)
    parameters = [np.zeros((n_buckets, len(classes))), np.zeros(len(classes))]
    squares = [np.full_like(parameter, 1e-8) for parameter in parameters]
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        order = rng.permutation(len(texts))
        for start in range(0, len(order), batch):
            chosen = order[start : start + batch]
            _, *gradients = loss_and_gradients(
                bags.rows(chosen), number[chosen], *parameters, decay
            )
            for parameter, square, gradient in zip(parameters, squares, gradients, strict=True):
                square += gradient**2
                parameter -= rate * gradient / np.sqrt(square)
    return TextClassifier(classes, *parameters, pairs)


def classifier_filter(
    classifier: TextClassifier, keep: Collection[str], least: float = 0.5
) -> Stage:
    """The stage that removes a document that is not, with this probability, of these classes.

    Raises:
        ValueError: the classifier does not know a class.
    """
    missing = sorted(set(keep) - set(classifier.classes))
    if missing:
        raise ValueError(f"keep: expected some of {classifier.classes}, got {missing}.")
    wanted = [classifier.classes.index(name) for name in keep]

    def judge(document: Document) -> Outcome:
        (p,) = classifier.probabilities([document.text])
        if p[wanted].sum() >= least:
            return Kept(document)
        name = classifier.classes[p.argmax()]
        return Removed(document, f"class {name}", f"{name} {p.max():.2f}")

    return each(judge)
