"""Guess first, then measure: a notebook's record of what its reader expected.

Before a result the reader writes an interval that should hold it in nine cases of ten; at the
end of the notebook the share that did shows how well the reader's confidence is calibrated. The
guesses stay in the notebook: nothing is graded and nothing is sent anywhere.
"""

import html
import math
from dataclasses import dataclass

CONFIDENCE = 0.9


@dataclass
class Guess:
    """One question, the reader's interval and, once revealed, the measured value."""

    question: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    measured: float | None = None

    @property
    def written(self) -> bool:
        """Whether the reader has filled the interval in."""
        return self.low is not None and self.high is not None

    @property
    def hit(self) -> bool:
        """Whether the interval holds the measured value."""
        return self.written and self.measured is not None and self.low <= self.measured <= self.high


class PredictionBox:
    """A line of text in a box, for the page and for a terminal."""

    def __init__(self, text: str) -> None:
        self.text = text

    def _repr_html_(self) -> str:
        return f'<div class="prediction">{html.escape(self.text)}</div>'

    def __repr__(self) -> str:
        return self.text


class Predictions:
    """The guesses of one notebook.

    >>> guesses = Predictions()
    >>> guesses.write("share", "How much falls on the first token?", low=10, high=30, unit="%")
    Your guess: between 10 and 30 %.
    >>> guesses.reveal("share", 62.5)
    Measured: 62.5 %. You expected 10 to 30 %: outside your interval.
    >>> guesses.summary()
    0 of 1 measured values fell inside your intervals; nine in ten would be well calibrated.
    """

    def __init__(self) -> None:
        self._guesses: dict[str, Guess] = {}

    def write(
        self,
        name: str,
        question: str,
        *,
        low: float | None = None,
        high: float | None = None,
        unit: str = "",
    ) -> PredictionBox:
        """Record an interval; `None` leaves the question open, and the notebook runs on.

        Raises:
            ValueError: only one end is given, an end is not finite, or the ends are reversed.
        """
        ends = [end for end in (low, high) if end is not None]
        if len(ends) == 1 or not all(math.isfinite(end) for end in ends):
            raise ValueError(f"{name}: expected two finite numbers, got low={low}, high={high}.")
        if ends and low > high:
            raise ValueError(f"{name}: expected low ≤ high, got low={low}, high={high}.")
        self._guesses[name] = Guess(question, unit, low, high)
        if not ends:
            return PredictionBox(
                f"{question} In the notebook, write low and high before you run on."
            )
        return PredictionBox(f"Your guess: between {low:g} and {high:g}{_unit(unit)}.")

    def reveal(self, name: str, measured: float) -> PredictionBox:
        """Set the measured value beside the guess.

        Raises:
            KeyError: no question of this name was asked.
        """
        if name not in self._guesses:
            raise KeyError(f"{name}: expected one of {sorted(self._guesses)}.")
        guess = self._guesses[name]
        guess.measured = float(measured)
        text = f"Measured: {guess.measured:.4g}{_unit(guess.unit)}."
        if guess.written:
            place = "inside" if guess.hit else "outside"
            expected = f"{guess.low:g} to {guess.high:g}{_unit(guess.unit)}"
            text += f" You expected {expected}: {place} your interval."
        return PredictionBox(text)

    def summary(self) -> PredictionBox:
        """How many measured values the intervals held, against nine in ten."""
        judged = [g for g in self._guesses.values() if g.written and g.measured is not None]
        if not judged:
            return PredictionBox(
                f"This notebook asks {len(self._guesses)} questions, and no guess was written. "
                "Guessing first makes a result stick."
            )
        hits = sum(guess.hit for guess in judged)
        return PredictionBox(
            f"{hits} of {len(judged)} measured values fell inside your intervals; "
            "nine in ten would be well calibrated."
        )


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""
