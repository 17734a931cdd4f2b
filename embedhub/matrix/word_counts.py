"""Word counts from a file: a text to tokenize, or a vocabulary."""

import io
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Literal, TextIO

from embedhub._compression import open_bytes
from embedhub._json import parse_json
from embedhub._progress import progress_bar
from embedhub._text_lines import open_text
from embedhub.errors import EmbedhubError, FormatError, LocalFileError
from embedhub.matrix.tokenizers import count_words, get_tokenizer

Kind = Literal["text", "vocabulary"]
"""Content of a file of words."""

STDIN = "-"

CHUNK_CHARS = 1 << 20
_LINES_TO_GUESS = 1000
MIN_BYTES_FOR_PROGRESS = 20_000_000  # tokenizing them takes a few seconds
_JSON = re.compile(r"""\s*[\[{]\s*["\]}]""")
_PLAIN_LINE = re.compile(r"([^ \t]+)(?:[ \t]+([0-9]+))?")
_LINE = re.compile(rf"{_PLAIN_LINE.pattern}|([^\t]+)\t([0-9]+)")
_EXPECTED = "one word per line, one word and its count per line, or JSON"
_TEXT_HINT = "If the file is a text, pass kind='text' (--text on the command line)."


def read_counts(path: str | Path, *, kind: Kind | None = None, tokenize: Any = "words") -> Counter[str]:
    r"""Count the words of a text, or read a vocabulary; memory grows with the words, not with the file.

    A vocabulary is a file with one word per line; with one word and its count per line, separated by spaces
    or a tab; a JSON list of words; or a JSON mapping of words to counts. A word without a count counts once
    per occurrence. A mapping whose values number the words from 0 or 1, such as a ``word_index``, is read as
    words without counts.

    Example:
        >>> from pathlib import Path
        >>> from embedhub.matrix.word_counts import read_counts
        >>> _ = Path("film.txt").write_text("A film about a film.\nIt rains.\n")
        >>> read_counts("film.txt").most_common(2)
        [('film', 2), ('.', 2)]

    Args:
        path: The file, in UTF-8, optionally compressed by gzip, bzip2, xz or zip. ``"-"`` is standard input.
        kind: Content of the file. By default it is a vocabulary if each of its first 1,000 lines has one of
            the forms above and no space within a word; words with spaces need a tab before their count.
        tokenize: How a text is tokenized; see `embedhub.matrix.tokenizers.get_tokenizer`.

    Returns:
        How often each word occurs, in the order of first occurrence.

    Raises:
        LocalFileError: The file does not exist, or cannot be read.
        FormatError: The file is not UTF-8 text, is empty, or is read as a vocabulary and has a line or a JSON
            value that is not in one of these forms.
        ValueError: ``kind`` is neither "text", "vocabulary" nor None, or ``tokenize`` is an unknown name.
        TypeError: ``tokenize`` is neither a name, nor a function, nor a tokenizer.
    """
    if kind not in {None, "text", "vocabulary"}:
        raise ValueError(f"kind is {kind!r}; expected 'text', 'vocabulary' or None.")
    tokenizer = get_tokenizer(tokenize)
    name = "stdin" if path == STDIN else str(path)
    try:
        with _open(path) as chunks:
            first = next(chunks, "")
            if "\0" in first or first.startswith(("\udcff\udcfe", "\udcfe\udcff")):
                raise FormatError(f"{name}: the file is not UTF-8 text; convert it (iconv -t UTF-8).")
            text = chain([first], chunks)
            if kind != "text" and _JSON.match(first):
                counts = _from_json("".join(text), name)
            elif kind == "vocabulary" or (kind is None and _is_vocabulary(first)):
                counts = _from_lines(text, name)
            else:
                counts = count_words(_pieces(text, "\n \t"), tokenizer)
    except EmbedhubError:  # of the tokenizer, which may open a source
        raise
    except OSError as error:
        reason = error.strerror or error
        raise LocalFileError(f"{name}: this text or vocabulary cannot be read: {reason}.") from error
    if not counts:
        raise FormatError(f"{name}: the file has no words.")
    return counts


@contextmanager
def _open(path: str | Path) -> Iterator[Iterator[str]]:
    """Open a file and return its text in chunks, with a progress bar if it is large."""
    if str(path) == STDIN:
        with open_text(sys.stdin.buffer) as text:
            yield _chunks(text)
        return
    path = Path(path).expanduser()
    with open_bytes(path) as file, open_text(file) as text:
        size = path.stat().st_size if path.is_file() else 0
        if size < MIN_BYTES_FOR_PROGRESS or not isinstance(file, io.BufferedReader):
            yield _chunks(text)
            return
        with progress_bar(f"Reading {path.name}", size, in_bytes=True) as advance:
            yield _report_progress(_chunks(text), file, advance)


def _report_progress(chunks: Iterator[str], file: BinaryIO, advance: Callable[[int], None]) -> Iterator[str]:
    previous = 0
    for chunk in chunks:
        position = file.tell()
        advance(position - previous)
        previous = position
        yield chunk


def _chunks(text: TextIO) -> Iterator[str]:
    while chunk := text.read(CHUNK_CHARS):
        yield chunk


def _pieces(chunks: Iterable[str], separators: str) -> Iterator[str]:
    """Yield the text in pieces that end with a newline, or with any separator in a line over one chunk."""
    parts: list[str] = []  # of the piece that is being read, each of which is searched once
    size = 0
    for chunk in chunks:
        allowed = separators if size + len(chunk) > CHUNK_CHARS else "\n"
        end = next((position for mark in allowed if (position := chunk.rfind(mark) + 1)), 0)
        if end:
            yield "".join([*parts, chunk[:end]])
            parts, size = [], 0
        parts.append(chunk[end:])
        size += len(chunk) - end
    if size:
        yield "".join(parts)


def _is_vocabulary(first: str) -> bool:
    lines = first.split("\n")
    if len(first) >= CHUNK_CHARS:
        lines.pop()  # incomplete: it continues in the next chunk
    lines = [line.strip(" \t") for line in lines[:_LINES_TO_GUESS]]
    # No spaces within words: a sentence, a tab and a label is how labeled training data looks.
    return any(lines) and all(_PLAIN_LINE.fullmatch(line) for line in lines if line)


def _from_lines(chunks: Iterable[str], name: str) -> Counter[str]:
    counts: Counter[str] = Counter()
    lines = chain.from_iterable(piece.removesuffix("\n").split("\n") for piece in _pieces(chunks, "\n"))
    for number, line in enumerate((line.strip(" \t") for line in lines), 1):
        if not line:
            continue
        parts = _LINE.fullmatch(line)
        if parts is None:
            raise FormatError(
                f"{name}: line {number} is {line[:60]!r}; expected a vocabulary ({_EXPECTED}). {_TEXT_HINT}"
            )
        word, count, spaced_word, spaced_count = parts.groups()
        counts[word or spaced_word] += int(count or spaced_count or 1)
    return counts


def _from_json(text: str, name: str) -> Counter[str]:
    expected = "expected a JSON list of words, or a JSON mapping of words to counts"
    try:
        value = parse_json(text)
    except ValueError as error:
        raise FormatError(
            f"{name}: the file starts like JSON but is not valid JSON ({error}). {_TEXT_HINT}"
        ) from error
    if isinstance(value, list):
        for word in value:
            if not isinstance(word, str):
                raise FormatError(f"{name}: the list has {str(word)[:60]!r}; {expected}.")
        return Counter(value)
    for word, count in value.items():
        if type(count) is not int or count < 0:
            raise FormatError(f"{name}: {word!r} has the value {str(count)[:60]!r}; {expected}.")
    numbers = sorted(value.values())
    for first in (0, 1):
        if len(numbers) > 1 and numbers == list(range(first, first + len(numbers))):
            return Counter(list(value))
    return Counter(value)
