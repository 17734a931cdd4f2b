"""The sources that come with embedhub, through the same hook as any plugin's."""
