"""Analogies: four words a line, in sections; and relations, of which questions are made."""

import zipfile
from collections.abc import Callable, Iterator
from itertools import islice, permutations
from pathlib import Path

from embedhub._text_lines import bad, is_number, lines
from embedhub.errors import FormatError
from embedhub_eval.items import Question


def read(path: Path, *, part_of: Callable[[str], str] = str) -> Iterator[Question]:
    r"""Read questions as word2vec's ``questions-words.txt`` has them.

    Each line has four words, separated by tabs where it has some, else by white space; ``: name`` begins a
    section.

    Example:
        >>> from pathlib import Path
        >>> _ = Path("mine.txt").write_text(": capitals\nAthens Greece Oslo Norway\n")
        >>> list(read(Path("mine.txt")))
        [Question(a='Athens', b='Greece', c='Oslo', answers=('Norway',), part='capitals')]

    Args:
        path: The file; it may be compressed.
        part_of: Gives the part of the benchmark that a section belongs to; by default its own name.

    Yields:
        Each question, in the order of the file.

    Raises:
        FormatError: A line has not four words.
    """
    part = ""
    for number, line in lines(path):
        if line.startswith(":"):
            part = part_of(line[1:].strip())
            continue
        words = _words(line)
        if len(words) != 4 or not all(words):  # noqa: PLR2004 - a is to b as c is to d
            raise bad(path, number, line, "expected four words, or ': ' and the name of a section")
        a, b, c, d = words
        yield Question(a, b, c, (d,), part)


def read_google(path: Path) -> Iterator[Question]:
    """Read Google's questions in two parts: sections named ``gram...`` are syntactic, the others semantic."""
    return read(path, part_of=lambda section: "syntactic" if section.startswith("gram") else "semantic")


def read_bats(path: Path) -> Iterator[Question]:
    """Read the archive of the Bigger Analogy Test Set (BATS 3.0).

    Each of its files is a relation of 50 lines: a word, and after a tab what stands in the relation to it,
    separated by slashes. Each two lines make a question, in both orders: the first of the one's answers is
    the example, all of the other's are right.

    Args:
        path: The zip archive, of four folders with ten files each.

    Yields:
        Each question; its part is the name of the folder, without its number.

    Raises:
        FormatError: This is no such archive.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".txt")]
    except (zipfile.BadZipFile, OSError) as error:
        raise FormatError(f"{path}: this zip archive cannot be opened ({error}).") from error
    names = sorted(name for name in names if "/" in name and not name.startswith("__MACOSX/"))
    for name in names:
        inside = Path(f"{path}#{name}")
        pairs = []
        for number, line in lines(inside):
            word, *rest = _words(line)
            right = tuple(answer for answer in (rest[0].split("/") if len(rest) == 1 else ()) if answer)
            if not word or not right:
                raise bad(inside, number, line, "expected a word, a tab, and answers separated by slashes")
            pairs.append((word, right))
        part = name.split("/")[-2].lstrip("0123456789_ ").replace("_", " ").lower()
        for (a, b), (c, right) in permutations(pairs, 2):
            yield Question(a, b[0], c, right, part)


def begins(path: Path) -> bool:
    """Tell by the first lines of a file whether it holds questions: sections, or four words and no number.

    Raises:
        FormatError: The file is damaged, or not text.
    """
    first = [line for _, line in islice(lines(path), 2)]  # of word pairs the first may be a header
    return (
        any(line.startswith(":") for line in first)
        or any(
            len(words) == 4 and not any(map(is_number, words))  # noqa: PLR2004 - as in read
            for words in map(_words, first[-1:])
        )
    )


def _words(line: str) -> list[str]:
    return [word.strip() for word in line.split("\t" if "\t" in line else None)]
