"""Trained weights from elsewhere, brought into the course's own modules and back out."""
