"""What the author of a plugin tests it with. Needs pytest."""

from embedhub.testing.contract import SourceContract

__all__ = ["SourceContract"]
