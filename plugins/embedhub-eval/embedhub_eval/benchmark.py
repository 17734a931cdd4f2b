"""Benchmarks: word pairs with human similarity ratings, and analogies."""

import dataclasses
import tomllib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from embedhub import _cache as cache
from embedhub._names import check_name, slug
from embedhub.download.remote_file import Fetched, RemoteFile
from embedhub.errors import EmbedhubError, FormatError, LocalFileError
from embedhub_eval import analogies, word_pairs

Kind = Literal["similarity", "analogy"]

_READERS: dict[str, Callable[..., Iterator[Any]]] = {
    "pairs": word_pairs.read,
    "analogies": analogies.read,
    "google-analogies": analogies.read_google,
    "bats": analogies.read_bats,
}
_SPREADSHEETS = {".xlsx", ".xls", ".ods", ".numbers"}


class BenchmarkWarning(UserWarning):
    """Benchmarks are skipped, because they are not available or their names are taken."""


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """A named set of word pairs with human ratings, or of analogies.

    Example:
        >>> from pathlib import Path
        >>> from embedhub_eval import Benchmark
        >>> benchmark = Benchmark(name="my-pairs", format="pairs", path=Path("my-pairs.tsv"), language="en")
        >>> benchmark.kind
        'similarity'

    Args:
        name: Name of the benchmark: printable characters, without spaces and ``, : / | + # @``.
        format: ``"pairs"`` (see `embedhub_eval.word_pairs.read`), ``"analogies"`` (see
            `embedhub_eval.analogies.read`), ``"google-analogies"`` or ``"bats"``.
        files: Files with the same content, in order of preference.
        path: A local file to read instead; for ``"bats"``, it may be a folder.
        columns: Numbers, from 1, of the columns with the two words and the rating, for ``"pairs"``; None to
            infer them.
        total: Number of pairs or analogies; None if unknown.
        description: Description in one line.
        language: BCP 47 code; ``"und"`` if unknown.
        license: SPDX expression or the license's name.
        citation: The publication to cite.
        homepage: URL with more information.

    Raises:
        ValueError: The name is invalid, the format is unknown, columns are given for analogies, ``files`` is
            not a tuple of `RemoteFile` objects, or there is neither a file nor a path.
    """

    name: str
    format: str
    files: tuple[RemoteFile, ...] = ()
    path: Path | None = None
    columns: Sequence[int] | None = None
    total: int | None = None
    description: str = ""
    language: str = "und"
    license: str = ""
    citation: str = ""
    homepage: str = ""

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.path is not None:
            object.__setattr__(self, "path", Path(self.path).expanduser())
        if "," in self.name:  # it separates names on the command line
            raise ValueError(f"name is {self.name!r}; expected a name without a comma.")
        if self.format not in _READERS:
            raise ValueError(
                f"{self.name}: format is {self.format!r}; expected {' or '.join(map(repr, _READERS))}."
            )
        if self.columns is not None and not (self.format == "pairs" and _are_columns(self.columns)):
            raise ValueError(
                f"{self.name}: columns is {self.columns!r}; expected the numbers, from 1, of those of two "
                "words and a rating, such as (1, 2, 3), for the format 'pairs' only."
            )
        if not isinstance(self.files, tuple) or not all(isinstance(file, RemoteFile) for file in self.files):
            raise ValueError(f"{self.name}: files is {self.files!r}; expected a tuple of RemoteFile objects.")
        if not self.files and self.path is None:
            raise ValueError(f"{self.name}: expected files or a path.")

    @property
    def kind(self) -> Kind:
        """``"similarity"`` for word pairs, ``"analogy"`` for analogies."""
        return "similarity" if self.format == "pairs" else "analogy"

    @property
    def is_cached(self) -> bool:
        """Whether the benchmark can be read without a download."""
        folder = cache.downloads_folder()
        return self.path is not None or any(cache.exists(folder / file.cache_name) for file in self.files)

    def read(self, path: Path | None = None) -> list[Any]:
        r"""Return all word pairs or analogies; on first use, download their file.

        Example:
            >>> import embedhub_eval, pathlib
            >>> copy = pathlib.Path("my-copy.tsv")
            >>> _ = copy.write_text("Word 1\tWord 2\tHuman (mean)\nrain\tstorm\t8\n")
            >>> embedhub_eval.benchmarks()["wordsim-353"].read(copy)
            [WordPair(word1='rain', word2='storm', score=8.0)]

        Args:
            path: A copy of the file; by default it is downloaded and verified.

        Returns:
            `WordPair` or `Analogy` objects, in the order of the file.

        Raises:
            DownloadError: The file is not available; a ChecksumError if its bytes do not match the known
                hash.
            FormatError: The file is not in the format of the benchmark, or it is empty.
        """
        path = path or self.path
        return self._read_download() if path is None else self._read_file(path)

    def _read_file(self, path: Path) -> list[Any]:
        reader = _READERS[self.format]
        try:
            items = list((partial(reader, columns=self.columns) if self.columns else reader)(path))
        except OSError as error:
            raise _unreadable(path, error) from error
        if not items:
            expected = "word pairs" if self.kind == "similarity" else "analogies"
            raise FormatError(f"{path}: expected {expected}, but the file has none.")
        return items

    def fetch(self, *, silent_hosts: set[str] | None = None) -> Fetched:
        """Download the file and verify it, unless it is in the cache.

        Example:
            >>> import embedhub_eval
            >>> embedhub_eval.benchmarks()["men"].fetch(silent_hosts={"raw.githubusercontent.com"})
            Traceback (most recent call last):
                ...
            embedhub.errors.DownloadError: men is not available at any of its locations:...

        Args:
            silent_hosts: Hosts to skip. A host that does not answer is added after one attempt; by default it
                is tried several times.

        Raises:
            DownloadError: The file is not available; a ChecksumError if its bytes do not match the known
                hash.
        """
        # pooch and requests cost more time to import than the file takes to read.
        from embedhub.download.fetch import fetch_first

        command = f"import embedhub_eval; embedhub_eval.benchmarks()[{self.name!r}].read()"
        return fetch_first(self.files, label=self.name, command=command, silent_hosts=silent_hosts)

    def _read_download(self) -> list[Any]:
        from embedhub.download.fetch import remember_hashes, remove_unverified

        fetched = self.fetch()
        try:
            items = self._read_file(fetched.path)
        except FormatError:
            remove_unverified(fetched)
            raise
        remember_hashes(fetched)
        return items


def _are_columns(columns: object) -> bool:
    return (
        isinstance(columns, Sequence)
        and len(set(columns)) == len(columns) == 3  # noqa: PLR2004 - two words and a rating
        and all(isinstance(column, int) and column > 0 for column in columns)
    )


def read_benchmarks(path: Path) -> list[Benchmark]:
    r"""Return the benchmarks that a TOML file describes.

    Each is a table with the fields of `Benchmark`; in ``files``, each table has the fields of `RemoteFile`. A
    ``path`` is relative to the folder of the TOML file.

    Example:
        >>> from pathlib import Path
        >>> from embedhub_eval.benchmark import read_benchmarks
        >>> toml = '[my-pairs]\nformat = "pairs"\nfiles = [{ url = "https://example.org/pairs.tsv" }]\n'
        >>> _ = Path("mine.toml").write_text(toml + '[local]\nformat = "pairs"\npath = "pairs.tsv"\n')
        >>> [benchmark.name for benchmark in read_benchmarks(Path("mine.toml"))]
        ['my-pairs', 'local']

    Args:
        path: The TOML file.

    Raises:
        LocalFileError: The file does not exist or cannot be read.
        TypeError: A table has a field that `Benchmark` or `RemoteFile` does not have, or lacks one.
        ValueError: The file is not TOML, or a field is invalid.
    """
    path = Path(path)
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise LocalFileError(f"{path}: expected a TOML file of benchmarks, but: {error.strerror}.") from error
    except ValueError as error:  # not UTF-8, or not TOML
        raise ValueError(f"{path}: expected TOML ({error}).") from error
    return [_from_table(path, name, table) for name, table in tables.items()]


def _from_table(path: Path, name: str, table: Any) -> Benchmark:
    if not isinstance(table, dict):
        raise TypeError(f"{path}: {name} is {table!r}; expected a table: [{name}], and below it its fields.")
    fields = dict(table)
    files = fields.get("files", [])
    if not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
        raise TypeError(f'{path}: [{name}]: files is {files!r}; expected [{{ url = "https://..." }}].')
    known = [field.name for field in dataclasses.fields(Benchmark) if field.name != "name"]
    if unknown := sorted(set(fields) - set(known)):
        raise TypeError(
            f"{path}: [{name}]: there is no field {unknown[0]!r}; expected {', '.join(known)}. A URL stands "
            'in files = [{ url = "https://..." }].'
        )
    if not isinstance(fields.get("format"), str) or not isinstance(fields.get("path", ""), str):
        raise TypeError(
            f"{path}: [{name}]: format is {fields.get('format')!r} and path is {fields.get('path')!r}; "
            f"expected a format, one of {', '.join(_READERS)}, and files or a path, both as strings."
        )
    try:
        fields["files"] = tuple(RemoteFile(**file) for file in files)
        if "path" in fields:
            fields["path"] = path.parent / fields["path"]
        return Benchmark(name=name, **fields)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{path}: [{name}]: {error}") from error


def open_benchmark(path: Path) -> Benchmark:
    """Return a benchmark for a local file, which may be compressed, or for a folder of BATS.

    `embedhub_eval.analogies.infer_format` recognizes analogies; all other files are word pairs.

    Args:
        path: The file; ``archive.zip#member`` for a member of an archive.

    Raises:
        LocalFileError: The file does not exist or cannot be read.
        FormatError: The file is damaged, or a spreadsheet.
    """
    if path.suffix.lower() in _SPREADSHEETS:
        raise FormatError(f"{path}: a spreadsheet cannot be read. Save it as CSV, and pass that file.")
    try:
        path = path.expanduser().absolute()
        format_ = analogies.infer_format(path)
    except (OSError, RuntimeError) as error:  # RuntimeError: an unknown ~user
        raise _unreadable(path, error) from error
    return Benchmark(
        name=slug(path.name),
        format=format_,
        path=path,
        description=f"{'word pairs' if format_ == 'pairs' else 'analogies'} in {path}",
    )


def _unreadable(path: Path, error: Exception) -> Exception:
    """Return the error for a file that the system cannot open; embedhub's own errors stay unchanged."""
    if isinstance(error, EmbedhubError):
        return error
    return LocalFileError(
        f"{path}: expected a file of word pairs or analogies, but it cannot be read "
        f"({getattr(error, 'strerror', None) or error})."
    )
