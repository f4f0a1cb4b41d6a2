"""PyTorch's own engines for training with several processes, as strategies of the course's loop."""
