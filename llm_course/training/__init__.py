"""Training: the loss, the optimizer, the learning rate over time, and the loop around them."""
