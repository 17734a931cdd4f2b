"""Export of vectors to the file formats of other programs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Literal

import numpy as np

from embedhub._atomic import atomic_output, ensure_writable
from embedhub._progress import Advance, progress_bar
from embedhub.errors import FormatError, VocabularyError
from embedhub.formats import npz, projector, static_embeddings, word2vec
from embedhub.formats._selection import Selection
from embedhub.vectors.vectors import Vectors

ExportFormat = Literal["npz", "safetensors", "word2vec-text", "word2vec-binary", "projector"]


@dataclass(frozen=True, slots=True)
class _Format:
    write: Callable[[Path, Selection, Advance], None]
    invalid_reason: Callable[[str], str | None]
    suffixes: tuple[str, ...] = ()
    folder_files: tuple[str, ...] = ()


_FORMATS: dict[ExportFormat, _Format] = {
    "npz": _Format(npz.write, npz.invalid_reason, (".npz",)),
    "safetensors": _Format(static_embeddings.write, static_embeddings.invalid_reason, (".safetensors",)),
    "word2vec-text": _Format(word2vec.write_text, word2vec.invalid_text_reason, (".txt", ".vec")),
    "word2vec-binary": _Format(word2vec.write_binary, word2vec.invalid_reason, (".bin",)),
    "projector": _Format(projector.write, projector.invalid_reason, folder_files=projector.FILES),
}


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
    format: ExportFormat
    count: int
    dim: int
    missing: tuple[str, ...]


def export_vectors(
    vectors: Vectors,
    path: str | PathLike[str],
    *,
    words: Iterable[str] | None = None,
    topn: int | None = None,
    format: ExportFormat | None = None,  # noqa: A002 - as in embedhub.export
    overwrite: bool = False,
) -> ExportResult:
    """Write vectors to a file; see `embedhub.export`."""
    path = Path(path)
    name = check_export(path, topn=topn, format=format, overwrite=overwrite)
    writer = _FORMATS[name]
    selection, missing = _select(vectors, words, topn)
    _check_words(selection, name)
    with (
        atomic_output(path, overwrite=overwrite, expected_names=writer.folder_files) as temporary,
        progress_bar(f"Writing {path.name}", len(selection.rows), in_bytes=False) as advance,
    ):
        writer.write(temporary, selection, advance)
    files = tuple(path / file for file in writer.folder_files) or (path,)
    return ExportResult(files, name, len(selection.rows), vectors.dim, missing)


def check_export(
    path: str | PathLike[str],
    *,
    topn: int | None = None,
    format: str | None = None,  # noqa: A002 - as in embedhub.export
    overwrite: bool = False,
) -> ExportFormat:
    """Check the arguments of an export before the vectors are loaded, which may need a long download.

    Returns:
        The format.

    Raises:
        ValueError: The format is unknown or cannot be inferred, or ``topn`` is less than 1.
        OutputError: The path exists, and ``overwrite`` is false.
    """
    name = infer_format(Path(path), format)
    if topn is not None and topn < 1:
        raise ValueError(f"topn is {topn}; expected 1 or more, or None for all.")
    ensure_writable(Path(path), overwrite=overwrite, expected_names=_FORMATS[name].folder_files)
    return name


def infer_format(path: Path, format: str | None = None) -> ExportFormat:  # noqa: A002 - as in embedhub.export
    """Return the given format, or the one that the suffix of a path implies.

    Raises:
        ValueError: The format is unknown, or the suffix does not imply one.
    """
    known = ", ".join(_FORMATS)
    for name, writer in _FORMATS.items():
        if format == name or (format is None and path.suffix.lower() in writer.suffixes):
            return name
    if format is not None:
        raise ValueError(f"format is {format!r}; expected one of {known}.")
    suffixes = ", ".join(suffix for writer in _FORMATS.values() for suffix in writer.suffixes)
    raise ValueError(
        f"{path}: the format cannot be inferred from the suffix; expected one of {suffixes}, or one of the "
        f"formats {known}."
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


def _check_words(selection: Selection, name: ExportFormat) -> None:
    """Raise FormatError if the format cannot represent one of the words."""
    reason = _FORMATS[name].invalid_reason
    invalid = [word for words in selection.words() for word in words if reason(word)]
    if invalid:
        possible = [
            other for other, writer in _FORMATS.items() if not any(map(writer.invalid_reason, invalid))
        ]
        more = f" (and {len(invalid) - 1:,} more words have such a problem)" if len(invalid) > 1 else ""
        raise FormatError(
            f"The word {invalid[0]!r} {reason(invalid[0])}{more}, so it cannot be written as {name}. Nothing "
            f"was written. Exclude such words with words= (--words), or use one of {', '.join(possible)}."
        )
