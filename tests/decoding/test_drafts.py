"""Drafts say what they guess and how they drew it."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from llm_course.decoding.drafts import ModelDraft, PromptLookup, look_up
from llm_course.decoding.sampling import History, SamplingConfig, next_token_probabilities
from llm_course.model.config import DecoderConfig
from llm_course.shapes import check_shape

CONFIG = DecoderConfig(vocab_size=12, context_length=20, d_model=16, n_layers=1, n_heads=2, d_ff=16)
SAMPLING = SamplingConfig(temperature=0.9, top_k=5, frequency_penalty=0.5)


@given(st.lists(st.integers(0, 2), max_size=14), st.integers(1, 5), st.integers(1, 4))
def test_look_up_is_what_followed_the_longest_latest_match(text, n_tokens, longest):
    found = []
    for n in range(1, min(longest, len(text) - 1) + 1):
        places = [i for i in range(len(text) - n) if text[i : i + n] == text[-n:]]
        if places:
            found = text[places[-1] + n :][:n_tokens]
    assert look_up(text, n_tokens, longest) == found


def test_lookup_is_certain_of_what_it_says():
    tokens, probabilities = PromptLookup(10).propose(History([1, 2, 3, 1], [2]), 3)
    assert tokens == [3, 1, 2]
    assert torch.equal(probabilities, torch.eye(10)[tokens])
    assert PromptLookup(10).propose(History([1, 2]), 3)[0] == []


@torch.no_grad()
def test_a_model_draws_from_the_distributions_that_it_returns(make_lively):
    model = make_lively(CONFIG).double()
    draft = ModelDraft(model, SAMPLING)
    for history in (History([1, 2, 3]), History([1, 2, 3], [4, 4]), History([1, 9], [4, 4])):
        tokens, probabilities = draft.propose(history, 4)
        check_shape(probabilities, "n v", "probabilities", n=4, v=12)
        for i, token in enumerate(tokens):
            known = History(history.prompt, [*history.written, *tokens[:i]])
            logits = model(torch.tensor([[*known.prompt, *known.written]]))[:, -1]
            expected = next_token_probabilities(logits, SAMPLING, [known])
            torch.testing.assert_close(probabilities[i : i + 1], expected, atol=1e-12, rtol=0)
            assert probabilities[i, token] > 0


def test_a_full_context_gives_no_guess(make_lively):
    draft = ModelDraft(make_lively(CONFIG), SAMPLING)
    assert draft.propose(History([1] * 20), 4)[0] == []
    assert len(draft.propose(History([1] * 18), 4)[0]) == 2
    with pytest.raises(ValueError, match="longest"):
        PromptLookup(10, longest=-1)
