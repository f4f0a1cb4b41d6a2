"""The seam between the loop and its processes: what one process does, and what another may."""

import copy

import pytest
import torch

from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.training.checkpoint import CorruptCheckpoint, MismatchedCheckpoint
from llm_course.training.config import TrainingConfig
from llm_course.training.loop import train
from llm_course.training.loss import IGNORE, shift
from llm_course.training.state import begin_training
from llm_course.training.strategy import SingleProcess


def tiny(d_ff: int = 24) -> Decoder:
    sizes = {"vocab_size": 7, "context_length": 16, "d_model": 16, "n_layers": 2, "n_heads": 2}
    return Decoder(DecoderConfig(**sizes, d_ff=d_ff))


def config(**changes) -> TrainingConfig:
    return TrainingConfig(**({"n_steps": 6, "learning_rate": 0.02, "warmup_steps": 2} | changes))


def batches():
    generator, made = torch.Generator().manual_seed(0), []
    for _ in range(6):
        tokens, targets = shift(torch.randint(7, (4, 9), generator=generator))
        targets = targets.clone()
        targets[1, 3:] = IGNORE
        made.append((tokens, targets))
    return made


def test_a_saved_run_goes_on_bit_by_bit(tmp_path):
    strategy, facts = SingleProcess(), {"run": {"seed": 0}, "data": {"position": 12}}

    def keep(state, record):
        if state.step == 3:
            strategy.save(tmp_path / "a", state, facts)

    straight, resumed = tiny(), tiny()
    history = train(straight, batches(), config(), strategy=strategy, after_step=keep)
    state = begin_training(resumed, config())
    assert strategy.load(tmp_path / "a", state, {"run": {"seed": 0}}) == facts
    assert train(resumed, batches()[3:], config(), state=state) == history[3:]
    assert all(map(torch.equal, straight.parameters(), resumed.parameters()))


def test_another_runs_checkpoint_changes_nothing(tmp_path):
    strategy = SingleProcess()
    strategy.save(tmp_path / "a", begin_training(tiny(), config()), {"run": {"seed": 0}})
    model = tiny(20)
    state, before = begin_training(model, config()), copy.deepcopy(model.state_dict())
    with pytest.raises(MismatchedCheckpoint, match=r"a: run.seed: expected 1, got 0"):
        strategy.load(tmp_path / "a", state, {"run": {"seed": 1}})
    with pytest.raises(MismatchedCheckpoint, match=r"a: model/blocks.0.feed_forward.*\(16, 20\)"):
        strategy.load(tmp_path / "a", state, {})
    (tmp_path / "a").write_bytes((tmp_path / "a").read_bytes()[:-1])
    with pytest.raises(CorruptCheckpoint):
        strategy.load(tmp_path / "a", state, {})
    assert all(torch.equal(weight, before[name]) for name, weight in model.state_dict().items())


class HalfOfTwo(SingleProcess):
    """One of two processes that take the mean of their gradients, played one after the other.

    The first pass records what each would send; it is enough to see that the loop asks for it.
    """

    world_size, gradient_factor = 2, 2.0

    def __init__(self, rank: int, totals: list[float]):
        super().__init__()
        self.rank, self.totals, self.sent = rank, list(totals), []

    def part(self, batch):
        rows = slice(0, 2) if self.rank == 0 else slice(2, 4)
        return batch[0][rows], batch[1][rows]

    def total(self, number):
        self.sent.append(number)
        return number + self.totals.pop(0)


def test_the_parts_of_two_processes_make_the_loss_and_gradient_of_one():
    [batch] = batches()[:1]
    settings = config(n_steps=1, warmup_steps=0, max_grad_norm=None)
    whole, [told] = tiny().double(), [None]
    [told] = train(whole, [batch], settings)
    counts = [int((batch[1][rows] != IGNORE).sum()) for rows in (slice(0, 2), slice(2, 4))]
    losses, found = [], []
    for rank in (0, 1):  # first without the other's loss, which does not touch the gradient
        strategy = HalfOfTwo(rank, [counts[1 - rank], 0.0])
        model = tiny().double()
        [record] = train(model, [batch], settings, strategy=strategy)
        assert strategy.sent[0] == counts[rank] and record.n_targets == sum(counts)
        losses.append(strategy.sent[1])
        found.append([weight.grad for weight in model.parameters()])
    assert sum(losses) == pytest.approx(told.loss, abs=1e-12)
    for one, other, expected in zip(*found, whole.parameters(), strict=True):
        torch.testing.assert_close((one + other) / 2, expected.grad, atol=1e-12, rtol=0)


def test_one_process_is_all_of_them():
    strategy, batch = SingleProcess("cpu"), batches()[0]
    assert (strategy.rank, strategy.world_size, strategy.gradient_factor) == (0, 1, 1.0)
    assert strategy.part(batch) is batch and strategy.total(3.0) == 3.0
    assert strategy.all_finite(True) and not strategy.all_finite(False)
    model = tiny()
    assert strategy.prepare(model) is model
    assert strategy.wait() is None
    gathered = strategy.gather(model)
    with torch.no_grad():
        model.embedding.weight.fill_(3.0)
    assert gathered.keys() == model.state_dict().keys()
    assert not torch.equal(gathered["embedding.weight"], model.embedding.weight), "a copy"
