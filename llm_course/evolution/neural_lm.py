"""The first neural language model: vectors of the last few tokens, one hidden layer, a softmax."""

import torch
from einops import rearrange
from torch import Tensor, nn

from llm_course.shapes import check_shape


class NeuralLM(nn.Module):
    """Scores of the next token from the ``order - 1`` tokens before it.

    ``y = b + W x + U tanh(d + H x)``, with ``x`` the vectors of the tokens one after the other.
    What a table of n-grams could not do: tokens with similar vectors share what is learned.

    Args:
        vocab_size: how many tokens there are.
        order: tokens of an n-gram, the predicted one included.
        d_model: features of a token's vector.
        d_hidden: features of the hidden layer.
        direct: whether ``W``, from the vectors straight to the scores, is there.
        generator: of the first weights.

    Shapes:
        tokens ``b t`` with ``t = order - 1``; returns logits ``b v``.

    Raises:
        ValueError: the order leaves no token to look at.
        ShapeError: the number of tokens is another.

    Source:
        Bengio et al. 2003, Journal of Machine Learning Research 3, 1137-1155, eq. 1.

    >>> model = NeuralLM(5, order=3, d_model=2, d_hidden=4)
    >>> model(torch.tensor([[1, 2]])).shape
    torch.Size([1, 5])
    """

    def __init__(
        self,
        vocab_size: int,
        order: int,
        d_model: int,
        d_hidden: int,
        *,
        direct: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if order < 2:
            raise ValueError(f"order: expected 2 or more, got {order}.")
        self.n_tokens = order - 1
        width = self.n_tokens * d_model
        self.embedding = nn.Parameter(torch.empty(vocab_size, d_model))  # C
        self.hidden = nn.Linear(width, d_hidden)  # H, d
        self.output = nn.Linear(d_hidden, vocab_size)  # U, b
        self.direct = nn.Linear(width, vocab_size, bias=False) if direct else None  # W
        for weight in self.parameters():
            scale = weight.shape[-1] ** -0.5 if weight.dim() > 1 else 0.0
            nn.init.normal_(weight, std=scale, generator=generator)

    def forward(self, tokens: Tensor) -> Tensor:
        """See the class."""
        check_shape(tokens, "b t", "tokens", t=self.n_tokens)
        x = rearrange(self.embedding[tokens], "b t d -> b (t d)")
        scores = self.output(torch.tanh(self.hidden(x)))  # b + U tanh(d + H x)
        return scores if self.direct is None else scores + self.direct(x)
