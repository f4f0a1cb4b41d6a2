import pytest
import torch

from llm_course.parallel.group import Group
from llm_course.parallel.mesh import make_mesh
from llm_course.parallel.regions import enter, leave


def through_a_region():
    """``y = sum_r (r + 1) x`` with the terms on two ranks; the loss is ``sum 3 y``."""
    group = make_mesh(tensor=2).tensor
    x = torch.tensor([1.0, 2.0], requires_grad=True)
    y = leave((group.rank + 1) * enter(x, group, "layer"), group, "layer")
    (3 * y).sum().backward()
    return y, x.grad, [t.purpose for t in group.ledger.transfers]


def test_the_stream_and_its_gradient_are_whole_on_both_sides(two_ranks):
    for y, grad, purposes in two_ranks.run(through_a_region):
        assert y.tolist() == [3.0, 6.0]  # (1 + 2) x
        assert grad.tolist() == [9.0, 9.0]  # 3 (1 + 2)
        assert purposes == ["layer forward", "layer backward"], "one sum each way"


@pytest.mark.parametrize("region", [enter, leave])
def test_alone_both_are_the_identity_and_leave_their_input_as_it_is(region):
    x = torch.randn(3, dtype=torch.float64, requires_grad=True)
    assert torch.equal(region(x, Group(name="tensor")), x)
    assert torch.autograd.gradcheck(lambda x: region(x, Group(name="tensor")), x)


def test_an_expanded_gradient_is_not_written_into():
    x = torch.ones(3, requires_grad=True)
    enter(x, Group(name="tensor")).sum().backward()  # the slope is one number, expanded
    assert x.grad.tolist() == [1.0, 1.0, 1.0]
