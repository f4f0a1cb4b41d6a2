"""A conversation in a terminal: what was said so far, and one answer after the other.

Knows no terminal: lines come from a function and text goes to one, so that a test can play a
conversation. The whole conversation is read anew for every answer.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from llm_course.decoding.continuation import GenerationConfig
from llm_course.decoding.generate import stream
from llm_course.errors import CourseError
from llm_course.pretrained.chat_template import Message
from llm_course.pretrained.pretrained_model import PretrainedModel

HELP = "/reset forgets the conversation, /help shows this, Ctrl-C stops an answer, Ctrl-D ends."
_ANSWER_SHARE = 4
"""The oldest turns are forgotten until a quarter of the context is left for the answer."""


@dataclass(frozen=True)
class Terminal:
    """Where a conversation takes place.

    Args:
        read: the next line; raises ``EOFError`` when there is none.
        write: shows text as it comes, without a line end.
    """

    read: Callable[[], str]
    write: Callable[[str], None]


class Chat:
    """A conversation with a model.

    Args:
        pretrained: the model, with its tokenizer and chat template.
        config: how it answers; answer ``i`` is drawn with the seed ``seed + i``.
        system: what the model is told before all else; its template's own words if empty.

    Raises:
        CourseError: the model has no chat template.
    """

    def __init__(
        self, pretrained: PretrainedModel, config: GenerationConfig, system: str = ""
    ) -> None:
        if not pretrained.chat_template:
            raise CourseError(
                f"{pretrained.name}: expected a chat template, got none. Fix: use a model that was "
                "tuned to chat"
            )
        self.pretrained, self.system = pretrained, system
        self.config = replace(config, end_ids=(pretrained.end_id,))
        self.n_answers = 0
        self.reset()

    def reset(self) -> None:
        """Forget what was said."""
        self.messages: list[Message] = []
        if self.system:
            self.messages.append({"role": "system", "content": self.system})

    def run(self, terminal: Terminal) -> None:
        """Talk until there are no more lines."""
        while True:
            try:
                line = terminal.read().strip()
            except EOFError:
                terminal.write("\n")
                return
            except KeyboardInterrupt:  # nothing to stop: the line is thrown away
                terminal.write("\n")
                continue
            if line.startswith("/"):
                self._obey(line, terminal)
            elif line:
                self._say(line, terminal)

    def answer(self, message: str, write: Callable[[str], None]) -> str:
        """Say something; returns the answer, which is written as it comes.

        Ctrl-C stops it, and what was written until then is remembered.

        Raises:
            ValueError: the message alone does not fit into the context; nothing is remembered.
            CourseError: the template refuses the conversation; nothing is remembered.
        """
        before = list(self.messages)
        self.messages.append({"role": "user", "content": message})
        text = ""
        try:
            prompt = self._prompt(write)
            sampling = self.config.sampling
            sampling = replace(sampling, seed=sampling.seed + self.n_answers)
            config = replace(self.config, sampling=sampling)
            for piece in stream(self.pretrained.model, prompt, config, self.pretrained.tokenizer):
                text += piece.text
                write(piece.text)
        except (ValueError, CourseError):
            self.messages = before
            raise
        except KeyboardInterrupt:
            write(" [stopped]")
        self.messages.append({"role": "assistant", "content": text})
        self.n_answers += 1
        return text

    def _say(self, line: str, terminal: Terminal) -> None:
        try:
            self.answer(line, terminal.write)
        except (ValueError, CourseError) as error:
            terminal.write(f"error: {error}")
        terminal.write("\n")

    def _obey(self, line: str, terminal: Terminal) -> None:
        if line == "/reset":
            self.reset()
            terminal.write("The conversation is forgotten.\n")
        elif line == "/help":
            terminal.write(HELP + "\n")
        else:
            terminal.write(f"{line}: expected a command, got something else. {HELP}\n")

    def _prompt(self, write: Callable[[str], None]) -> list[int]:
        """The ids of the conversation; the oldest turns are forgotten if it is too long."""
        length = self.pretrained.model.config.context_length
        prompt, forgotten = self.pretrained.encode_chat(self.messages), 0
        first = 1 if self.system else 0
        while len(prompt) > length - length // _ANSWER_SHARE and len(self.messages) > first + 2:
            del self.messages[first : first + 2]  # a question and its answer
            forgotten += 1
            prompt = self.pretrained.encode_chat(self.messages)
        if forgotten:
            write(f"[the context is full: {forgotten} of the oldest turns are forgotten]\n")
        return prompt
