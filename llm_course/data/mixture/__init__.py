"""How much of each source a model reads: mixing weights, a seeded sampler, a fixed plan."""
