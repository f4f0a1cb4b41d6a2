"""The training loop against one written with PyTorch's own parts, and what it promises."""

import io
import itertools
import math
import sys
from dataclasses import asdict

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import get_cosine_with_min_lr_schedule_with_warmup

from llm_course.errors import CourseError
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.training.config import TrainingConfig
from llm_course.training.loop import NonFiniteLoss, train
from llm_course.training.loss import IGNORE, next_token_loss, shift
from llm_course.training.optimizer import parameter_groups


def tiny(**changes) -> Decoder:
    sizes = {"vocab_size": 7, "context_length": 16, "d_model": 16, "n_layers": 2, "n_heads": 2}
    return Decoder(DecoderConfig(**(sizes | {"d_ff": 24} | changes)))


def random_batches(n_batches: int, seed: int = 0) -> list[tuple[Tensor, Tensor]]:
    """Batches ``4 8`` in which each sequence has another number of targets that count."""
    generator = torch.Generator().manual_seed(seed)
    batches = []
    for _ in range(n_batches):
        tokens, targets = shift(torch.randint(7, (4, 9), generator=generator))
        targets = targets.clone()
        for row, n_padding in enumerate((0, 7, 3, 5)):
            targets[row, 8 - n_padding :] = IGNORE
        batches.append((tokens, targets))
    return batches


def config(**changes) -> TrainingConfig:
    return TrainingConfig(**({"n_steps": 6, "learning_rate": 0.02} | changes))


def plain_loss(model: nn.Module, tokens: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(model(tokens).flatten(0, 1), targets.flatten())


@pytest.mark.parametrize("fused", [True, False])
@pytest.mark.parametrize("max_grad_norm", [None, 0.05])
def test_equals_a_loop_of_torchs_own_parts(fused, max_grad_norm):
    ours, theirs = tiny().double(), tiny().double()
    settings = config(
        warmup_steps=2, minimum_learning_rate=0.004, max_grad_norm=max_grad_norm, fused=fused
    )
    history = train(ours, random_batches(6), settings)
    peer = torch.optim.AdamW(parameter_groups(theirs, 0.1), lr=0.02, betas=(0.9, 0.95))
    schedule = get_cosine_with_min_lr_schedule_with_warmup(peer, 2, 6, min_lr=0.004)
    peer.step()  # without gradients, for the schedule's sake: it begins one step earlier
    for record, (tokens, targets) in zip(history, random_batches(6), strict=True):
        schedule.step()
        peer.zero_grad()
        loss = plain_loss(theirs, tokens, targets)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(theirs.parameters(), max_grad_norm or 1e9)
        assert max_grad_norm is None or norm > 2 * max_grad_norm, "there is nothing to clip"
        assert asdict(record) == {
            "step": record.step,
            "loss": pytest.approx(loss.item(), abs=1e-12),
            "learning_rate": pytest.approx(peer.param_groups[0]["lr"], abs=1e-15),
            "grad_norm": pytest.approx(norm.item(), abs=1e-12),
            "n_targets": 32 - 15,
            "evaluation": None,
            "loss_scale": None,
        }
        peer.step()
    assert [record.step for record in history] == list(range(6))
    for (name, got), expected in zip(ours.named_parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(
            got, expected, atol=1e-10, rtol=0, msg=lambda m, n=name: f"{n}: {m}"
        )


def test_training_in_parts_is_training_whole():
    models = tiny().double(), tiny().double()
    histories = [
        train(model, random_batches(6), config(accumulation=n))
        for model, n in zip(models, (1, 4), strict=True)
    ]
    for whole, parts in zip(*histories, strict=True):
        assert parts.loss == pytest.approx(whole.loss, abs=1e-10)
    for a, b in zip(*(model.parameters() for model in models), strict=True):
        torch.testing.assert_close(a, b, atol=1e-10, rtol=0)


@pytest.mark.parametrize("fused", [True, False])
def test_two_runs_are_bit_identical_and_draw_no_random_number(fused):
    runs = []
    for seed in (1, 2):  # the global generator's state must not matter
        torch.manual_seed(seed)
        model = tiny()
        before = torch.get_rng_state()
        history = train(model, random_batches(6), config(fused=fused))
        assert torch.equal(torch.get_rng_state(), before)
        runs.append((history, model.state_dict()))
    assert runs[0][0] == runs[1][0]
    assert all(torch.equal(weight, runs[1][1][name]) for name, weight in runs[0][1].items())


def test_a_periodic_sequence_is_learnt():
    period = torch.tensor([3, 1, 4, 0, 5, 2])  # each token occurs once: nothing is uncertain
    rows = torch.stack([period.roll(-start).repeat(3) for start in range(6)])
    history = train(
        tiny(),
        itertools.repeat(shift(rows[:, :13])),
        config(n_steps=80, learning_rate=0.02, warmup_steps=8),
        evaluate=lambda model: plain_loss(model, *shift(rows)).item(),  # longer than in training
    )
    assert history[0].loss == pytest.approx(math.log(7), abs=0.1)
    assert history[-1].loss < 0.005
    assert history[-1].evaluation < 0.02


def test_shuffled_targets_are_not_learnt_beyond_their_frequencies():
    generator = torch.Generator().manual_seed(0)
    batches = [shift(torch.randint(7, (8, 13), generator=generator)) for _ in range(60)]
    history = train(tiny(), batches, config(n_steps=60, warmup_steps=8))
    assert sum(record.loss for record in history[-20:]) / 20 > math.log(7) - 0.05


@pytest.mark.parametrize(
    ("every", "due"), [(0, [5]), (1, [0, 1, 2, 3, 4, 5]), (2, [1, 3, 5]), (4, [3, 5])]
)
def test_evaluation_is_called_when_due_and_disturbs_nothing(every, due):
    seen = []

    def evaluate(model: nn.Module) -> float:
        seen.append((model.training, torch.is_grad_enabled()))
        return float(len(seen))

    evaluated, plain = tiny(), tiny()
    history = train(evaluated, random_batches(6), config(evaluate_every=every), evaluate=evaluate)
    train(plain, random_batches(6), config())
    assert seen == [(False, False)] * len(due)
    assert {r.step: r.evaluation for r in history if r.evaluation is not None} == {
        step: i + 1.0 for i, step in enumerate(due)
    }
    assert evaluated.training
    assert all(map(torch.equal, evaluated.parameters(), plain.parameters()))


def test_training_mode_comes_back_when_evaluation_fails():
    def evaluate(model: nn.Module) -> float:
        raise RuntimeError("no data")

    model = tiny().eval()
    with pytest.raises(RuntimeError, match="no data"):
        train(model, random_batches(6), config(), evaluate=evaluate)
    assert model.training


class Scale(torch.autograd.Function):
    """The identity, with an infinite slope."""

    @staticmethod
    def forward(ctx, x):
        return x.clone()

    @staticmethod
    def backward(ctx, slope):
        return slope * math.inf


SPOILERS = {
    "loss: expected a finite number, got nan at step 3.": lambda loss: loss * math.nan,
    "loss: expected a finite number, got inf at step 3.": lambda loss: loss + math.inf,
    "gradient's norm: expected a finite number, got": Scale.apply,
}


@pytest.mark.parametrize("message", SPOILERS)
@pytest.mark.parametrize("max_grad_norm", [1.0, None])
def test_a_loss_that_is_not_finite_stops_before_the_step(message, max_grad_norm):
    calls = itertools.count()

    def spoiled(model, tokens, targets):
        loss = next_token_loss(model, tokens, targets)
        return SPOILERS[message](loss) if next(calls) == 3 else loss

    model, expected = tiny(), tiny()
    settings = config(n_steps=6, minimum_learning_rate=0.02, max_grad_norm=max_grad_norm)
    with pytest.raises(NonFiniteLoss) as caught:
        train(model, random_batches(6), settings, loss=spoiled)
    text = str(caught.value)
    assert text.startswith(message) and "at step 3. Fix: lower learning_rate" in text
    assert isinstance(caught.value, CourseError) and caught.value.step == 3
    settings = config(n_steps=3, minimum_learning_rate=0.02, max_grad_norm=max_grad_norm)
    assert caught.value.history == train(expected, random_batches(3), settings)
    assert all(map(torch.equal, model.parameters(), expected.parameters())), "a step was made"


def test_batches_that_end_too_early():
    with pytest.raises(ValueError, match="batches: expected 6, one for each step, got 4. Fix: rep"):
        train(tiny(), random_batches(4), config())


def test_no_batch_is_taken_beyond_the_last_step():
    stream = iter(random_batches(9))
    train(tiny(), stream, config())
    assert len(list(stream)) == 3


def test_a_batch_without_targets_is_refused():
    tokens = torch.zeros(2, 3, dtype=torch.int64)
    with pytest.raises(ValueError, match=r"targets: expected one that counts, got only -100"):
        train(tiny(), [(tokens, tokens + IGNORE)], config(n_steps=1))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_the_progress_bar_is_shown_on_a_terminal_alone(monkeypatch, stream):
    shown = stream()
    monkeypatch.setattr(sys, "stderr", shown)
    train(tiny(), random_batches(6), config())
    assert ("6/6" in shown.getvalue()) == (stream is Terminal)
    assert stream is Terminal or shown.getvalue() == ""


def test_a_gradient_that_overflows_in_fp16_is_left_out_and_halves_the_scale():
    slopes = iter([1.0, 1e5, 1.0, 1.0])

    def steep(model, tokens, targets):
        # Multiplied by the scale 2^16 it is more than fp32 holds at the second step alone.
        factor = next(slopes)
        return next_token_loss(model, tokens, targets) * (1e30 if factor > 1 else 1.0)

    model, weights = tiny(), []
    settings = config(n_steps=4, precision="fp16", max_grad_norm=None)
    history = train(
        model,
        random_batches(4),
        settings,
        loss=steep,
        after_step=lambda state, record: weights.append(
            [weight.detach().clone() for weight in model.parameters()]
        ),
    )
    assert [math.isfinite(record.grad_norm) for record in history] == [True, False, True, True]
    assert [record.loss_scale for record in history] == [2.0**16, 2.0**16, 2.0**15, 2.0**15]
    moved = [not all(map(torch.equal, *pair)) for pair in itertools.pairwise(weights)]
    assert moved == [False, True, True], "the second step must move nothing"


def test_an_infinite_gradient_is_told_when_no_scale_can_be_the_reason():
    def infinite(model, tokens, targets):
        return Scale.apply(next_token_loss(model, tokens, targets))

    with pytest.raises(NonFiniteLoss, match="gradient's norm: expected a finite number") as caught:
        train(tiny(), random_batches(30), config(n_steps=30, precision="fp16"), loss=infinite)
    assert caught.value.step == 16, "the scale went from 2^16 to 1 before"


def test_after_step_is_told_of_every_step():
    told = []
    history = train(
        tiny(), random_batches(6), config(), after_step=lambda s, r: told.append((s.step, r))
    )
    assert told == [(record.step + 1, record) for record in history]


def test_wsd_is_a_schedule_of_the_loop():
    history = train(tiny(), random_batches(6), config(schedule="wsd", decay_steps=2))
    assert [r.learning_rate for r in history] == pytest.approx([0.02] * 4 + [0.011, 0.002])
