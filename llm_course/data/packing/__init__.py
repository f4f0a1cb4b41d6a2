"""From documents of token ids to batches of fixed size: masks, files, and what reads them."""
