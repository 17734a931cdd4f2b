"""Verified files from elsewhere."""
