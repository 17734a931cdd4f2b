"""The commands that evaluate vectors."""
