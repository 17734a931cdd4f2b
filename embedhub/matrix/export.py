"""A part of a source, or all of it, in the forms of other programs."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import islice
from os import PathLike
from pathlib import Path
from typing import Literal

import numpy as np

from embedhub._atomic import atomic_output, ensure_writable
from embedhub._progress import progress_bar
from embedhub.errors import ExportError
from embedhub.formats import _write_safetensors as safetensors
from embedhub.formats import _write_word2vec as word2vec
from embedhub.formats import npz, projector
from embedhub.formats._selection import Advance, Selection
from embedhub.registry.registry import Source, load
from embedhub.vectors.vectors import Vectors

Format = Literal["npz", "safetensors", "word2vec-text", "word2vec-binary", "projector"]


@dataclass(frozen=True, slots=True)
class _Form:
    write: Callable[[Path, Selection, Advance], None]
    refusal: Callable[[str], str | None]
    suffixes: tuple[str, ...]
    parts: frozenset[str] = frozenset()


_FORMS: dict[Format, _Form] = {
    "npz": _Form(npz.write, npz.refusal, (".npz",)),
    "safetensors": _Form(safetensors.write, safetensors.refusal, (".safetensors",)),
    "word2vec-text": _Form(word2vec.write_text, word2vec.refusal, (".txt", ".vec")),
    "word2vec-binary": _Form(word2vec.write_binary, word2vec.refusal, (".bin",)),
    "projector": _Form(projector.write, projector.refusal, (), parts=projector.FILES),
}


@dataclass(frozen=True, slots=True)
class Exported:
    """What `embedhub.export` has written.

    Example:
        >>> import embedhub
        >>> done = embedhub.export("wordnet-ppmi", 25, "few.vec", words=["rain", "qwxz"])
        >>> done.files[0].name, done.format, done.rows, done.missing
        ('few.vec', 'word2vec-text', 1, ('qwxz',))

    Args:
        files: The files, the one to open first.
        format: The form they have.
        rows: Number of rows.
        dim: Their width.
        missing: Words that were asked for, and are not in the source, in the order of the asking.
    """

    files: tuple[Path, ...]
    format: Format
    rows: int
    dim: int
    missing: tuple[str, ...]


def export(
    source: Source,
    dim: int | None,
    path: str | PathLike[str],
    *,
    words: Iterable[str] | None = None,
    topn: int | None = None,
    format: Format | None = None,  # noqa: A002 - what else would a user call it
    overwrite: bool = False,
) -> Exported:
    """Write vectors in the form of another program; each float32 survives bit for bit.

    =================== ======================= ==================================================
    format              by the ending           what it is, and which words it cannot hold
    =================== ======================= ==================================================
    ``npz``             ``.npz``                numpy's: arrays ``matrix``, ``words``; not a word
                                                that ends with a zero byte
    ``safetensors``     ``.safetensors``        the tensor ``embeddings``; in the metadata
                                                ``words``, a JSON list; only UTF-8
    ``word2vec-text``   ``.txt``, ``.vec``      no blank, no newline, no empty word
    ``word2vec-binary`` ``.bin``                the same
    ``projector``                               a folder for TensorBoard's Embedding Projector; no
                                                tab, no end of a line, no white space alone, only
                                                UTF-8
    =================== ======================= ==================================================

    The rows keep the order of the source, which for most is by frequency. Memory does not grow with the
    matrix. What is written appears by a rename, whole or not at all.

    Example:
        >>> import pathlib, tempfile
        >>> import embedhub, numpy as np
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "small.npz")
        ...     done = embedhub.export("wordnet-ppmi", 25, path, words=["rain", "music", "qwxz"])
        ...     with np.load(path) as arrays:
        ...         arrays["words"].tolist(), arrays["matrix"].shape, done.missing
        (['music', 'rain'], (2, 25), ('qwxz',))

    Args:
        source: A registered name, a path, an `EmbeddingSource`, or `Vectors`.
        dim: Width of a row; None where the source has only one.
        path: The file, or for ``projector`` the folder. Folders above it are made.
        words: Only these words, spelled as the source spells them; a mapping of words does too.
        topn: Only so many of the first rows, of those of ``words`` if they are given.
        format: One of those above; by default the ending of the path says it.
        overwrite: Whether a file that is there already is replaced.

    Raises:
        ValueError: The format is unknown, or not to be told from the path, or ``topn`` is no positive number.
        ExportError: The format cannot hold one of the words, or none of the words is in the source.
        OutputError: A file is there already, or the disk refuses the bytes.
        EmbedhubError: What `embedhub.load` raises.
    """
    path = Path(path)
    name = form_of(path, format)
    if topn is not None and topn < 1:
        raise ValueError(f"topn is {topn}; expected 1 or more, or None for all.")
    form = _FORMS[name]
    ensure_writable(
        path, overwrite=overwrite, expected_names=form.parts
    )  # before what may be a long download
    vectors = load(source, dim)
    selection, missing = _select(vectors, words, topn)
    _check_words(selection, name)
    with (
        atomic_output(path, overwrite=overwrite, expected_names=form.parts) as fresh,
        progress_bar(f"Writing {path.name}", len(selection.rows), in_bytes=False) as advance,
    ):
        form.write(fresh, selection, advance)
    files = (path / projector.CONFIG, *(path / part for part in sorted(form.parts - {projector.CONFIG})))
    return Exported(
        files=files if form.parts else (path,),
        format=name,
        rows=len(selection.rows),
        dim=vectors.dim,
        missing=missing,
    )


def read_words(path: Path) -> list[str]:
    """Return the words of a file with one word per line; empty lines count for nothing.

    Bytes that are not UTF-8 travel as surrogate escapes, as in all words of a source.
    """
    text = path.read_bytes().decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    return [word for line in text.split("\n") if (word := line.removesuffix("\r"))]


def form_of(path: Path, asked: str | None) -> Format:
    """Return the format that is asked for, or that the ending of a path tells.

    Raises:
        ValueError: There is no such format, or the ending tells none.
    """
    known = ", ".join(_FORMS)
    for name, form in _FORMS.items():
        if asked == name or (asked is None and path.suffix.lower() in form.suffixes):
            return name
    if asked is not None:
        raise ValueError(f"format is {asked!r}; expected one of {known}.")
    endings = ", ".join(suffix for form in _FORMS.values() for suffix in form.suffixes)
    raise ValueError(
        f"{path}: the ending does not tell the format; expected one of {endings}, or a format by name: "
        f"{known}."
    )


def _select(
    vectors: Vectors, words: Iterable[str] | None, topn: int | None
) -> tuple[Selection, tuple[str, ...]]:
    if words is None:
        return Selection(vectors, np.arange(min(len(vectors), topn or len(vectors)))), ()
    wanted = words if isinstance(words, str) else list(dict.fromkeys(words))
    rows = vectors.indices(wanted)
    missing = tuple(wanted[i] for i in np.flatnonzero(rows < 0).tolist())
    rows = np.sort(rows[rows >= 0])[:topn]
    if not len(rows):
        shown = ", ".join(map(repr, islice(missing, 5)))
        raise ExportError(
            f"None of the {len(missing)} words is in {vectors.name} {vectors.dim}d"
            f"{f': {shown}' if shown else ''}. Nothing was written."
        )
    return Selection(vectors, rows), missing


def _check_words(selection: Selection, name: Format) -> None:
    refusal = _FORMS[name].refusal
    refused = [word for words in selection.words() for word in words if refusal(word)]
    if refused:
        able = [other for other, form in _FORMS.items() if not any(map(form.refusal, refused))]
        more = f" (and {len(refused) - 1:,} more are like it)" if len(refused) > 1 else ""
        raise ExportError(
            f"The word {refused[0]!r} {refusal(refused[0])}{more}, so {name} cannot hold it. Nothing was "
            f"written. Leave such words out by words= (--words), or write {', '.join(able)}."
        )
