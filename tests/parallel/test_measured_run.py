import pytest

from llm_course.model.config import DecoderConfig
from llm_course.parallel.costs import all_reduce_bytes
from llm_course.parallel.layout import Layout
from llm_course.parallel.measured_run import batches_of, seeded_model, train_on_ranks
from llm_course.training.config import TrainingConfig
from llm_course.training.loop import train

CONFIG = DecoderConfig(vocab_size=8, context_length=6, d_model=8, n_layers=2, n_heads=2, d_ff=8)
SETTINGS = TrainingConfig(n_steps=3, learning_rate=0.02, warmup_steps=1, fused=False)
TEXTS = [
    [[(3 * row + step + t * t) % 8 for t in range(7)] for row in range(4)] for step in range(3)
]


def one_process():
    model = seeded_model(CONFIG, 1)
    return [record.loss for record in train(model, batches_of(TEXTS), SETTINGS)]


@pytest.mark.parametrize(
    "layout", [Layout(data=2, bucket_bytes=1), Layout(data=2, zero=3), Layout(pipeline=2)]
)
def test_losses_are_those_of_one_process(two_ranks, layout):
    for report in two_ranks.run(train_on_ranks, layout, CONFIG, SETTINGS, TEXTS, 1):
        assert report.losses == pytest.approx(one_process(), abs=1e-10)


def test_the_seed_chooses_the_weights():
    first, again, other = (seeded_model(CONFIG, seed).embedding.weight for seed in (1, 1, 2))
    assert (first == again).all()
    assert not (first == other).any()


def test_what_is_reported_is_the_last_step_alone(two_ranks):
    n_bytes = 8 * sum(weight.numel() for weight in seeded_model(CONFIG, 1).parameters())
    report = two_ranks.run(train_on_ranks, Layout(data=2), CONFIG, SETTINGS, TEXTS, 1)[0]
    assert report.sent("data") == report.sent("data", purpose="bucket")
    assert report.sent("data") == all_reduce_bytes(2, n_bytes)
    assert report.sent("tensor") == 0
    assert report.memory.parameters == report.resting == n_bytes
    assert sorted(slot.kind for slot in report.slots) == ["B", "F"]
    sharded = two_ranks.run(train_on_ranks, Layout(data=2, zero=3), CONFIG, SETTINGS, TEXTS, 1)[0]
    assert sharded.resting == n_bytes // 2
    assert sharded.buckets == (0, 0)


def test_buckets_that_leave_early_are_counted(two_ranks):
    small = two_ranks.run(
        train_on_ranks, Layout(data=2, bucket_bytes=1), CONFIG, SETTINGS, TEXTS, 1
    )[0]
    whole = two_ranks.run(train_on_ranks, Layout(data=2), CONFIG, SETTINGS, TEXTS, 1)[0]
    # Seven matrices and two norms of the second block, and the final norm; the embedding is the
    # output matrix too, so its gradient is there when all is done.
    assert small.buckets == (10, 20)
    assert whole.buckets == (0, 1)
