"""One module per format: each has ``read(path, dim)``, which gives blocks of words and rows."""
