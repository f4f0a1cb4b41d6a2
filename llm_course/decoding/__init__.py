"""Decoding: how a trained model writes, from choosing one token to serving many texts at once."""
