"""The sizes are those of the papers' tables; what they add up to is tested with the counting."""

from llm_course.scaling.published import LLAMA, gpt3_175b, llama


def test_llama_rounds_its_feed_forward_width_up_to_256():
    for size, (_, width, heads, d_ff) in LLAMA.items():
        assert d_ff == -(-(8 * width // 3) // 256) * 256
        assert llama(size).d_head == width // heads == 128


def test_gpt3_is_four_times_as_wide_inside():
    config = gpt3_175b()
    assert config.d_ff == 4 * config.d_model and config.context_length == 2048
