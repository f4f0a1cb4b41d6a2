"""The Transformer, one concept a file: masks, attention, norms, positions, block, decoder."""
