"""Texts to vectors: in memory, in files, on engines."""
