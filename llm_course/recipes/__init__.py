"""Whole jobs that put the parts together, each described by a file."""
