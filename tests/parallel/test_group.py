import pytest
import torch

from llm_course.parallel.group import Group, RankLost, exchange, finish_send, receive, start_send
from llm_course.parallel.mesh import make_mesh


def send_to_each_other():
    group = make_mesh(data=2).data
    other = 1 - group.rank
    works = [start_send(torch.full((3,), 10.0 * group.rank + tag), group, other, tag)
             for tag in (0, 1)]  # fmt: skip
    late = receive(torch.empty(3), group, other, tag=1)  # a tag picks its message, not the order
    early = receive(torch.empty(3), group, other, tag=0)
    for work in works:
        finish_send(work, group, other)
    return early, late


def test_messages_arrive_by_their_tags(two_ranks):
    for rank, (early, late) in enumerate(two_ranks.run(send_to_each_other)):
        assert early.tolist() == [10.0 * (1 - rank)] * 3
        assert late.tolist() == [10.0 * (1 - rank) + 1] * 3


def round_the_ring():
    group = make_mesh(data=4).data
    token = torch.tensor([float(group.rank)])
    sent = 0
    for _ in range(3):
        incoming = torch.empty(1)
        sent += exchange(token, incoming, group)
        token = incoming
    return token.item(), sent, group.next, group.before


def test_a_ring_passes_on(four_ranks):
    for rank, (token, sent, after, before) in enumerate(four_ranks.run(round_the_ring)):
        assert token == (rank - 3) % 4
        assert sent == 3 * 4, "three fp32 numbers"
        assert (after, before) == ((rank + 1) % 4, (rank - 1) % 4)


def test_a_backends_error_names_the_rank_and_what_it_waited_for():
    group = Group(name="tensor")
    with (
        pytest.raises(RankLost, match=r"rank 0 of 1 \(tensor\): expected a sum, got: lost\. Fix"),
        group.waiting("a sum"),
    ):
        raise RuntimeError("[gloo/pair.cc:12] lost\nlong story")


def test_other_errors_pass():
    with pytest.raises(KeyError), Group(name="data").waiting("a sum"):
        raise KeyError("x")


def test_errors():
    with pytest.raises(ValueError, match="rank: expected 0 to size - 1 = 0, got 1"):
        Group(name="data", rank=1)
    with pytest.raises(ValueError, match="handle: expected a process group for 2 ranks"):
        Group(name="data", size=2)
    with pytest.raises(ValueError, match="algorithm: expected ring or backend, got 'tree'"):
        Group(name="data", algorithm="tree")
