"""The sources that come with embedhub, provided through the same hook as those of plugins."""
