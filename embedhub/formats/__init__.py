"""File formats, one module each, imported on first use."""

from importlib import import_module
from typing import NamedTuple

from embedhub.vectors.blocks import ComposerOpener, Format, Reader
from embedhub.vectors.subwords import open_subwords


class _Entry(NamedTuple):
    """A format: locations of its reader and composer, its version, and whether the reader is compiled."""

    reader: str
    version: int
    composer: ComposerOpener | None = None
    compiled: bool = False


FORMATS = {
    "fasttext": _Entry("fasttext.read", 1, open_subwords),
    "glove": _Entry("glove.read", 2, compiled=True),
    "npz": _Entry("npz.read", 1),
    "numberbatch": _Entry("numberbatch.read", 2, compiled=True),
    "static-embeddings": _Entry("static_embeddings.read", 1),
    "static-embeddings-prefix": _Entry("static_embeddings.read_prefix", 1),
    "word2vec-binary": _Entry("word2vec.read_binary", 2),
    "word2vec-text": _Entry("word2vec.read_text", 2, compiled=True),
}
"""Built-in formats by name. Plugins add others; see `embedhub.Format`."""

_LANGUAGE = "numberbatch:"


def check_format(name: str) -> None:
    """Raise ValueError unless a built-in format has this name.

    Args:
        name: One of `FORMATS`, or ``"numberbatch:<code>"`` for one language of a multilingual file.
    """
    if name not in FORMATS and not (name.startswith(_LANGUAGE) and name != _LANGUAGE):
        raise ValueError(
            f"format is {name!r}; expected one of {', '.join(map(repr, FORMATS))}, or a Format. If {name!r} "
            "is a format of a plugin, import its Format and write the table in Python, with RemoteFile(..., "
            "format=FORMAT): a name stands only for a format of embedhub."
        )


def versions(format: str | Format | None) -> str:  # noqa: A002 - what it is
    """Return the name and version of a format for cache keys, without importing its reader.

    Example:
        >>> versions("glove")
        'glove 2'

    Args:
        format: As for `RemoteFile`; None for all formats that are detected.
    """
    if isinstance(format, Format):
        return f"{format.name} {format.version}"
    if format is None:
        return ", ".join(f"{name} {entry.version}" for name, entry in FORMATS.items())
    check_format(format)
    return f"{format} {FORMATS[format.partition(':')[0]].version}"


def get_format(name: str) -> Format:
    """Return a built-in format, and import the module of its reader.

    Example:
        >>> get_format("glove").version
        2

    Args:
        name: As for `check_format`.

    Raises:
        ValueError: The format does not exist.
    """
    check_format(name)
    base, _, code = name.partition(":")
    entry = FORMATS[base]
    if code:
        from embedhub.formats import numberbatch

        return Format(name, numberbatch.language(code), version=entry.version)
    module, _, function = entry.reader.partition(".")
    reader: Reader = getattr(import_module(f"{__name__}.{module}"), function)
    return Format(name, reader, version=entry.version, composer=entry.composer)


def prepare(format: str | Format | None) -> None:  # noqa: A002 - what it is
    """Compile the reader of a format in a thread, if it needs compiling, while its file is downloaded.

    Example:
        >>> prepare("npz")

    Args:
        format: As for `RemoteFile`; None does nothing.
    """
    if isinstance(format, str) and FORMATS[format.partition(":")[0]].compiled:
        from embedhub.formats import _rows

        _rows.prepare()


def get_composer(format: str | Format | None) -> ComposerOpener | None:  # noqa: A002 - what it is
    """Return the function that opens the composer of a format, or None, without importing its reader.

    Example:
        >>> get_composer("glove") is None
        True

    Args:
        format: As for `RemoteFile`; None if unknown.
    """
    if isinstance(format, Format):
        return format.composer
    return open_subwords if format is None else FORMATS[format.partition(":")[0]].composer
