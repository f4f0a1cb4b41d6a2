"""Scaling laws: what a model of some size costs, and how its loss falls with size and text."""
