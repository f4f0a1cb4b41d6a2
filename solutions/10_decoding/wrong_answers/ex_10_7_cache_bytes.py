"""Plausible wrong answers to ex-10-7, the bytes of a paged cache."""


def keys_alone(n_layers, n_kv_heads, d_head, lengths, block_size=1, bytes_per_number=2):
    """The values are forgotten."""
    n_places = sum(-(-n // block_size) for n in lengths) * block_size
    return n_layers * n_kv_heads * d_head * n_places * bytes_per_number


def full_blocks_alone(n_layers, n_kv_heads, d_head, lengths, block_size=1, bytes_per_number=2):
    """The number of blocks is rounded down."""
    n_places = sum(n // block_size for n in lengths) * block_size
    return 2 * n_layers * n_kv_heads * d_head * n_places * bytes_per_number


def one_text(n_layers, n_kv_heads, d_head, lengths, block_size=1, bytes_per_number=2):
    """All texts are rounded up together, as if they shared blocks."""
    n_places = -(-sum(lengths) // block_size) * block_size
    return 2 * n_layers * n_kv_heads * d_head * n_places * bytes_per_number


def one_more_block(n_layers, n_kv_heads, d_head, lengths, block_size=1, bytes_per_number=2):
    """A text that fills its blocks is given another."""
    n_places = sum(n // block_size + 1 for n in lengths) * block_size
    return 2 * n_layers * n_kv_heads * d_head * n_places * bytes_per_number


def always_two_bytes(n_layers, n_kv_heads, d_head, lengths, block_size=1, bytes_per_number=2):
    """The size of a number is taken for granted."""
    n_places = sum(-(-n // block_size) for n in lengths) * block_size
    return 2 * n_layers * n_kv_heads * d_head * n_places * 2


def blocks_for_tokens(n_layers, n_kv_heads, d_head, lengths, block_size=1, bytes_per_number=2):
    """Blocks are counted where their tokens should be."""
    n_blocks = sum(-(-n // block_size) for n in lengths)
    return 2 * n_layers * n_kv_heads * d_head * n_blocks * bytes_per_number
