"""Who joins, who gives way, and what they hold, without a model."""

from hypothesis import given, settings
from hypothesis import strategies as st

from llm_course.decoding.continuation import Continuation, GenerationConfig
from llm_course.decoding.engine_parts import EngineConfig, EngineStatistics
from llm_course.decoding.paged_cache import PagedCache
from llm_course.decoding.scheduler import Request, Scheduler, admit
from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder

MODEL = Decoder(
    DecoderConfig(vocab_size=9, context_length=32, d_model=4, n_layers=1, n_heads=2, d_ff=3)
)


def scheduler(n_blocks: int, **settings) -> Scheduler:
    config = EngineConfig(n_blocks=n_blocks, block_size=2, **settings)
    return Scheduler(PagedCache(1, 1, 1, n_blocks=n_blocks, block_size=2), config,
                     EngineStatistics())  # fmt: skip


def queue(made: Scheduler, *prompts: list[int]) -> list[Request]:
    texts = [Continuation(MODEL, prompt, GenerationConfig()) for prompt in prompts]
    made.waiting += [Request(number, text) for number, text in enumerate(texts)]
    return list(made.waiting)


def numbers(requests) -> list[int]:
    return [request.number for request in requests]


def admit_all(made: Scheduler) -> list[int]:
    n_read = []
    while (admitted := made.admit()) is not None:
        n_read.append(admitted[1])
    return n_read


def test_texts_join_in_their_order_while_there_are_places():
    made = scheduler(20, max_running=2)
    queue(made, [1], [2, 2, 2], [3])
    assert admit_all(made) == [1, 3]
    assert (numbers(made.running), numbers(made.waiting)) == ([0, 1], [2])


def test_a_text_that_does_not_fit_is_not_overtaken():
    made = scheduler(4)
    queue(made, [1, 1, 1], [2] * 7, [3])
    assert admit_all(made) == [3]
    assert numbers(made.waiting) == [1, 2] and made.cache.pool.n_free == 2


def test_a_block_is_left_for_each_that_runs():
    made = scheduler(4)
    queue(made, [1, 1, 1], [2, 2, 2])  # two blocks each: none would be left
    assert admit_all(made) == [3]


def test_the_last_gives_way_and_comes_back_first():
    made = scheduler(5)
    queue(made, [1, 1], [2, 2], [3, 3], [4])
    assert admit_all(made) == [2, 2, 2]
    assert numbers(made.make_room()) == [0, 1]  # two blocks more, for three texts
    assert (numbers(made.waiting), made.statistics.n_preemptions) == ([2, 3], 1)
    assert made.waiting[0].sequence is None and made.cache.pool.n_free == 1


def test_a_shared_beginning_is_not_read_again():
    made = scheduler(20)
    queue(made, [1, 2, 3, 4, 5], [1, 2, 3, 4, 6], [1, 8], [1, 2, 3, 4, 5])
    assert admit_all(made) == [5, 1, 2, 1]
    assert made.statistics.n_shared_tokens == 8
    assert made.cache.table(0)[:2] == made.cache.table(1)[:2] == made.cache.table(3)[:2]


def test_everything_is_given_back():
    made = scheduler(20)
    first, *_ = queue(made, [1, 2, 3, 4, 5], [1, 2, 3, 4, 6], [7])
    admit_all(made)
    made.make_room()
    made.finish(first)
    assert made.cancel(1) and made.cancel(2) and not made.cancel(2)
    assert made.cache.pool.n_free == 20 and made.cache.sequences == []


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(1, 12), max_size=6), st.integers(1, 20), st.integers(1, 5))
def test_the_rule_of_admission_is_that_of_a_queue_joined_one_by_one(lengths, n_blocks, places):
    made = scheduler(n_blocks, max_running=places, share_prefixes=False)
    queue(made, *([1] * n for n in lengths))
    joined = 0
    while made.admit() is not None:
        joined += 1
    assert admit(lengths, n_blocks, 0, 2, places) == joined
    held = sum(-(-n // 2) for n in lengths[:joined])
    assert made.cache.pool.n_free == n_blocks - held
    assert joined == len(lengths) or joined == places or (
        n_blocks - held - -(-lengths[joined] // 2) < joined
    ), "somebody waits who might join"  # fmt: skip
