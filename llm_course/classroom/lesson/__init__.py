"""What a notebook uses while it teaches: predictions, reproduction cards, intervals."""
