"""In what order a model reads: easy first, at what pace, and a mixture that follows the losses."""
