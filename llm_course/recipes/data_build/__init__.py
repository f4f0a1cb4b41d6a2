"""From corpora to shards of training data: read, filter, deduplicate, tokenise, mix, pack."""
