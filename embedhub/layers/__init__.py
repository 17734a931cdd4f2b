"""Embedding layers of Keras and PyTorch."""
