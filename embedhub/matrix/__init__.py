"""Vocabularies, their coverage, and their embedding matrices."""
