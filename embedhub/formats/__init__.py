"""One module per file format: ``read(path, dim)`` yields blocks of words and vectors."""
