"""Quality: rules, language, perplexity and a classifier, each a stage that says why it drops."""
