"""Training a decoder from a recipe: data, model, steps, logs, samples and checkpoints."""
