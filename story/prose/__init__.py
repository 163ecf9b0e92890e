"""Prose without a model: a grammar over fragments in three languages, and the lint that every text must pass."""
