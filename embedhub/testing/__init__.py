"""Tests for authors of plugins: `SourceContract`. Needs pytest."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embedhub.testing.contract import SourceContract

__all__ = ["SourceContract"]


def __getattr__(name: str) -> Any:
    if name != "SourceContract":
        raise AttributeError(f"module 'embedhub.testing' has no attribute {name!r}")
    # Imported on first use: it imports pytest, and import_audit must notice a plugin that imports pytest.
    from embedhub.testing.contract import SourceContract

    return SourceContract
