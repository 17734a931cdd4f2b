"""Sources by name, plugins, local files, and the inventory of the cache."""
