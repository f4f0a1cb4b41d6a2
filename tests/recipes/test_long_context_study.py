import math
from itertools import islice

import pytest
import torch
import torch.nn.functional as F

from llm_course.long_context.stages import Stage
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.pretrained.course_checkpoint import load_course_checkpoint
from llm_course.recipes import long_context_study as study


@pytest.fixture(scope="module")
def world():
    return load_course_checkpoint()


def tiny_model(context_length=8):
    config = DecoderConfig(
        vocab_size=11, context_length=context_length, d_model=16, n_layers=1, n_heads=2, d_ff=8
    )
    return Decoder(config)


def test_the_stories_are_texts_with_an_end_each_and_the_stream_goes_on(world):
    first = study.world_tokens(world, 400)
    assert first == list(islice(study.world_stream(world), 400))
    assert first == study.world_tokens(world, 900)[:400]
    assert first != study.world_tokens(world, 400, "train")
    texts = world.tokenizer.decode(first).split("<|endoftext|>")
    assert len(texts) == first.count(world.end_id) + 1 > 2


def test_the_loss_at_the_end_is_of_the_same_tokens_whatever_the_context():
    model, rows = tiny_model(), torch.randint(11, (3, 20), generator=torch.Generator())
    for context in (6, 12, 20):
        with torch.no_grad():
            logits = model(rows[:, -context:])[:, -5:-1]
        expected = F.cross_entropy(logits.transpose(1, 2), rows[:, -4:], reduction="none")
        found = study.end_loss(model, rows, context, n_last=4)
        torch.testing.assert_close(found, expected.mean(dim=1), rtol=0, atol=1e-5)


def test_batches_are_windows_of_the_length_of_their_stage_and_repeat_by_seed():
    text = list(range(500))
    stage = Stage(context_length=6, batch_size=4, n_steps=3)
    for tokens, targets in islice(study.batches_from(text, 1)(stage), 5):
        assert tokens.shape == targets.shape == (4, 6)
        assert torch.equal(targets, tokens + 1)
        assert torch.equal(tokens, tokens[:, :1] + torch.arange(6))
    again = [next(study.batches_from(text, seed)(stage))[0] for seed in (1, 1, 2)]
    assert torch.equal(again[0], again[1]) and not torch.equal(again[0], again[2])


@pytest.mark.parametrize(
    ("growth", "expected"),
    [(4, {2: 32, 4: 32, 6: 32, 8: 32}), (2, {2: 16, 4: 16, 6: 32, 8: 32})],
)
def test_tuning_trains_a_copy_and_counts_steps_through_the_stages(growth, expected):
    model = tiny_model()
    before = {name: weight.clone() for name, weight in model.state_dict().items()}
    tuned, found = study.tune(
        model,
        study.batches_from([i % 7 for i in range(300)], 0),
        target=32,
        n_steps=8,
        growth=growth,
        tokens_per_step=64,
        scaling="linear",
        evaluate=lambda longer: float(longer.config.context_length),
        evaluate_every=2,
    )
    assert found == expected
    assert all(torch.equal(model.state_dict()[name], weight) for name, weight in before.items())
    assert tuned.config.context_length == 32 and not tuned.training
    assert not torch.equal(tuned.embedding.weight, model.embedding.weight)


def test_the_animals_are_told_once_each_and_the_one_that_is_asked_for_in_its_place():
    for seed in range(5):
        texts = []
        for position in (0, 3, 7):
            task = study.owners_task(8, position, seed)
            lines = task.text.splitlines()
            assert lines[position] == f"{task.question} {task.answer}."
            assert len({line.split()[4] for line in lines}) == 8
            texts.append(sorted(lines))
        assert texts[0] == texts[1] == texts[2], "the same facts at every place"


def test_the_answer_in_one_window_is_what_greedy_search_writes(world):
    """The checkpoint has not learnt the task: what it would write is taken as the answer."""
    task = study.owners_task(3, 1, seed=0)
    _, surprise = study.windowed_answer(world, task, 1)
    ids = world.tokenizer.encode(task.text) + world.tokenizer.encode(f"\n{task.question}")
    answer = world.tokenizer.encode(f" {task.answer}.")
    with torch.no_grad():
        logits = world.model(torch.tensor([ids + answer]))[0, len(ids) - 1 : -1]
    assert surprise == pytest.approx(F.cross_entropy(logits, torch.tensor(answer)).item(), abs=1e-5)
    hit = logits.argmax(dim=-1).tolist() == answer
    assert study.windowed_answer(world, task, 1)[0] == hit


def test_windows_change_what_is_read(world):
    task = study.owners_task(4, 0, seed=1)
    losses = [study.windowed_answer(world, task, n)[1] for n in (1, 2, 4)]
    assert len(set(losses)) == 3 and all(math.isfinite(loss) for loss in losses)


def test_a_reader_writes_as_many_tokens_as_asked(world):
    reply = study.greedy_answer(world, n_new=3)("Mia went to")
    assert 1 <= study.count_tokens(world, reply) <= 3
    assert study.count_tokens(world, "") == 0


def test_drawn_tokens_follow_the_distribution():
    logits = torch.tensor([0.0, math.log(3.0), -torch.inf])
    generator = torch.Generator().manual_seed(0)
    drawn = [study.sampled(logits, generator) for _ in range(2000)]
    assert set(drawn) == {0, 1}
    assert drawn.count(1) / 2000 == pytest.approx(0.75, abs=0.04)
