"""Sources of tokens: which of their rows are whole words, and how the tokenizer marks them."""

import re
from collections import Counter

import numpy as np

from embedhub.errors import VocabularyError
from embedhub.vectors.vectors import Vectors
from embedhub.vectors.vocabulary import Vocabulary

CONTINUATION = "##"
"""WordPiece: a token with it continues a word."""

WORD_STARTS = ("\u2581", "\u0120")
"""SentencePiece, byte-level BPE: a token with it starts a word, and one without it continues a word."""

_CONTROL = re.compile(r"\[[^\[\]\s]+\]|<[^<>\s]+>")  # [CLS], [unused1], </s>, <|endoftext|>


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
    """Return only those rows of tokens that are whole words, without the mark at their start.

    Left out are parts of words (``##ing``; in a vocabulary that marks the starts of words, the tokens without
    the mark) and control tokens (``[CLS]``, ``</s>``). Vectors of words are returned as they are.

    Args:
        vectors: The vectors. Of tokens, the matrix of the result is a copy in memory.

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
            is_word = not token.startswith(CONTINUATION) and not _CONTROL.fullmatch(token)
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
