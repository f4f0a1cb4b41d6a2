"""From text to token ids and back: byte-level BPE."""
