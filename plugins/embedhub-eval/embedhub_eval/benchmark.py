"""`Benchmark`: a named set of word pairs or analogies, fetched and verified as vectors are."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from embedhub._names import check_name
from embedhub.download.remote_file import RemoteFile
from embedhub.errors import EmbedhubError, FormatError, LocalFileError
from embedhub.vectors.blocks import Reader
from embedhub_eval import analogies as questions
from embedhub_eval import word_pairs
from embedhub_eval.items import Pair, Question

Kind = Literal["similarity", "analogy"]


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """A named set of word pairs that people have judged, or of analogies.

    Example:
        >>> from embedhub_eval import word_pairs
        >>> benchmark = Benchmark(
        ...     name="my-pairs",
        ...     kind="similarity",
        ...     files=(
        ...         RemoteFile(
        ...             url="https://example.org/my-pairs.tsv", hash=None, size=None, reader=word_pairs.read
        ...         ),
        ...     ),
        ...     total=100,
        ...     description="Pairs of my field",
        ...     language="en",
        ...     license="CC-BY-4.0",
        ...     citation="Me (2026)",
        ...     homepage="https://example.org",
        ... )
        >>> benchmark.kind, benchmark.total
        ('similarity', 100)

    Args:
        name: Lower-case letters, digits, and ``- . _`` between them.
        kind: ``"similarity"``: the reader of a file gives each `Pair`; ``"analogy"``: each `Question`.
        files: Files with the same pairs or questions, in order of preference.
        total: How many pairs or questions, None if unknown.
        description: One line.
        language: BCP 47 code.
        license: SPDX expression, the licence's name, or what is known of it.
        citation: What to cite.
        homepage: Where to read more.

    Raises:
        ValueError: An argument has not the form described here.
    """

    name: str
    kind: Kind
    files: tuple[RemoteFile, ...]
    total: int | None
    description: str
    language: str
    license: str
    citation: str
    homepage: str

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.kind not in get_args(Kind):
            raise ValueError(
                f"{self.name}: kind is {self.kind!r}; expected {' or '.join(map(repr, get_args(Kind)))}."
            )
        if not isinstance(self.files, tuple) or not all(isinstance(file, RemoteFile) for file in self.files):
            raise ValueError(f"{self.name}: files is {self.files!r}; expected RemoteFile objects in a tuple.")

    def fetch(self) -> Path:
        """Bring the file to disk, verified, and return its place.

        Example:
            >>> import embedhub, embedhub_eval, os
            >>> os.environ["EMBEDHUB_OFFLINE"] = "1"  # without, it would be fetched
            >>> embedhub_eval.benchmarks()["men"].fetch()
            Traceback (most recent call last):
                ...
            embedhub.errors.OfflineError: men is not in the cache (...), and EMBEDHUB_OFFLINE is set. ...

        Raises:
            DownloadError: The file could not be had; a ChecksumError if its bytes are not the pinned ones.
        """
        # pooch and requests cost more time to import than the file takes to read.
        from embedhub.download.fetch import fetch

        return fetch(
            self.files,
            what=self.name,
            command=f"embedhub.benchmarks()[{self.name!r}].fetch()".replace('"', "'"),
        )

    def parse(self, path: Path) -> Iterator[Pair | Question]:
        r"""Read a file of this benchmark: what `fetch` gave, or a copy of the first candidate.

        Example:
            >>> import embedhub, embedhub_eval, pathlib
            >>> mine = pathlib.Path("my-copy.tsv")
            >>> _ = mine.write_text("Word 1\tWord 2\tHuman (mean)\nrain\tstorm\t8\n")
            >>> next(embedhub_eval.benchmarks()["wordsim-353"].parse(mine))
            Pair(left='rain', right='storm', score=8.0)

        Args:
            path: The file.

        Raises:
            FormatError: The file is not what its reader expects.
        """
        file = next((file for file in self.files if path.name == file.local_name), self.files[0])
        beside = file.beside if path.name == file.local_name else ()
        yield from file.reader(path, *(path.with_name(other.local_name) for other in beside))

    def read(self) -> list[Any]:
        r"""Fetch the file if it is not here yet, and return all its pairs or questions.

        Example:
            >>> from pathlib import Path
            >>> from embedhub_eval.benchmark import open_benchmark
            >>> _ = Path("mine.tsv").write_text("rain\tstorm\t8\nrain\tmusic\t1\n")
            >>> open_benchmark(Path("mine.tsv")).read()[0]
            Pair(left='rain', right='storm', score=8.0)

        Returns:
            Each `Pair`, or each `Question`, as the kind has it; in the order of the file.

        Raises:
            DownloadError: The file could not be had.
            FormatError: The file is not what its reader expects, or has nothing in it.
        """
        path = self.fetch()
        items = list(self.parse(path))
        wanted = Pair if self.kind == "similarity" else Question
        odd = next((item for item in items if not isinstance(item, wanted)), None)
        if odd is not None or not items:
            found = "nothing" if odd is None else repr(odd)
            raise FormatError(f"{path}: expected each {wanted.__name__} of {self.name}, got {found}.")
        return items


@dataclass(frozen=True, kw_only=True)
class _Local(Benchmark):
    """One file of the caller."""

    path: Path
    reader: Reader

    def fetch(self) -> Path:
        return self.path

    def parse(self, path: Path) -> Iterator[Pair | Question]:
        yield from self.reader(path)


def open_benchmark(path: Path) -> Benchmark:
    """Return a benchmark for a file, which may be compressed; its first lines tell what it holds.

    Analogies have four words a line, or begin with ``:`` and the name of a section, as in word2vec's file;
    all else is word pairs, in whatever columns.

    Args:
        path: The file; ``archive.zip#member`` for one of several in an archive.

    Raises:
        LocalFileError: There is no such file, or it cannot be read.
        FormatError: It is damaged.
    """
    try:
        path = path.expanduser().absolute()
        analogy = questions.begins(path)
    except (OSError, RuntimeError) as error:  # RuntimeError: a ~user that nobody knows
        if isinstance(error, EmbedhubError):
            raise
        raise LocalFileError(
            f"{path}: expected a file of word pairs or analogies, but it cannot be read "
            f"({getattr(error, 'strerror', None) or error})."
        ) from error
    return _Local(
        name=re.sub(r"[^a-z0-9]+", "-", path.name.lower()).strip("-") or "file",
        kind="analogy" if analogy else "similarity",
        files=(),
        total=None,
        description=f"{'analogies' if analogy else 'word pairs'} in {path}",
        language="und",
        license="",
        citation="",
        homepage="",
        path=path,
        reader=questions.read if analogy else word_pairs.read,
    )
