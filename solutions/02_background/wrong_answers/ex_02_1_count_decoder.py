"""Plausible wrong answers to ex-02-1, counting weights and work."""


def one_layer(n_layers, d_model, d_ff, vocab_size, n_tokens, gated=False):
    """Only one block is counted."""
    blocks = 4 * d_model**2 + (3 if gated else 2) * d_model * d_ff
    embedding = vocab_size * d_model
    return blocks, embedding, 6 * (blocks + embedding) * n_tokens


def three_matrices_of_attention(n_layers, d_model, d_ff, vocab_size, n_tokens, gated=False):
    """The output projection of attention is forgotten."""
    blocks = n_layers * (3 * d_model**2 + (3 if gated else 2) * d_model * d_ff)
    embedding = vocab_size * d_model
    return blocks, embedding, 6 * (blocks + embedding) * n_tokens


def gate_ignored(n_layers, d_model, d_ff, vocab_size, n_tokens, gated=False):
    """A gated layer is counted with two matrices."""
    blocks = n_layers * (4 * d_model**2 + 2 * d_model * d_ff)
    embedding = vocab_size * d_model
    return blocks, embedding, 6 * (blocks + embedding) * n_tokens


def forward_only(n_layers, d_model, d_ff, vocab_size, n_tokens, gated=False):
    """Two operations a weight: the backward pass is forgotten."""
    blocks = n_layers * (4 * d_model**2 + (3 if gated else 2) * d_model * d_ff)
    embedding = vocab_size * d_model
    return blocks, embedding, 2 * (blocks + embedding) * n_tokens


def work_of_the_blocks_alone(n_layers, d_model, d_ff, vocab_size, n_tokens, gated=False):
    """The product with the output matrix is left out of the work."""
    blocks = n_layers * (4 * d_model**2 + (3 if gated else 2) * d_model * d_ff)
    return blocks, vocab_size * d_model, 6 * blocks * n_tokens


def embedding_twice(n_layers, d_model, d_ff, vocab_size, n_tokens, gated=False):
    """A tied embedding is counted for the input and for the output."""
    blocks = n_layers * (4 * d_model**2 + (3 if gated else 2) * d_model * d_ff)
    embedding = 2 * vocab_size * d_model
    return blocks, embedding, 6 * (blocks + embedding) * n_tokens
