"""Training: loss, optimizer, learning rate, precision, the loop around them, and checkpoints."""
