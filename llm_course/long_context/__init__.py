"""Long context: how a model reads further than it was trained to, and how well it then reads."""
