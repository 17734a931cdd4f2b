"""Isolation of formats from plugins: errors of their code name the format and the plugin."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from embedhub.errors import EmbedhubError, FormatError, StoreError
from embedhub.registry.failure import describe
from embedhub.vectors.blocks import Block, Detected, ExtraFile, Format

Isolated = Callable[[str], AbstractContextManager[None]]


def isolated_format(provider: str, format: Format, isolated: Isolated) -> Format:  # noqa: A002 - what it is
    """Return a format whose ``detect`` raises nothing, and whose ``read`` raises errors of embedhub.

    Args:
        provider: The plugin.
        format: Its format.
        isolated: Returns the context in which code of a plugin runs; a function of a module, since the format
            is pickled with the vectors of a file.
    """
    return replace(
        format,
        read=_Read(provider, format),
        detect=_Detect(provider, format, isolated) if format.detect else None,
    )


@dataclass(frozen=True, slots=True)
class _Detect:
    """Calls ``detect`` of a plugin's format; an error becomes a warning, and the file is not recognized."""

    provider: str
    format: Format
    isolated: Isolated

    def __call__(self, start: bytes, path: Path) -> Detected | None:
        result = None
        with self.isolated(self.provider):
            detected = self.format.detect(start, path) if self.format.detect else None
            if detected is not None and not is_valid(detected):
                raise TypeError(
                    f"detect of its format {self.format.name!r} returned {detected!r} for {path}; expected "
                    "None, or a Detected with a positive int and a tuple of paths"
                )
            result = detected
        return result  # noqa: RET504 - None if the code of the plugin failed


def is_valid(detected: Any) -> bool:
    """Return whether the result of ``detect`` is a valid dimension and valid companion files."""
    return (
        isinstance(detected, Detected)
        and type(detected.dim) is int
        and detected.dim > 0
        and isinstance(detected.companions, tuple)
        and all(isinstance(path, Path) for path in detected.companions)
    )


@dataclass(frozen=True, slots=True)
class _Read:
    """Calls ``read`` of a plugin's format; its errors name the format and the plugin."""

    provider: str
    format: Format

    def __call__(self, path: Path, dim: int, *companions: Path) -> Iterator[Block | ExtraFile]:
        try:
            yield from self.format.read(path, dim, *companions)
        except (EmbedhubError, MemoryError, KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            kind = StoreError if isinstance(error, OSError) else FormatError
            failure = describe(error, self.format.read.__module__)
            raise kind(
                f"{path}: the reader of the format {self.format.name!r}, of the plugin {self.provider}, "
                f"failed: {failure}. Nothing was published. The file may be malformed; "
                "else update the plugin, or name it in EMBEDHUB_DISABLE_PLUGINS."
            ) from error
