"""Readers of analogies: four words per line, or the relations of BATS."""

import re
import zipfile
from collections.abc import Iterator
from itertools import islice, permutations
from pathlib import Path, PurePosixPath
from typing import Literal, NamedTuple

from embedhub._compression import INVALID_ARCHIVE_ERRORS, split_member
from embedhub._text_lines import is_number, line_error, read_data_lines
from embedhub.errors import FormatError
from embedhub_eval._fields import SEPARATORS, split_fields

# Names of the columns of the four words, in lower case and without other marks.
_COLUMNS = (
    ["word1", "word2", "word3", "word4"],
    ["w1", "w2", "w3", "w4"],
    ["a", "b", "c", "d"],
)
_CATEGORY_NAMES = {"category", "relation", "type", "class", "group"}
_MAX_PAIRS = 1000  # of a relation, each two of which make two analogies; BATS has 50
_BATS_NAME = re.compile(r"[DEIL]\d\d \[.*\]")  # as in "I01 [noun - plural_reg].txt"


class Analogy(NamedTuple):
    """An analogy: ``a`` is to ``b`` as ``c`` is to any of the answers.

    Example:
        >>> from embedhub_eval import Analogy
        >>> Analogy("athens", "greece", "oslo", ("norway",), category="capitals").answers
        ('norway',)

    Args:
        a: First word of the example.
        b: Second word of the example.
        c: The word to find the answer for.
        answers: The correct answers, at least one.
        category: Category within the benchmark; ``""`` for none.
    """

    a: str
    b: str
    c: str
    answers: tuple[str, ...]
    category: str = ""


def read(path: Path) -> Iterator[Analogy]:
    r"""Read analogies: four words per line, as in word2vec's ``questions-words.txt``, or CSV.

    The words are separated by tabs, by white space, or by the semicolons or commas of CSV; ``: name`` starts
    a category. The first line may name the columns of CSV or between tabs: ``word1`` to ``word4``, or ``a``,
    ``b``, ``c`` and ``d``, and ``category`` or ``relation``; other columns are ignored.

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
    lines = list(read_data_lines(path))
    separator = _csv_separator([line for _, line in lines if not line.startswith(":")])
    category, columns = "", [0, 1, 2, 3]
    for i, (number, line) in enumerate(lines):
        if line.startswith(":"):
            category = line[1:].strip()
            continue
        fields = _split(line, separator)
        if i == 0 and (separator or "\t" in line) and (named := _named_columns(fields)):
            columns = named
            continue
        # Without names there are four columns.
        words = (
            fields if columns == [0, 1, 2, 3] else [fields[place] for place in columns if place < len(fields)]
        )
        if len(words) != len(columns) or not all(words):
            raise line_error(path, number, line, "expected four words, or ': ' and the name of a category")
        a, b, c, d = words[:4]
        yield Analogy(a, b, c, (d,), words[4] if len(words) > 4 else category)  # noqa: PLR2004 - a named column


def read_google(path: Path) -> Iterator[Analogy]:
    """Read Google's analogies: categories named ``gram...`` are syntactic, the others semantic."""
    for analogy in read(path):
        is_syntactic = analogy.category.startswith("gram")
        yield analogy._replace(category="syntactic" if is_syntactic else "semantic")


def read_bats(path: Path) -> Iterator[Analogy]:
    """Read the Bigger Analogy Test Set (BATS 3.0), or a part of it.

    Each file is a relation of 50 lines: a word, a tab, and the related words, separated by slashes. Every
    ordered pair of lines is an analogy: the first related word of one line is the example, and all related
    words of the other line are correct answers.

    Args:
        path: The zip archive, the unpacked folder, one of its subfolders, or one file. Only the ``.txt``
            files of the deepest folders are relations.

    Yields:
        Each analogy; its category is the name of the folder without its number, ``""`` for one file.

    Raises:
        FormatError: The file does not exist, a zip archive is damaged, or a line lacks a word or its related
            words.
    """
    for file, folder in _relations(path):
        pairs: list[tuple[str, tuple[str, ...]]] = []
        for number, line in read_data_lines(file):
            word, *related = _split(line)
            answers = tuple(filter(None, related[0].split("/"))) if len(related) == 1 else ()
            if not word or not answers:
                raise line_error(
                    file, number, line, "expected a word, a tab, and answers separated by slashes"
                )
            if len(pairs) == _MAX_PAIRS:
                raise line_error(file, number, line, f"expected a relation of at most {_MAX_PAIRS:,} lines")
            pairs.append((word, answers))
        category = folder.lstrip("0123456789_ ").replace("_", " ").lower()
        for (a, b), (c, answers) in permutations(pairs, 2):
            yield Analogy(a, b[0], c, answers, category)


def _relations(path: Path) -> list[tuple[Path, str]]:
    """Return the files of BATS with the names of their folders; empty if there are no text files."""
    if path.is_dir():
        names = [file.relative_to(path.parent).as_posix() for file in path.rglob("*.txt")]
        place = f"{path.parent.as_posix()}/"
    elif _is_zip(path):
        try:
            with zipfile.ZipFile(path) as archive:
                names = [name for name in archive.namelist() if name.endswith(".txt")]
        except INVALID_ARCHIVE_ERRORS as error:
            raise FormatError(f"{path}: this zip archive cannot be opened ({error}).") from error
        place = f"{path}#"
    else:
        return [(path, "")]
    names = [name for name in names if not name.startswith("__MACOSX/") and name.rpartition("/")[2][0] != "."]
    depth = max((name.count("/") for name in names), default=0)
    return [
        (Path(place + name), PurePosixPath(name).parent.name)
        for name in sorted(names)
        if name.count("/") == depth
    ]


def _is_zip(path: Path) -> bool:
    if split_member(path)[1] is not None:
        return False
    with path.open("rb") as file:
        return path.suffix.lower() == ".zip" or file.read(2) == b"PK"


def infer_format(path: Path) -> Literal["pairs", "analogies", "bats"]:
    """Infer the format of a local file.

    A folder is BATS, as is a zip archive of several relations, and a file of words with their related words
    that has the name of a relation of BATS or a slash between two related words. Analogies have a category or
    four words and no number.

    Raises:
        FormatError: The file is damaged or not text.
        OSError: The file cannot be read.
    """
    if path.is_dir():
        if not _relations(path):
            raise FormatError(f"{path}: expected a file, or the folder of BATS, which has .txt files.")
        return "bats"
    if _is_zip(path) and len(relations := _relations(path)) > 1 and _is_relation(relations[0][0]):
        return "bats"
    # The first line of word pairs may be a header.
    first = [line for _, line in islice(read_data_lines(path), 2)]
    if any(line.startswith(":") for line in first):
        return "analogies"
    fields = [_split(line, _csv_separator(first)) for line in first]
    words = fields[-1] if fields else []
    if named := _named_columns(fields[0] if fields else []):
        words = [words[place] for place in named[:4] if place < len(words)]
    if len(words) == 4 and not any(map(is_number, words)):  # noqa: PLR2004 - as in read
        return "analogies"
    return "bats" if _is_relation(path) else "pairs"


def _is_relation(path: Path) -> bool:
    lines = [line for _, line in read_data_lines(path)]
    fields = [line.split("\t") for line in lines]
    has_slash = any("/" in related for _, *others in fields for related in others)
    return (
        bool(lines)
        and all(len(line) == 2 and not is_number(line[1].strip()) for line in fields)  # noqa: PLR2004 - word, answers
        and (has_slash or _BATS_NAME.search(path.name) is not None)
    )


def _named_columns(names: list[str]) -> list[int] | None:
    """Return the positions of the four words and of the category, if any; None without such names."""
    known = [re.sub(r"[\W_]+", "", name).lower() for name in names]
    for columns in _COLUMNS:
        if set(columns) <= set(known):
            category = [place for place, name in enumerate(known) if name in _CATEGORY_NAMES]
            return [*map(known.index, columns), *category[:1]]
    return None


def _csv_separator(lines: list[str]) -> str | None:
    """Return the separator of CSV, or None for tabs and white space."""
    first = lines[0] if lines else ""
    if "\t" in first or (len(first.split()) == len("abcd") and not first.split()[0].endswith((",", ";"))):
        return None
    return next((mark for mark in SEPARATORS if len(split_fields(first, mark)) >= len("abcd")), None)


def _split(line: str, separator: str | None = None) -> list[str]:
    return split_fields(line, separator or ("\t" if "\t" in line else None))
