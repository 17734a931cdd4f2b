"""A folder that spaCy opens as an empty pipeline with vectors.

It has one row for each exported word. Every other word of the source gets the row of the exported word whose
vector is nearest to its own by cosine, as spaCy's ``Vocab.prune_vectors`` does it. If the source looks up
words in lower case, they are entered in upper case and with a capital, too.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from embedhub._progress import Advance
from embedhub._text_lines import is_utf8
from embedhub.errors import missing_dependency
from embedhub.formats.export import ExportWriter
from embedhub.formats.selection import Selection
from embedhub.vectors.vectors import Vectors

_FILES = ("config.cfg", "meta.json", "tokenizer", "vocab")
_BLOCK = 1 << 26  # bytes of a block of cosines


def invalid_reason(word: str) -> str | None:
    """Return why a word cannot be written to this format; None if it can."""
    if not word:
        return "is empty, which spaCy's strings cannot be"
    return None if is_utf8(word) else "is not valid UTF-8, which spaCy's strings must be"


def write(path: Path, selection: Selection, advance: Advance) -> None:
    """Write the folder.

    Raises:
        DependencyError: spaCy is not installed.
    """
    try:
        import spacy
        from spacy.vectors import Vectors as Table
    except ModuleNotFoundError as error:
        raise missing_dependency("export to spacy", "spaCy", "embedhub-text[spacy]") from error
    vectors = selection.vectors
    words: list[str] = []
    matrix = np.empty(selection.shape, np.float32)
    for some, rows in selection.blocks():
        matrix[len(words) : len(words) + len(some)] = rows
        words += some
        advance(len(some))
    others = np.setdiff1d(np.arange(len(vectors)), selection.rows)
    names = {vectors.words[row]: position for row, position in _nearest(vectors, matrix, others)}
    names = {word: row for word, row in names.items() if not invalid_reason(word)}
    names |= {word: row for row, word in enumerate(words)}
    if "lower" in vectors.fallbacks:
        # spaCy looks up the very word, and does not save Vectors(attr="LOWER").
        names = {
            other(word): row for other in (str.upper, str.capitalize) for word, row in names.items()
        } | names
    nlp = spacy.blank("xx")
    table = Table(strings=nlp.vocab.strings, data=matrix, name=vectors.name)
    for word, row in names.items():
        nlp.vocab.strings.add(word)
        table.add(word, row=row)
    nlp.vocab.vectors = table
    nlp.to_disk(path)


def _nearest(
    vectors: Vectors, kept: NDArray[np.float32], rows: NDArray[np.int64]
) -> Iterator[tuple[int, int]]:
    """Yield each row with the position of the nearest kept vector; rows of zeros are skipped."""
    directions = _normalized(kept).T
    step = max(1, _BLOCK // (4 * len(kept)))
    for start in range(0, len(rows), step):
        block = rows[start : start + step]
        others = _normalized(vectors.matrix[block])
        nearest = (others @ directions).argmax(axis=1)
        is_zero = ~others.any(axis=1)
        yield from zip(block[~is_zero].tolist(), nearest[~is_zero].tolist(), strict=True)


def _normalized(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    result: NDArray[np.float32] = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return result


WRITER = ExportWriter(write, invalid_reason, folder_files=_FILES)
"""The entry point of the format."""
