"""Evaluation of word embeddings for embedhub: benchmarks, comparison, probing, plots."""

import lazy_loader

# The public names are written once, in __init__.pyi; each loads its module on first use.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
