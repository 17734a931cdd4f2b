"""Analogies: four words per line, in categories; and the relations of BATS, from which analogies are made."""

import zipfile
from collections.abc import Iterator
from itertools import islice, permutations
from pathlib import Path
from typing import NamedTuple

from embedhub._text_lines import is_number, line_error, read_data_lines
from embedhub.errors import FormatError


class Analogy(NamedTuple):
    """An analogy: ``a`` is to ``b`` as ``c`` is to any one of the answers.

    Example:
        >>> from embedhub_eval import Analogy
        >>> Analogy("athens", "greece", "oslo", ("norway",), category="capitals").answers
        ('norway',)

    Args:
        a: First word of the example.
        b: Second word of the example.
        c: The word in question.
        answers: The correct answers, at least one.
        category: Category within the benchmark; ``""`` for none.
    """

    a: str
    b: str
    c: str
    answers: tuple[str, ...]
    category: str = ""


def read(path: Path) -> Iterator[Analogy]:
    r"""Read analogies in the format of word2vec's ``questions-words.txt``.

    Each line has four words, separated by tabs if it has any, else by white space; ``: name`` starts a
    category.

    Example:
        >>> from pathlib import Path
        >>> from embedhub_eval.analogies import read
        >>> _ = Path("mine.txt").write_text(": capitals\nAthens Greece Oslo Norway\n")
        >>> list(read(Path("mine.txt")))
        [Analogy(a='Athens', b='Greece', c='Oslo', answers=('Norway',), category='capitals')]

    Args:
        path: The file; it may be compressed.

    Yields:
        Each analogy, in the order of the file.

    Raises:
        FormatError: A line does not have four words.
    """
    category = ""
    for number, line in read_data_lines(path):
        if line.startswith(":"):
            category = line[1:].strip()
            continue
        words = _split(line)
        if len(words) != 4 or not all(words):  # noqa: PLR2004 - a is to b as c is to d
            raise line_error(path, number, line, "expected four words, or ': ' and the name of a category")
        a, b, c, d = words
        yield Analogy(a, b, c, (d,), category)


def read_google(path: Path) -> Iterator[Analogy]:
    """Read Google's analogies: categories named ``gram...`` are syntactic, the others semantic."""
    for analogy in read(path):
        is_syntactic = analogy.category.startswith("gram")
        yield analogy._replace(category="syntactic" if is_syntactic else "semantic")


def read_bats(path: Path) -> Iterator[Analogy]:
    """Read the archive of the Bigger Analogy Test Set (BATS 3.0).

    Each of its files is a relation of 50 lines: a word, a tab, and the related words, separated by slashes.
    Each two lines make an analogy, in both orders: the first related word of one line is the example, and all
    related words of the other line are correct answers.

    Args:
        path: The zip archive, with four folders of ten files.

    Yields:
        Each analogy; its category is the name of the folder without its number.

    Raises:
        FormatError: The file is not a zip archive, or a line lacks a word or its related words.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = [name for name in archive.namelist() if name.endswith(".txt")]
    except (zipfile.BadZipFile, OSError) as error:
        raise FormatError(f"{path}: this zip archive cannot be opened ({error}).") from error
    for name in sorted(name for name in names if "/" in name and not name.startswith("__MACOSX/")):
        member = Path(f"{path}#{name}")
        pairs = []
        for number, line in read_data_lines(member):
            word, *related = _split(line)
            answers = tuple(filter(None, related[0].split("/"))) if len(related) == 1 else ()
            if not word or not answers:
                raise line_error(
                    member, number, line, "expected a word, a tab, and answers separated by slashes"
                )
            pairs.append((word, answers))
        category = name.split("/")[-2].lstrip("0123456789_ ").replace("_", " ").lower()
        for (a, b), (c, answers) in permutations(pairs, 2):
            yield Analogy(a, b[0], c, answers, category)


def looks_like_analogies(path: Path) -> bool:
    """Return whether the first lines of a file are analogies: a category, or four words and no number.

    Raises:
        FormatError: The file is damaged or not text.
    """
    first = [
        line for _, line in islice(read_data_lines(path), 2)
    ]  # the first line of word pairs may be a header
    words = _split(first[-1]) if first else []
    return any(line.startswith(":") for line in first) or (
        len(words) == 4 and not any(map(is_number, words))  # noqa: PLR2004 - as in read
    )


def _split(line: str) -> list[str]:
    return [word.strip() for word in line.split("\t" if "\t" in line else None)]
