"""Text: the catalogue of corpora, their readers, and the generator of a tiny world."""
