"""The HTML book: its pages staged, its editions, its agenda and its reference."""
