"""Training on several processes: data, tensor and pipeline parallelism, ZeRO, and their costs."""
