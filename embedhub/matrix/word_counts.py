"""How often each word occurs in a file of the caller's: a text, or a vocabulary."""

import io
import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Literal, TextIO

from embedhub._compression import open_bytes
from embedhub._progress import progress_bar
from embedhub.errors import FormatError, LocalFileError
from embedhub.matrix import tokenizers as tokens

Kind = Literal["text", "vocabulary"]
"""What a file of words may be."""

STDIN = "-"

_CHUNK = 1 << 20
_LINES_TO_GUESS = 1000
_WORTH_A_BAR = 20_000_000  # bytes, a few seconds of cutting
_JSON = re.compile(r"""\s*[\[{]\s*["\]}]""")
_PLAIN_LINE = re.compile(r"([^ \t]+)(?:[ \t]+([0-9]+))?")
_LINE = re.compile(rf"{_PLAIN_LINE.pattern}|([^\t]+)\t([0-9]+)")
_FORMS = "one word per line, or a word and its count per line, or JSON with words"
_TELL = "If this is a text, say so: --text, or kind='text'."


def read_counts(path: str | Path, *, kind: Kind | None = None, tokenize: Any = "words") -> Counter[str]:
    r"""Count the words of a text, or read a vocabulary. Memory grows with the words, not with the file.

    A vocabulary is one word per line; a word and its count per line, with blanks or a tab between; a JSON
    list of words; or a JSON mapping of words to counts. A word without a count counts once each time that it
    stands there. A mapping whose values number the words from 0 or 1, such as a ``word_index``, has no counts
    either.

    Example:
        >>> from pathlib import Path
        >>> from embedhub.matrix.word_counts import read_counts
        >>> _ = Path("film.txt").write_text("A film about a film.\nIt rains.\n")
        >>> read_counts("film.txt").most_common(2)
        [('film', 2), ('.', 2)]

    Args:
        path: The file, in UTF-8; it may be in gzip, bzip2, xz or zip. ``"-"`` is standard input.
        kind: What it is. By default it is a vocabulary if each of its first 1,000 lines has one of the forms
            above, and no blank within a word; words with blanks need a tab before their count.
        tokenize: How a text is cut: what `embedhub.matrix.tokenizers.tokenizer` takes.

    Returns:
        How often each word occurs, in the order of first occurrence.

    Raises:
        LocalFileError: There is no such file, or it cannot be read.
        FormatError: It is no text in UTF-8, holds no words, or has a line that is none of a vocabulary.
        ValueError: No rule of cutting has that name, or ``kind`` is none of the two.
    """
    if kind not in {None, "text", "vocabulary"}:
        raise ValueError(f"kind is {kind!r}; expected 'text', 'vocabulary' or None.")
    cut = tokens.tokenizer(tokenize)
    name = "stdin" if path == STDIN else str(path)
    try:
        with _open(path) as chunks:
            head = next(chunks, "").removeprefix("\ufeff")
            if "\0" in head or head.startswith(("\udcff\udcfe", "\udcfe\udcff")):
                raise FormatError(f"{name}: this is no text in UTF-8; convert it (iconv -t UTF-8).")
            text = chain([head], chunks)
            if kind != "text" and _JSON.match(head):
                counts = _of_json("".join(text), name)
            elif kind == "vocabulary" or (kind is None and _is_vocabulary(head)):
                counts = _of_lines(text, name)
            else:
                counts = tokens.count(_pieces(text, "\n \t"), cut)
    except OSError as error:
        reason = error.strerror or error
        raise LocalFileError(f"{name}: expected a text or a vocabulary, but: {reason}.") from error
    if not counts:
        raise FormatError(f"{name}: there are no words in it.")
    return counts


@contextmanager
def _open(path: str | Path) -> Iterator[Iterator[str]]:
    """Open a file for its text, which comes in chunks, with a bar where it is long."""
    if str(path) == STDIN:
        with _decoded(sys.stdin.buffer) as text:
            yield _chunks(text)
        return
    path = Path(path).expanduser()
    with open_bytes(path) as file, _decoded(file) as text:
        size = path.stat().st_size if path.is_file() else 0
        if size < _WORTH_A_BAR or not isinstance(file, io.BufferedReader):
            yield _chunks(text)
            return
        with progress_bar(f"Reading {path.name}", size, in_bytes=True) as advance:
            yield _telling(_chunks(text), file, advance)


def _telling(chunks: Iterator[str], file: BinaryIO, advance: Callable[[int], None]) -> Iterator[str]:
    seen = 0
    for chunk in chunks:
        at = file.tell()
        advance(at - seen)
        seen = at
        yield chunk


def _chunks(text: TextIO) -> Iterator[str]:
    while chunk := text.read(_CHUNK):
        yield chunk


@contextmanager
def _decoded(file: BinaryIO) -> Iterator[TextIO]:
    text = io.TextIOWrapper(file, "utf-8", "surrogateescape")
    try:
        yield text
    finally:
        text.detach()  # the file is not ours to close


def _pieces(chunks: Iterable[str], ends: str) -> Iterator[str]:
    """Cut anew, so that pieces end with a newline; a line longer than a chunk, with other ends too."""
    left = ""
    for chunk in chunks:
        text = left + chunk
        allowed = ends if len(text) > _CHUNK else "\n"
        stop = next((place for end in allowed if (place := text.rfind(end) + 1)), 0)
        if stop:
            yield text[:stop]
        left = text[stop:]
    if left:
        yield left


def _is_vocabulary(head: str) -> bool:
    lines = head.split("\n")
    if len(head) >= _CHUNK:
        lines.pop()  # it goes on in the next chunk
    lines = [line.strip(" \t") for line in lines[:_LINES_TO_GUESS]]
    # Not a word with blanks in it: a sentence, a tab and a label are how data sets for training look.
    return any(lines) and all(_PLAIN_LINE.fullmatch(line) for line in lines if line)


def _of_lines(chunks: Iterable[str], name: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    lines = chain.from_iterable(piece.removesuffix("\n").split("\n") for piece in _pieces(chunks, "\n"))
    for number, line in enumerate((line.strip(" \t") for line in lines), 1):
        if not line:
            continue
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise FormatError(
                f"{name}: line {number} is {line[:60]!r}; expected a vocabulary ({_FORMS}). {_TELL}"
            )
        word, count, spaced, its_count = parts.groups()
        counts[word or spaced] += int(count or its_count or 1)
    return counts


def _of_json(text: str, name: str) -> Counter[str]:
    expected = "expected JSON with a list of words, or a mapping of words to counts"
    try:
        value = json.loads(text)
    except ValueError as error:
        raise FormatError(f"{name}: it begins like JSON, and is none ({error}). {_TELL}") from error
    if isinstance(value, list):
        for word in value:
            if not isinstance(word, str):
                raise FormatError(f"{name}: the list holds {str(word)[:60]!r}; {expected}.")
        return Counter(value)
    for word, count in value.items():
        if type(count) is not int or count < 0:
            raise FormatError(f"{name}: {word!r} has the value {str(count)[:60]!r}; {expected}.")
    numbers = sorted(value.values())
    for first in (0, 1):
        if len(numbers) > 1 and numbers == list(range(first, first + len(numbers))):
            return Counter(list(value))
    return Counter(value)
