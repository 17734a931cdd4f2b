"""ConceptNet Numberbatch: word2vec text whose keys are words, or ``/c/<language>/<word>`` in many languages.

The English files have plain words; `read` gives the keys of either as they are. Of a multilingual file
`language` gives one language, its words bare. In both, blanks inside a word are ``_``, and digits of longer
numbers ``#`` (https://github.com/commonsense/conceptnet-numberbatch).
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from embedhub.errors import FormatError
from embedhub.formats import word2vec_text
from embedhub.vectors.blocks import Block, Reader

read = word2vec_text.read


def language(code: str) -> Reader:
    """Return a reader that gives one language of a multilingual file, without ``/c/<language>/``.

    Example:
        >>> reader = language("en")

    Args:
        code: As ConceptNet writes it, ``"en"`` or ``"zh"``.
    """
    return partial(_read_language, f"/c/{code}/")


def _read_language(prefix: str, path: Path, dim: int) -> Iterator[Block]:
    found = False
    for words, rows in word2vec_text.read(path, dim):
        chosen = [i for i, word in enumerate(words) if word.startswith(prefix)]
        if chosen:
            found = True
            yield [words[i].removeprefix(prefix) for i in chosen], rows[chosen]
    if not found:
        raise FormatError(f"{path}: no word of this file starts with {prefix!r}.")
