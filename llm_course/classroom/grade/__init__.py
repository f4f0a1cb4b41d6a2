"""Grading that cannot be forged: sandboxed answers, trusted tests, reports and the gradebook."""
