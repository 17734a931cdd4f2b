"""Downloads of verified files."""
