"""One module per form: each has ``write(path, selection, advance)``, and says which words it cannot hold."""
