"""A vocabulary, and its embedding matrix."""
