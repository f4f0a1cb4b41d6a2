"""What a run would need, before it is run: parameters, memory, work and time.

The memory of one process that holds everything: weights, gradients and AdamW's two moments, each
in fp32, 16 bytes a parameter. Activations come on top. What many GPUs would need is in
``spread.py``.
"""

from dataclasses import dataclass

import torch

from llm_course.model.config import DecoderConfig
from llm_course.model.decoder import Decoder
from llm_course.pretrained.pretrained_model import NoInitialWeights
from llm_course.recipes.train.recipe import TrainRecipe

BYTES_A_PARAMETER = {"weights": 4, "gradients": 4, "moments of AdamW": 8}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The needs of a run.

    Args:
        n_parameters: of the model.
        n_tokens: that it is trained on, with repetition.
        flops: of the whole training.
    """

    n_parameters: int
    n_tokens: int
    flops: float

    @property
    def state_bytes(self) -> dict[str, int]:
        """Bytes of what every step needs, by what it is."""
        return {name: self.n_parameters * size for name, size in BYTES_A_PARAMETER.items()}

    def hours(self, peak_flops: float, utilisation: float, n_devices: int = 1) -> float:
        """How long the training takes on devices of which a share of the peak is used.

        >>> plan = Plan(n_parameters=10, n_tokens=100, flops=3.6e15)
        >>> plan.hours(peak_flops=1e12, utilisation=0.5, n_devices=2)
        1.0
        """
        return self.flops / (peak_flops * utilisation * n_devices) / 3600


def flops_per_token(config: DecoderConfig, n_parameters: int) -> float:
    """Work of training on one token: ``6 N + 12 L H Q T``, with ``H Q = d_model`` as a rule.

    Twice for each weight that is multiplied forward, four times backward; and the products of
    queries, keys and values with all ``T`` positions, as if each saw all of them. An embedding
    that is not tied to the output is looked up, not multiplied, and does not count.

    Source:
        Chowdhery et al. 2022, arXiv:2204.02311, appendix B.

    >>> config = DecoderConfig(
    ...     vocab_size=5, context_length=8, d_model=4, n_layers=1, n_heads=2, d_ff=3
    ... )
    >>> flops_per_token(config, n_parameters=132)  # 6 * 132 + 12 * 1 * 4 * 8
    1176.0
    """
    looked_up = 0 if config.tie_embeddings else config.vocab_size * config.d_model
    attention = 12 * config.n_layers * config.d_model * config.context_length
    return 6.0 * (n_parameters - looked_up) + attention


def planned_config(recipe: TrainRecipe) -> DecoderConfig:
    """The decoder of a recipe, with the largest vocabulary that its tokenizer may have."""
    return recipe.decoder_config(recipe.model.get("vocab_size", recipe.data.vocab_size))


def plan(recipe: TrainRecipe) -> Plan:
    """The needs of a recipe; nothing is allocated, however large the model."""
    config = planned_config(recipe)
    with torch.device("meta"), NoInitialWeights():
        n_parameters = Decoder(config).n_parameters
    n_tokens = recipe.training.n_steps * recipe.run.batch_size * config.context_length
    return Plan(
        n_parameters=n_parameters,
        n_tokens=n_tokens,
        flops=n_tokens * flops_per_token(config, n_parameters),
    )


def plan_lines(made: Plan) -> list[str]:
    """A plan in words.

    >>> plan_lines(Plan(n_parameters=10**9, n_tokens=10**10, flops=6e19))[1]
    'memory, one process: weights 4.0 GB, gradients 4.0 GB, moments of AdamW 8.0 GB, together 16.0 GB'
    """  # noqa: E501
    parts = [f"{name} {_size(n_bytes)}" for name, n_bytes in made.state_bytes.items()]
    together = _size(sum(made.state_bytes.values()))
    return [
        f"parameters: {made.n_parameters:,}; tokens: {made.n_tokens:,} "
        f"({made.n_tokens / made.n_parameters:.1f} a parameter)",
        f"memory, one process: {', '.join(parts)}, together {together}",
        f"work: {made.flops:.3g} FLOP; at 40 % of 989 TFLOP/s (one H100, bf16, dense) "
        f"{made.hours(989e12, 0.4):,.1f} hours",
    ]


def _size(n_bytes: int) -> str:
    """A size in the unit that fits.

    >>> _size(4_200_000), _size(27_000_000_000)
    ('4.2 MB', '27.0 GB')
    """
    return f"{n_bytes / 1e9:.1f} GB" if n_bytes >= 1e9 else f"{n_bytes / 1e6:.1f} MB"
