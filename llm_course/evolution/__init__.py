"""Language models before the Transformer: counted n-grams, and the first neural ones."""
