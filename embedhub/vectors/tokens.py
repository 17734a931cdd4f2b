"""Classification of tokens: whole words, parts of words, and control tokens."""

import re
from collections import Counter
from collections.abc import Collection

import numpy as np

from embedhub.errors import VocabularyError
from embedhub.vectors.fallbacks import WORD_STARTS, Fallback
from embedhub.vectors.vectors import Vectors
from embedhub.vectors.vocabulary import Vocabulary

CONTINUATION = "##"
"""Prefix of a WordPiece token that continues a word."""

_CONTROL = re.compile(r"\[[^\[\]\s]+\]|<[^<>\s]+>")


def is_control(token: str) -> bool:
    """Return whether a token has the form of ``[CLS]``, ``[unused1]``, ``</s>`` or ``<|endoftext|>``."""
    return _CONTROL.fullmatch(token) is not None


def default_fallbacks(vectors: Vectors, words: Collection[str]) -> tuple[Fallback, ...]:
    """Return the fallbacks of a source, with ``"word-start"`` if words are tokens and its rows are not.

    A vocabulary that has one of `WORD_STARTS` as a token is that of a tokenizer which marks words with it.

    Args:
        vectors: The source.
        words: A vocabulary.
    """
    marked = vectors.unit == "word" and any(mark in words for mark in WORD_STARTS)
    return ("word-start", *vectors.fallbacks) if marked else vectors.fallbacks


def strip_marks(token: str) -> str:
    """Return a token without the mark of a tokenizer."""
    return token.removeprefix(CONTINUATION).lstrip("".join(WORD_STARTS))


def word_start(vectors: Vectors) -> str:
    """Return the mark with which the tokenizer of a source begins words; ``""`` if it has none.

    It is the most frequent of the known marks: a WordPiece vocabulary may have ``▁`` as a character.

    Args:
        vectors: Vectors whose unit is ``"token"``.
    """
    marks = (CONTINUATION, *WORD_STARTS)
    counts = Counter(mark for token in vectors.words for mark in marks if token.startswith(mark))
    most = max(marks, key=lambda mark: counts[mark])
    return "" if most == CONTINUATION else most


def whole_words(vectors: Vectors) -> Vectors:
    """Return the vectors of only those tokens that are whole words, without the mark at their start.

    Excluded are parts of words (``##ing``; in a vocabulary that marks the starts of words, the tokens without
    the mark) and control tokens (``[CLS]``, ``</s>``). Vectors of words are returned unchanged.

    Args:
        vectors: The vectors. If their unit is ``"token"``, the matrix of the result is a copy in memory.

    Raises:
        VocabularyError: No token is a whole word.
    """
    if vectors.unit == "word":
        return vectors
    mark = word_start(vectors)
    rows, words = [], []
    for row, token in enumerate(vectors.words):
        if mark:
            is_word = token.startswith(mark) and token != mark
        else:
            is_word = not token.startswith(CONTINUATION) and not is_control(token)
        if is_word:
            rows.append(row)
            words.append(token.removeprefix(mark))
    if not rows:
        raise VocabularyError(
            f"{vectors.name} {vectors.dim}d has {len(vectors):,} tokens, none of which is a whole word."
        )
    return Vectors(
        vectors.matrix[np.array(rows)],
        Vocabulary.of(words),
        name=vectors.name,
        manifest=vectors.manifest | {"unit": "word", "tokenization": "words"},
        fallbacks=vectors.fallbacks,
    )
