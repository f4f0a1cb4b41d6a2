"""The LSTM: a network that carries a state along the text, and gates what enters and leaves it."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from llm_course.shapes import check_shape

State = tuple[Tensor, Tensor]


def lstm_step(
    x: Tensor, state: State, weight_input: Tensor, weight_hidden: Tensor, bias: Tensor
) -> State:
    """One step: what is forgotten, what is written, what is shown.

    ``i, f, g, o = W x + U h + b``, then ``c <- sigmoid(f) c + sigmoid(i) tanh(g)`` and
    ``h <- sigmoid(o) tanh(c)``. The cell ``c`` is changed by a sum, not by a product with a matrix,
    which lets a gradient pass through many steps.

    Args:
        x: features of the token.
        state: hidden state and cell before it.
        weight_input: ``W``, for the four gates in the order i, f, g, o.
        weight_hidden: ``U``, likewise.
        bias: ``b``, likewise.

    Shapes:
        x ``b d``; hidden state and cell ``b h``; weight_input ``4h d``; weight_hidden ``4h h``;
        bias ``4h``; returns the new two, ``b h``.

    Raises:
        ShapeError: the sizes do not fit.

    Source:
        Hochreiter and Schmidhuber 1997; with the forget gate of Gers et al. 2000, as in PyTorch.

    >>> still = torch.zeros(1, 1), torch.ones(1, 1)
    >>> gates = torch.tensor([-99.0, 99.0, 0.0, -99.0])  # nothing in, nothing forgotten or shown
    >>> none = torch.zeros(4, 1)
    >>> hidden, cell = lstm_step(torch.ones(1, 1), still, none, none, gates)
    >>> hidden.item(), cell.item()
    (0.0, 1.0)
    """
    hidden, cell = state
    sizes = check_shape(hidden, "b h", "hidden")
    check_shape(x, "b d", "x", b=sizes["b"], d=weight_input.shape[1])
    check_shape(weight_input, "g d", "weight_input", g=4 * sizes["h"])
    gates = x @ weight_input.T + hidden @ weight_hidden.T + bias
    i, f, g, o = gates.chunk(4, dim=-1)
    cell = f.sigmoid() * cell + i.sigmoid() * g.tanh()
    return o.sigmoid() * cell.tanh(), cell


class LSTMLayer(nn.Module):
    """``lstm_step`` along a text.

    Args:
        d_model: features of the input.
        d_hidden: features of the state.
        generator: of the first weights.

    Shapes:
        x ``b t d``; returns the hidden states ``b t h`` and the last state, two of ``b h``.
    """

    def __init__(
        self, d_model: int, d_hidden: int, generator: torch.Generator | None = None
    ) -> None:
        super().__init__()
        self.weight_input = nn.Parameter(torch.empty(4 * d_hidden, d_model))
        self.weight_hidden = nn.Parameter(torch.empty(4 * d_hidden, d_hidden))
        self.bias = nn.Parameter(torch.zeros(4 * d_hidden))
        for weight in (self.weight_input, self.weight_hidden):
            nn.init.normal_(weight, std=d_hidden**-0.5, generator=generator)
        with torch.no_grad():
            self.bias[d_hidden : 2 * d_hidden] = 1.0  # a new network forgets nothing

    def forward(self, x: Tensor, state: State | None = None) -> tuple[Tensor, State]:
        """See the class; without a state it begins with zeros."""
        if state is None:
            zeros = x.new_zeros(len(x), self.weight_hidden.shape[1])
            state = (zeros, zeros)
        shown = []
        for token in x.unbind(dim=1):
            state = lstm_step(token, state, self.weight_input, self.weight_hidden, self.bias)
            shown.append(state[0])
        return torch.stack(shown, dim=1), state


class LSTMLM(nn.Module):
    """Scores of the next token at every place, from everything before it.

    Args:
        vocab_size: how many tokens there are.
        d_model: features of tokens and states.
        n_layers: LSTM layers, one on the other.
        generator: of the first weights.

    Shapes:
        tokens ``b t``; returns logits ``b t v`` and the state of every layer, to go on from.

    Raises:
        ValueError: there is no layer.

    Source:
        Mikolov et al. 2010 (recurrent LM); Sundermeyer et al. 2012 (with an LSTM).

    >>> model = LSTMLM(5, d_model=4, n_layers=2)
    >>> logits, states = model(torch.tensor([[1, 2, 3]]))
    >>> logits.shape, len(states)
    (torch.Size([1, 3, 5]), 2)
    """

    def __init__(
        self,
        vocab_size: int,
        d_model: int,
        n_layers: int = 1,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        if n_layers < 1:
            raise ValueError(f"n_layers: expected 1 or more, got {n_layers}.")
        self.embedding = nn.Parameter(torch.empty(vocab_size, d_model))
        nn.init.normal_(self.embedding, std=d_model**-0.5, generator=generator)
        self.layers = nn.ModuleList(LSTMLayer(d_model, d_model, generator) for _ in range(n_layers))

    def forward(
        self, tokens: Tensor, states: Sequence[State] | None = None
    ) -> tuple[Tensor, list[State]]:
        """See the class."""
        check_shape(tokens, "b t", "tokens")
        x, after = self.embedding[tokens], []
        for layer, state in zip(self.layers, states or [None] * len(self.layers), strict=True):
            x, state = layer(x, state)
            after.append(state)
        return x @ self.embedding.T, after
