"""Export of vectors to the file formats of other programs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from embedhub._atomic import atomic_output
from embedhub._progress import Advance, progress_bar
from embedhub.errors import FormatError, VocabularyError
from embedhub.formats import npz, projector, static_embeddings, word2vec
from embedhub.formats.selection import Selection
from embedhub.vectors.vectors import Vectors


@dataclass(frozen=True, slots=True)
class ExportWriter:
    r"""Writes one format; a plugin has it as an entry point of the group ``embedhub.exports``.

    Example:
        >>> def write(path, selection, advance):
        ...     with path.open("w", encoding="utf-8") as file:
        ...         for words, vectors in selection.blocks():
        ...             file.writelines(f"{word}\n" for word in words)
        ...             advance(len(words))
        ...
        >>> writer = ExportWriter(write, invalid_reason=lambda word: None)

    Args:
        write: Function that writes a `Selection` to a path that does not exist yet; its third argument is
            called with the number of vectors after each block.
        invalid_reason: Function that returns why a word cannot be written; None if it can.
        suffixes: Suffixes of paths that imply the format; a plugin's format is always named.
        folder_files: Names of the files in the folder that it writes, the one to open first; empty for a
            format of one file.
    """

    write: Callable[[Path, Selection, Advance], None]
    invalid_reason: Callable[[str], str | None]
    suffixes: tuple[str, ...] = ()
    folder_files: tuple[str, ...] = ()


WRITERS: dict[str, ExportWriter] = {
    "npz": ExportWriter(npz.write, npz.invalid_reason, (".npz",)),
    "safetensors": ExportWriter(static_embeddings.write, static_embeddings.invalid_reason, (".safetensors",)),
    "word2vec-text": ExportWriter(word2vec.write_text, word2vec.invalid_text_reason, (".txt", ".vec")),
    "word2vec-binary": ExportWriter(word2vec.write_binary, word2vec.invalid_reason, (".bin",)),
    "projector": ExportWriter(projector.write, projector.invalid_reason, folder_files=projector.FILES),
}
"""The built-in formats."""


@dataclass(frozen=True, slots=True)
class ExportResult:
    """The result of `embedhub.export`: the files written, and the requested words that were missing.

    Example:
        >>> import embedhub
        >>> result = embedhub.export("wordnet-ppmi", 25, "few.vec", words=["rain", "qwxz"])
        >>> result.files[0].name, result.format, result.count, result.missing
        ('few.vec', 'word2vec-text', 1, ('qwxz',))

    Args:
        files: The files; the first is the one to open.
        format: Format of the files.
        count: Number of vectors.
        dim: Dimension of the vectors.
        missing: Requested words that are not in the source, in the order of the request.
    """

    files: tuple[Path, ...]
    format: str
    count: int
    dim: int
    missing: tuple[str, ...]


def export_vectors(
    vectors: Vectors,
    path: Path,
    name: str,
    writer: ExportWriter,
    *,
    words: Iterable[str] | None = None,
    topn: int | None = None,
    overwrite: bool = False,
) -> ExportResult:
    """Write vectors in a format; see `embedhub.export`."""
    selection, missing = _select(vectors, words, topn)
    _check_words(selection, name, writer)
    with (
        atomic_output(path, overwrite=overwrite, expected_names=writer.folder_files) as temporary,
        progress_bar(f"Writing {path.name}", len(selection.rows), in_bytes=False) as advance,
    ):
        writer.write(temporary, selection, advance)
    files = tuple(path / file for file in writer.folder_files) or (path,)
    return ExportResult(files, name, len(selection.rows), vectors.dim, missing)


def infer_format(path: Path) -> str:
    """Return the format that the suffix of a path implies.

    Raises:
        ValueError: The suffix implies none.
    """
    for name, writer in WRITERS.items():
        if path.suffix.lower() in writer.suffixes:
            return name
    suffixes = ", ".join(suffix for writer in WRITERS.values() for suffix in writer.suffixes)
    raise ValueError(
        f"{path}: the format cannot be inferred from the suffix; expected one of {suffixes}, or one of the "
        f"formats {', '.join(WRITERS)}."
    )


def _select(
    vectors: Vectors, words: Iterable[str] | None, topn: int | None
) -> tuple[Selection, tuple[str, ...]]:
    """Return the vectors to write, and the requested words that are not in the source."""
    if words is None:
        return Selection(vectors, np.arange(min(len(vectors), topn or len(vectors)))), ()
    # A single string is passed on, so that `indices` raises its TypeError.
    requested = words if isinstance(words, str) else list(dict.fromkeys(words))
    rows = vectors.indices(requested)
    missing = tuple(requested[i] for i in np.flatnonzero(rows < 0).tolist())
    rows = np.sort(rows[rows >= 0])[:topn]
    if not len(rows):
        examples = ", ".join(map(repr, islice(missing, 5)))
        raise VocabularyError(
            f"None of the {len(missing)} words is in {vectors.name} {vectors.dim}d"
            f"{f': {examples}' if examples else ''}. Nothing was written."
        )
    return Selection(vectors, rows), missing


def _check_words(selection: Selection, name: str, writer: ExportWriter) -> None:
    """Raise FormatError if the format cannot represent one of the words."""
    reason = writer.invalid_reason
    invalid = [word for words in selection.words() for word in words if reason(word)]
    if invalid:
        possible = [
            other for other, built_in in WRITERS.items() if not any(map(built_in.invalid_reason, invalid))
        ]
        more = f" (and {len(invalid) - 1:,} more words have such a problem)" if len(invalid) > 1 else ""
        raise FormatError(
            f"The word {invalid[0]!r} {reason(invalid[0])}{more}, so it cannot be written as {name}. Nothing "
            f"was written. Exclude such words with words= (--words), or use one of {', '.join(possible)}."
        )
