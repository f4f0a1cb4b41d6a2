"""The look of every figure in the course, and the drawings that several chapters share."""
