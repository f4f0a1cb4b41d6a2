"""What a training run is made of, validated once, when it is made."""

from dataclasses import dataclass
from typing import Literal, get_args

Schedule = Literal["cosine", "wsd"]
PrecisionName = Literal["fp32", "bf16", "fp16"]


@dataclass(frozen=True, kw_only=True)
class TrainingConfig:
    """The numbers of a training run.

    Args:
        n_steps: steps of the optimizer.
        learning_rate: the peak of the schedule.
        minimum_learning_rate: at the last step; a tenth of the peak if not given.
        warmup_steps: steps of the linear rise; fewer than ``n_steps``.
        schedule: what follows the rise: half a cosine, or a plateau and a linear fall (wsd).
        decay_steps: steps of that fall; a tenth of ``n_steps`` if 0.
        weight_decay: of the matrices.
        betas: how much of the gradient's mean, and of its square, stays.
        eps: keeps the step finite where the gradient is zero.
        max_grad_norm: longer gradients are scaled down to this norm; None leaves them.
        accumulation: parts in which a batch is computed, one after the other, when it does not
            fit into memory whole; the result is the same.
        evaluate_every: steps between two evaluations; 0 evaluates after the last step alone.
        fused: whether the optimizer is PyTorch's fused kernel, or the course's function.
        precision: of the products; the weights stay as they are, fp32 as a rule.

    Raises:
        ValueError: a number is out of range, or a choice is unknown.

    >>> TrainingConfig(n_steps=100, learning_rate=1e-3).minimum_learning_rate
    0.0001
    """

    n_steps: int
    learning_rate: float
    minimum_learning_rate: float | None = None
    warmup_steps: int = 0
    schedule: Schedule = "cosine"
    decay_steps: int = 0
    weight_decay: float = 0.1
    betas: tuple[float, float] = (0.9, 0.95)
    eps: float = 1e-8
    max_grad_norm: float | None = 1.0
    accumulation: int = 1
    evaluate_every: int = 0
    fused: bool = True
    precision: PrecisionName = "fp32"

    def __post_init__(self) -> None:
        if self.minimum_learning_rate is None:
            object.__setattr__(self, "minimum_learning_rate", self.learning_rate / 10)
        for field, least in _AT_LEAST.items():
            number = getattr(self, field)
            if type(number) is not int or number < least:
                raise ValueError(f"{field}: expected an integer from {least}, got {number!r}.")
        for field, choices in _CHOICES.items():
            if getattr(self, field) not in choices:
                raise ValueError(
                    f"{field}: expected one of {choices}, got {getattr(self, field)!r}."
                )
        if self.warmup_steps >= self.n_steps:
            raise ValueError(
                f"warmup_steps: expected fewer than n_steps={self.n_steps}, "
                f"got {self.warmup_steps}."
            )
        self._check_decay()
        self._check_ranges()

    def _check_decay(self) -> None:
        """The fall of ``wsd`` fits between the rise and the end; the cosine has none."""
        most = self.n_steps - self.warmup_steps
        if self.schedule == "wsd" and self.decay_steps == 0:
            object.__setattr__(self, "decay_steps", min(most, max(1, self.n_steps // 10)))
        most = most if self.schedule == "wsd" else 0
        if self.decay_steps > most:
            raise ValueError(
                f"decay_steps: expected at most {most} for the schedule {self.schedule}, "
                f"got {self.decay_steps}."
            )

    def _check_ranges(self) -> None:
        """The real numbers: each in its range, and none of them NaN."""
        ranges = {
            "learning_rate": self.learning_rate > 0,
            "minimum_learning_rate": 0 <= self.minimum_learning_rate <= self.learning_rate,
            "weight_decay": self.weight_decay >= 0,
            "betas": all(0 <= beta < 1 for beta in self.betas) and len(self.betas) == 2,
            "eps": self.eps > 0,
            "max_grad_norm": self.max_grad_norm is None or self.max_grad_norm > 0,
        }
        for field, fits in ranges.items():
            if not fits:
                raise ValueError(
                    f"{field}: expected {_RANGES[field]}, got {getattr(self, field)!r}."
                )


_AT_LEAST = {
    "n_steps": 1, "warmup_steps": 0, "decay_steps": 0, "accumulation": 1, "evaluate_every": 0,
}  # fmt: skip
_CHOICES = {"schedule": get_args(Schedule), "precision": get_args(PrecisionName)}
_RANGES = {
    "learning_rate": "a positive number",
    "minimum_learning_rate": "0 to learning_rate",
    "weight_decay": "0 or more",
    "betas": "two numbers from 0 to below 1",
    "eps": "a positive number",
    "max_grad_norm": "a positive number or None",
}
