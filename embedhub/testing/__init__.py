"""Tests for plugin authors: `SourceContract` and `FormatContract`. They need pytest."""

import lazy_loader

# Loaded on first use: it imports pytest, and import_audit must notice a plugin that imports pytest.
__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
