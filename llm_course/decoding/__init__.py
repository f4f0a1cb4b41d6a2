"""Decoding: what a trained model needs to write, beginning with where keys and values are kept."""
