"""Duplicates: whole texts, lines, and near-duplicates by MinHash and LSH."""
