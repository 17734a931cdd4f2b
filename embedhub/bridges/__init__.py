"""Vectors for other packages, and theirs for embedhub: one module for each package."""

import lazy_loader

# The public names are written once, in __init__.pyi; each loads its module on first use.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
