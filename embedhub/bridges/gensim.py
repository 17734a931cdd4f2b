"""Vectors as gensim's `KeyedVectors`, and back, over the same memory. The only module that imports gensim."""

from __future__ import annotations  # so that help() shows types by their names

from collections.abc import Iterator, MutableMapping, MutableSequence
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

import numpy as np

from embedhub.errors import missing_dependency
from embedhub.registry.loading import Source, load
from embedhub.vectors.vectors import Vectors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gensim.models import KeyedVectors

    from embedhub.vectors.vocabulary import RowNumbers, Vocabulary


def to_gensim(source: Source) -> KeyedVectors:
    """Return vectors as a ``KeyedVectors`` of gensim, without a copy.

    It takes milliseconds: the matrix is the memory-mapped one, and the words stay in their file until many
    of them are looked up one by one, or changed. The matrix is read-only; methods of gensim that add or
    replace vectors make a copy first, and never change the store. Words are looked up in their exact
    spelling, without fallbacks. As for a file that gensim loads, the count of a word is its place from the
    end.

    Example:
        >>> import embedhub
        >>> from embedhub.bridges import to_gensim
        >>> kv = to_gensim("wordnet-ppmi:100")
        >>> len(kv), kv.vector_size, kv.key_to_index["music"]
        (78781, 100, 253)
        >>> kv.most_similar_to_given("cello", ["violin", "window"])
        'violin'

    Args:
        source: Opened `Vectors`, or a source with its dimension, as for `embedhub.load`.

    Raises:
        DependencyError: gensim is not installed.
        EmbedhubError: As `embedhub.load`.
    """
    keyed_vectors = _keyed_vectors("to_gensim")
    vectors = load(source)
    kv = keyed_vectors(vectors.dim)
    kv.vectors = np.asarray(vectors)
    kv.index_to_key = _Keys(vectors.words)
    kv.key_to_index = _Index(vectors.key_to_index)
    kv.next_index = len(vectors)
    kv.expandos["count"] = np.arange(len(vectors), 0, -1)
    return kv


def from_gensim(kv: KeyedVectors) -> Vectors:
    """Return the vectors of a ``KeyedVectors`` of gensim, which every function that takes a source accepts.

    A float32 matrix is not copied. Of vectors of gensim's fastText, those of the words in its vocabulary are
    taken.

    Example:
        >>> import embedhub
        >>> from embedhub.bridges import from_gensim, to_gensim
        >>> from_gensim(to_gensim("wordnet-ppmi:25"))
        <Vectors gensim: 78,781 words, dim 25>

    Args:
        kv: The vectors, such as ``model.wv`` of a ``Word2Vec``.

    Raises:
        DependencyError: gensim is not installed.
        TypeError: ``kv`` is not a ``KeyedVectors``, or its keys are not strings.
        ValueError: The vectors are not finite, or their number is not that of the keys.
    """
    if not isinstance(kv, _keyed_vectors("from_gensim")):
        hint = "; pass model.wv" if hasattr(kv, "wv") else ""
        raise TypeError(
            f"expected a KeyedVectors of gensim, got an object of type {type(kv).__name__}{hint}."
        )
    return Vectors(kv.vectors, kv.index_to_key, name="gensim")


def _keyed_vectors(feature: str) -> Any:
    """Return gensim's class."""
    try:
        from gensim.models import KeyedVectors
    except ImportError as error:
        raise missing_dependency(feature, "gensim", "embedhub[gensim]") from error
    return KeyedVectors


class _Keys(MutableSequence[str]):
    """The words by their rows; a list once they are changed. Pickled as a list."""

    def __init__(self, words: Vocabulary) -> None:
        self._words: Vocabulary | list[str] = words

    def _own(self) -> list[str]:
        if not isinstance(self._words, list):
            self._words = list(self._words)
        return self._words

    @overload
    def __getitem__(self, index: SupportsIndex) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: SupportsIndex | slice) -> str | list[str]:
        return self._words[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._own()[index] = value

    def __delitem__(self, index: SupportsIndex | slice) -> None:
        del self._own()[index]

    def __len__(self) -> int:
        return len(self._words)

    def __iter__(self) -> Iterator[str]:
        return iter(self._words)

    def insert(self, index: SupportsIndex, value: str) -> None:
        self._own().insert(index, value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, list | _Keys) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # as of a list

    def __reduce__(self) -> tuple[type[list[str]], tuple[list[str]]]:
        return list, (list(self),)

    def __repr__(self) -> str:
        return repr(self._words)


class _Index(MutableMapping[str, int]):
    """The row of each word; a dict of its own once they are changed. Pickled as a dict."""

    def __init__(self, rows: RowNumbers) -> None:
        self._rows: RowNumbers | dict[str, int] = rows

    def _own(self) -> dict[str, int]:
        if not isinstance(self._rows, dict):
            self._rows = dict(self._rows.items())
        return self._rows

    def __getitem__(self, word: str) -> int:
        return self._rows[word]

    def __setitem__(self, word: str, row: int) -> None:
        self._own()[word] = row

    def __delitem__(self, word: str) -> None:
        del self._own()[word]

    def __len__(self) -> int:
        return len(self._rows)

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def items(self) -> Any:
        return self._rows.items()

    def __reduce__(self) -> tuple[type[dict[str, int]], tuple[Iterable[tuple[str, int]]]]:
        return dict, (list(self.items()),)

    def __repr__(self) -> str:
        return repr(self._rows)
