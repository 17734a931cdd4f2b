"""What the author of a plugin tests it with. Needs pytest."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from embedhub.testing.contract import SourceContract

__all__ = ["SourceContract"]


def __getattr__(name: str) -> Any:
    if name != "SourceContract":
        raise AttributeError(f"module 'embedhub.testing' has no attribute {name!r}")
    # Loaded on first use, since it imports pytest, and import_audit must see a plugin that does.
    from embedhub.testing.contract import SourceContract

    return SourceContract
