"""word2vec's two forms: a header ``<rows> <dim>``, then the rows as text or as bytes.

Both are written as gensim writes them: no blank at the end of a line, no newline behind the bytes of a row
(https://code.google.com/archive/p/word2vec/).
"""

from pathlib import Path

from embedhub.formats._numbers import numbers
from embedhub.formats._selection import Advance, Selection
from embedhub.vectors.vocabulary import encode, encode_all


def refusal(word: str) -> str | None:
    """Say why these forms cannot hold a word; None if they can."""
    if not word:
        return "is empty, which no reader of word2vec's forms expects"
    if " " in word or "\n" in word:
        return "holds a blank or a newline, where a word ends in word2vec's forms"
    return None


def write_text(path: Path, selection: Selection, advance: Advance) -> None:
    """Write a line for each row: the word, and the shortest digits of each number."""
    with path.open("wb") as file:
        file.write(b"%d %d\n" % selection.shape)
        for words, rows in selection.blocks():
            lines = zip(encode_all(words), numbers(rows, b" "), strict=True)
            file.write(b"".join([b"%b %b\n" % line for line in lines]))
            advance(len(words))


def write_binary(path: Path, selection: Selection, advance: Advance) -> None:
    """Write for each row the word, a blank, and the float32 as they are."""
    with path.open("wb") as file:
        file.write(b"%d %d\n" % selection.shape)
        for words, rows in selection.blocks():
            pairs = zip(words, rows, strict=True)
            file.write(b"".join([encode(word) + b" " + row.tobytes() for word, row in pairs]))
            advance(len(words))
