"""Running chapters: in parallel, with a cache, on CPU or GPU, with failures named by line."""
