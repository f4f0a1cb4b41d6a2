"""Mistral as Hugging Face stores it: Llama's names and parts, and a sliding window."""

from dataclasses import replace
from typing import Any

from llm_course.model.config import DecoderConfig
from llm_course.pretrained.layout import Layout, Settings, require
from llm_course.pretrained.llama_layout import LLAMA


def _without_window(config: DecoderConfig) -> DecoderConfig:
    return replace(config, wiring=replace(config.wiring, window=None))


def _fits(config: DecoderConfig) -> bool:
    window, bias = config.wiring.window, config.bias
    return window is not None and not bias and LLAMA.fits(_without_window(config))


def _read_config(settings: Settings, source: str) -> DecoderConfig:
    require(settings, source, attention_bias=False, mlp_bias=False)
    config = LLAMA.read_config(settings, source)
    # Absent means 4,096, Transformers' default; null means the whole of the past.
    window = settings.get("sliding_window", 4096)
    return replace(config, wiring=replace(config.wiring, window=window))


def _write_config(config: DecoderConfig) -> dict[str, Any]:
    return {
        **LLAMA.write_config(_without_window(config)),
        "model_type": "mistral",
        "sliding_window": config.wiring.window,
    }


MISTRAL = Layout(
    "MistralForCausalLM",
    _fits,
    _read_config,
    _write_config,
    LLAMA.to_course,
    LLAMA.to_huggingface,
)
"""Mistral with its window; without one it is written as Llama, which it then is."""
