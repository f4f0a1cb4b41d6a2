"""What students run: validate, progress, and the move into a newer release."""
