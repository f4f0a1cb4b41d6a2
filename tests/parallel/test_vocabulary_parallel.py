import pytest
import torch
import torch.nn.functional as F
from torch import nn

from llm_course.parallel.group import Group
from llm_course.parallel.mesh import make_mesh
from llm_course.parallel.vocabulary_parallel import (
    VocabularyEmbedding,
    vocabulary_cross_entropy,
    vocabulary_embedding,
)
from llm_course.shapes import ShapeError
from llm_course.training.loss import IGNORE

V, D = 12, 5


def drawn(*shape, seed=0, factor=1.0):
    generator = torch.Generator().manual_seed(seed)
    return factor * torch.randn(*shape, generator=generator, dtype=torch.float64)


def some_targets():
    targets = torch.randint(V, (3, 4), generator=torch.Generator().manual_seed(1))
    targets[0, 1] = targets[2] = IGNORE
    return targets


def embed():
    group = make_mesh(tensor=2).tensor
    whole = nn.Embedding.from_pretrained(drawn(V, D), freeze=False)
    layer = VocabularyEmbedding(whole, group)
    rows = layer(some_targets().clamp(min=0))
    (rows * drawn(3, 4, D, seed=2)).sum().backward()
    return rows, layer.weight.grad


def test_embedding_equals_the_whole_table(two_ranks):
    table = drawn(V, D).requires_grad_()
    rows = F.embedding(some_targets().clamp(min=0), table)
    (rows * drawn(3, 4, D, seed=2)).sum().backward()
    results = two_ranks.run(embed)
    for found, _ in results:
        torch.testing.assert_close(found, rows.detach(), rtol=0, atol=0)
    torch.testing.assert_close(torch.cat([grad for _, grad in results]), table.grad)


def lose(factor, targets):
    group = make_mesh(tensor=2).tensor
    logits = drawn(3, 4, V, factor=factor).chunk(2, dim=-1)[group.rank].clone().requires_grad_()
    loss = vocabulary_cross_entropy(logits, targets, group)
    (2 * loss).backward()
    return loss, logits.grad, [(t.purpose, t.payload) for t in group.ledger.transfers]


@pytest.mark.parametrize("factor", [1.0, 1000.0])
def test_loss_and_gradient_are_pytorchs_even_for_huge_logits(two_ranks, factor):
    logits = drawn(3, 4, V, factor=factor).requires_grad_()
    expected = F.cross_entropy(logits.flatten(0, 1), some_targets().flatten())
    (2 * expected).backward()
    results = two_ranks.run(lose, factor, some_targets())
    for loss, _, transfers in results:
        torch.testing.assert_close(loss, expected.detach(), rtol=1e-12, atol=0)
        assert transfers == [
            (f"loss {what}", 3 * 4 * 8) for what in ("maximum", "sum", "target")
        ], "three numbers a position, and not the logits"
    found = torch.cat([grad for _, grad, _ in results], dim=-1)
    torch.testing.assert_close(found, logits.grad, rtol=0, atol=1e-13)


def test_without_a_target_the_loss_is_zero(two_ranks):
    for loss, grad, _ in two_ranks.run(lose, 1.0, torch.full((3, 4), IGNORE)):
        assert loss.item() == 0.0 and not grad.any()


def test_the_gradient_of_one_rank_alone():
    logits = drawn(2, 3, V).requires_grad_()
    targets = torch.tensor([[1, IGNORE, 11], [0, 5, 2]])

    def loss(logits):
        return vocabulary_cross_entropy(logits, targets, Group(name="tensor"))

    assert torch.autograd.gradcheck(loss, logits)


def test_half_precision_logits_have_an_fp32_loss():
    logits = drawn(2, V).bfloat16().requires_grad_()
    loss = vocabulary_cross_entropy(logits, torch.tensor([1, 2]), Group(name="tensor"))
    loss.backward()
    assert loss.dtype == torch.float32 and logits.grad.dtype == torch.bfloat16


def test_errors():
    group = Group(name="tensor")
    with pytest.raises(IndexError, match="outside the vocabulary"):
        vocabulary_embedding(drawn(V, D), torch.tensor([[V]]), group)
    with pytest.raises(IndexError, match="outside the vocabulary"):
        vocabulary_embedding(drawn(V, D), torch.tensor([[-1]]), group)
    with pytest.raises(ShapeError, match="logits: expected n=3, got 2"):
        vocabulary_cross_entropy(drawn(2, V), torch.tensor([1, 2, 3]), group)


def odd_vocabulary():
    try:
        VocabularyEmbedding(nn.Embedding(13, 2), make_mesh(tensor=2).tensor)
    except ValueError as error:
        return str(error)
    return "no error"


def test_an_odd_vocabulary_is_refused(two_ranks):
    for message in two_ranks.run(odd_vocabulary):
        assert "vocab_size: expected a multiple of 2 ranks, got 13. Fix: add unused ids" in message
