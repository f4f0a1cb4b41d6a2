"""A conversation that is played from a script."""

import pytest

from llm_course.decoding.continuation import GenerationConfig
from llm_course.decoding.generate import generate
from llm_course.decoding.sampling import SamplingConfig
from llm_course.errors import CourseError
from llm_course.serving import chat as module
from llm_course.serving.chat import Chat, Terminal


class Script:
    """Lines to read (or errors to raise), and what was written."""

    def __init__(self, *lines):
        self.lines, self.text = list(lines), ""

    def read(self):
        if not self.lines:
            raise EOFError
        line = self.lines.pop(0)
        if isinstance(line, BaseException):
            raise line
        return line + "\n"

    def write(self, text):
        self.text += text

    def play(self, chat):
        chat.run(Terminal(self.read, self.write))
        return self.text


def config(**options):
    sampling = SamplingConfig(**{"temperature": 1.0, "seed": 3, **options})
    return GenerationConfig(max_new_tokens=10, sampling=sampling)


def expected(tiny, messages, seed):
    settings = GenerationConfig(
        max_new_tokens=10,
        end_ids=(tiny.end_id,),
        sampling=SamplingConfig(temperature=1.0, seed=seed),
    )
    return generate(tiny.model, [tiny.encode_chat(messages)], settings, tiny.tokenizer)[0].text


def said(role, content):
    return {"role": role, "content": content}


def test_answers_are_those_of_generate_and_remember_what_was_said(tiny):
    chat, script = Chat(tiny, config(), system="Be brief."), Script("Hi", "", "Why?")
    text = script.play(chat)
    messages = [said("system", "Be brief."), said("user", "Hi")]
    first = expected(tiny, messages, seed=3)
    messages += [said("assistant", first), said("user", "Why?")]
    second = expected(tiny, messages, seed=4)
    assert text == f"{first}\n{second}\n\n"
    assert chat.messages == [*messages, said("assistant", second)]


def test_reset_forgets_all_but_the_system_message(tiny):
    chat = Chat(tiny, config(), system="Be brief.")
    assert "forgotten" in Script("Hi", "/reset").play(chat)
    assert chat.messages == [said("system", "Be brief.")]


def test_help_and_what_is_no_command(tiny):
    chat = Chat(tiny, config())
    assert module.HELP in Script("/help").play(chat)
    assert "/dance: expected a command" in Script("/dance").play(chat)
    assert chat.messages == []


def test_ctrl_c_stops_the_answer_and_keeps_its_beginning(tiny, monkeypatch):
    whole, stream = expected(tiny, [said("user", "Hi")], seed=3), module.stream

    def interrupted(*args):
        for i, piece in enumerate(stream(*args)):
            if i == 4:
                raise KeyboardInterrupt
            yield piece

    monkeypatch.setattr(module, "stream", interrupted)
    chat = Chat(tiny, config())
    text = Script("Hi", KeyboardInterrupt(), "/help").play(chat)
    answer = chat.messages[-1]["content"]
    assert whole.startswith(answer) and 0 < len(answer) < len(whole)
    assert "[stopped]" in text and module.HELP in text, "the conversation goes on"


def test_the_oldest_turns_are_forgotten_when_the_context_is_full(tiny):
    chat, script = Chat(tiny, config(), system="S"), Script(*["a" * 40] * 5)
    text = script.play(chat)
    assert "oldest turns are forgotten" in text and "error" not in text
    assert chat.messages[0] == said("system", "S")
    assert [m["role"] for m in chat.messages[1:]] == ["user", "assistant"] * (
        len(chat.messages) // 2
    )
    assert len(tiny.encode_chat(chat.messages)) <= 192


def test_a_message_that_never_fits_is_refused_and_not_remembered(tiny):
    chat = Chat(tiny, config())
    text = Script("a" * 300, "Hi").play(chat)
    assert text.startswith("error: prompt: expected 1 to context_length=192 tokens")
    assert [m["content"] for m in chat.messages if m["role"] == "user"] == ["Hi"]


def test_a_model_without_a_template_is_refused(tiny_without_template):
    with pytest.raises(CourseError, match=r"chat template.*Fix: "):
        Chat(tiny_without_template, config())
