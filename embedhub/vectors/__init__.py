"""Words and their vectors on disk, memory-mapped."""
