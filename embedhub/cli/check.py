"""The command check: whether the files of a source have the bytes and vectors that its table states."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer

from embedhub.cli.app import Dims, Json, Name, app, print_result

if TYPE_CHECKING:
    from embedhub.download.remote_file import Fetched, RemoteFile
    from embedhub.registry.source import EmbeddingSource

_WITHOUT_HASH: dict[str, Any] = {"known_hash": None, "size": None, "archive_hash": None, "archive_size": None}


@dataclass(frozen=True, slots=True)
class _Finding:
    """One statement of a table, and what is true.

    Args:
        dim: The dimension.
        file: Location of the file; empty where there is none.
        key: Key of the table, or what else was compared.
        ok: Whether it is true; a value that the table lacks is not false.
        expected: What the table has.
        actual: What the file has.
        advice: What to do; empty if nothing.
    """

    dim: int
    file: str
    key: str
    ok: bool
    expected: Any
    actual: Any
    advice: str = ""

    def __str__(self) -> str:
        place = f"{self.dim}d {self.file}".strip()
        if self.ok:
            return f"ok     {place}: {self.key} {self.actual}{f'. {self.advice}' if self.advice else ''}"
        actual = str(self.actual).rstrip(".")
        return f"WRONG  {place}: {self.key}: expected {self.expected}, got {actual}. {self.advice}"


@app.command()
def check(name: Name, dims: Dims = None, *, as_json: Json = False) -> None:
    """Compare the files of a source with what its table says of them.

    Every file of every dimension is downloaded, or taken from EMBEDHUB_MIRROR
    or the downloads folder: hash, size, words, dimension, and whether the
    files of one dimension hold the same vectors. Nothing of it is kept. The
    exit code is 1 if something is wrong.

    Examples:
      embedhub check my-corpus
      embedhub check ./my-corpus.toml 100
      EMBEDHUB_MIRROR=mirror embedhub check ./my-corpus.toml
    """
    from embedhub.registry.registry import get_source

    source = get_source(name)
    for dim in dims or ():
        source.check_dim(dim)
    findings = list(_check(source, dims or list(source.dims)))
    wrong = sum(not finding.ok for finding in findings)

    def text() -> str:
        summary = f"{wrong} of {len(findings)} are wrong." if wrong else "Everything is as the table says."
        return "\n".join([*map(str, findings), f"{source.name}: {summary}"])

    print_result([asdict(finding) for finding in findings], text, as_json=as_json)
    if wrong:
        raise typer.Exit(1)


def _check(source: "EmbeddingSource", dims: list[int]) -> Iterator[_Finding]:
    from embedhub.registry.remote_source import RemoteSource

    with tempfile.TemporaryDirectory(prefix="embedhub-check-") as folder:
        for dim in dims:
            if not isinstance(source, RemoteSource):
                yield from _check_vectors(source, dim, source.fetch(dim), "", {})
                continue
            digests: dict[str, str] = {}
            for file in source.candidates(dim):
                yield from _check_file(source, dim, file, Path(folder), digests)


def _check_file(
    source: "EmbeddingSource", dim: int, file: "RemoteFile", folder: Path, digests: dict[str, str]
) -> Iterator[_Finding]:
    """Check one candidate; its file is removed again."""
    from embedhub.download.fetch import remove_all
    from embedhub.errors import DownloadError

    fetched = _in_downloads(file)
    is_kept = fetched is not None
    try:
        if file.archive_hash or file.archive_size:
            yield from _check_archive(dim, file, folder)
        fetched = fetched or _download(file, f"{source.name} {dim}d", folder)
    except DownloadError as error:
        advice = "Put the file there, or correct the table."
        yield _Finding(
            dim, file.location, "download", ok=False, expected="a file", actual=str(error), advice=advice
        )
        return
    for part, path in zip(file.all_files, (fetched.path, *fetched.companions.values()), strict=True):
        yield from _check_bytes(dim, part, path)
    yield from _check_vectors(source, dim, fetched, file.location, digests)
    if not is_kept:
        with _own_cache(folder):
            remove_all(fetched)


def _in_downloads(file: "RemoteFile") -> "Fetched | None":
    """Return a file with its companions if all are in the downloads folder of the cache."""
    from embedhub._cache import downloads_folder
    from embedhub.download.remote_file import Fetched

    first, *others = [downloads_folder() / part.cache_name for part in file.all_files]
    if not all(os.path.exists(path) for path in (first, *others)):  # noqa: PTH110 - no OSError for long names
        return None
    return Fetched(first, file, {path.name: path for path in others})


def _download(file: "RemoteFile", label: str, folder: Path) -> "Fetched":
    """Download a file whatever its bytes are, which are compared afterwards."""
    from embedhub.download.fetch import fetch_first

    companions = tuple(replace(part, **_WITHOUT_HASH) for part in file.companions)
    with _own_cache(folder):
        fetched = fetch_first([replace(file, **_WITHOUT_HASH, companions=companions)], label=label)
    return fetched._replace(file=file)


@contextmanager
def _own_cache(folder: Path) -> Iterator[None]:
    """Use another cache, in which files without a published hash are allowed."""
    saved = {name: os.environ.pop(name, None) for name in ("EMBEDHUB_CACHE", "EMBEDHUB_REQUIRE_HASH")}
    os.environ["EMBEDHUB_CACHE"] = str(folder)
    try:
        yield
    finally:
        del os.environ["EMBEDHUB_CACHE"]
        os.environ.update({name: value for name, value in saved.items() if value is not None})


def _check_archive(dim: int, file: "RemoteFile", folder: Path) -> Iterator[_Finding]:
    """Check the whole archive of a member; it is kept in the folder for its other members."""
    fetched = _download(file.archive, "the archive", folder)
    yield from _check_bytes(dim, file.archive, fetched.path, of_archive=True)


def _check_bytes(dim: int, file: "RemoteFile", path: Path, *, of_archive: bool = False) -> Iterator[_Finding]:
    from embedhub.cli._measure import hash_file

    algorithm = (file.known_hash or "sha256").partition(":")[0]
    known_hash, size = hash_file(path, algorithm, inflate=file.member is not None)
    keys = ("archive_hash", "archive_size") if of_archive else ("known_hash", "size")
    stated: tuple[Any, ...] = (file.known_hash, file.size)
    for key, expected, actual in zip(keys, stated, (known_hash, size), strict=True):
        written = f'{key} = "{actual}"' if isinstance(actual, str) else f"{key} = {actual}"
        if expected is None:
            advice = f"The table has no {key}. Write {written}"
        elif expected != actual:
            advice = f"If this is your file, write {written}; otherwise put yours at {file.url}."
        else:
            advice = ""
        yield _Finding(dim, file.location, key, expected in {None, actual}, expected, actual, advice)


def _check_vectors(
    source: "EmbeddingSource", dim: int, fetched: "Fetched | None", location: str, digests: dict[str, str]
) -> Iterator[_Finding]:
    """Read a file, and compare its dimension, its words, and its vectors with those of other candidates."""
    from embedhub.cli._measure import measure
    from embedhub.errors import FormatError

    try:
        # The same class defines both methods, so `parse` expects what `fetch` returns, None or not.
        blocks = source.parse(cast("Fetched", fetched), dim)
        measured = measure(blocks, dim, location or source.name)
    except FormatError as error:
        advice = "Correct the dim or the format in the table, or the file."
        expected = f"vectors of dim {dim}"
        yield _Finding(
            dim, location, "vectors", ok=False, expected=expected, actual=str(error), advice=advice
        )
        return
    yield _Finding(dim, location, "dim", ok=True, expected=dim, actual=dim)
    stated, words = source.vocab_size, measured.words
    advice = f"Write vocab_size = {words}, which holds for all dims, or leave it out."
    if stated is None:
        advice = f"The table has no vocab_size. {advice}"
    ok = stated in {None, words}
    yield _Finding(dim, location, "vocab_size", ok, stated, words, "" if stated == words else advice)
    if digests:
        first, digest = next(iter(digests.items()))
        same = digest == measured.digest
        yield _Finding(
            dim, location, "vectors", same, f"those of {first}", f"{'the same' if same else 'other'} vectors",
            "" if same else "The files of one dim hold the same vectors. Make another source of this one.",
        )  # fmt: skip
    digests[location] = measured.digest
