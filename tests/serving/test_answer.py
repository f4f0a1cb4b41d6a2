"""Answers are what OpenAI's own types accept, strictly."""

import pytest
from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from llm_course.decoding.continuation import Generation
from llm_course.serving.answer import Answer

WRITTEN = [
    Generation(tokens=[1, 2], text="Hi", reason="end"),
    Generation(tokens=[1, 2, 3], text="Hello", reason="length"),
    Generation(tokens=[4], text="", reason="stop"),
]


@pytest.mark.parametrize(("chat", "kind"), [(True, ChatCompletion), (False, Completion)])
def test_a_whole_answer_is_of_openais_type(chat, kind):
    answer = kind.model_validate(Answer("tiny", chat, n_prompt_tokens=5).whole(WRITTEN))
    assert [choice.finish_reason for choice in answer.choices] == ["stop", "length", "stop"]
    texts = [c.message.content if chat else c.text for c in answer.choices]
    assert texts == ["Hi", "Hello", ""] and [c.index for c in answer.choices] == [0, 1, 2]
    usage = answer.usage
    assert (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens) == (5, 6, 11)


def test_pieces_of_a_chat_are_of_openais_type():
    answer = Answer("tiny", True, n_prompt_tokens=5)
    pieces = [
        answer.opening(1), answer.piece(1, "Hi"), answer.piece(1, "", "end"), answer.closing(2),
    ]  # fmt: skip
    read = [ChatCompletionChunk.model_validate(piece) for piece in pieces]
    assert len({chunk.id for chunk in read}) == 1
    assert [c.choices[0].delta.content for c in read[:3]] == ["", "Hi", None]
    assert [c.choices[0].finish_reason for c in read[:3]] == [None, None, "stop"]
    assert read[0].choices[0].delta.role == "assistant"
    assert read[3].choices == [] and read[3].usage.total_tokens == 7


def test_answers_have_names_of_their_own():
    names = {Answer("tiny", chat, 1).whole(WRITTEN)["id"] for chat in (True, False, True)}
    assert len(names) == 3
    assert Answer("tiny", False, 1).opening(0) is None
