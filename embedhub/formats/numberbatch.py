"""ConceptNet Numberbatch: word2vec text with words, or with keys ``/c/<language>/<word>`` of many languages.

The English files contain plain words. Of a multilingual file, `read` yields the keys, and a reader made by
`language` yields the words of one language. In both kinds of files, spaces inside words are ``_``, and digits
of numbers with several are ``#`` (https://github.com/commonsense/conceptnet-numberbatch).
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from embedhub.errors import FormatError
from embedhub.formats import word2vec
from embedhub.vectors.blocks import Block, Reader

read = word2vec.read_text


def language(code: str) -> Reader:
    """Return a reader for one language of a multilingual file, which strips ``/c/<language>/`` from words.

    Example:
        >>> reader = language("en")

    Args:
        code: ConceptNet's code of the language, such as ``"en"`` or ``"zh"``.
    """
    return partial(_read_language, f"/c/{code}/")


def _read_language(prefix: str, path: Path, dim: int) -> Iterator[Block]:
    empty = True
    for words, vectors in word2vec.read_text(path, dim):
        selected = [i for i, word in enumerate(words) if word.startswith(prefix)]
        if selected:
            empty = False
            yield Block([words[i].removeprefix(prefix) for i in selected], vectors[selected])
    if empty:
        raise FormatError(f"{path}: no word of this file starts with {prefix!r}.")
