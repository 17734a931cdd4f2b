"""One module for each file format: readers, and writers for export."""
