"""What was gathered once and is kept as tables: the survey of models, and recorded experiments."""
