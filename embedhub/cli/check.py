"""The command check: comparison of a source with its table."""

import os
import shutil
import tempfile
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import typer

from embedhub._url import shown_url
from embedhub.cli.app import AUTHORS, Json, Source, app, print_result

if TYPE_CHECKING:
    from embedhub.download.remote_file import Fetched, RemoteFile
    from embedhub.registry.source import EmbeddingSource

_WITHOUT_HASH: dict[str, Any] = {"known_hash": None, "size": None, "archive_hash": None, "archive_size": None}


@dataclass(frozen=True, slots=True)
class _Finding:
    """One value of a table with the actual one, or an error.

    Args:
        dim: The dimension; None for values that hold for all.
        file: Location of the file; empty where there is none.
        key: Key of the table, or the name of another check.
        ok: Whether the value is right; a missing value is not wrong.
        expected: Value in the table; None if the key is missing, and for errors.
        actual: Actual value, or the message of the error.
        advice: Advice; empty if nothing has to be done.
    """

    dim: int | None
    file: str
    key: str
    ok: bool
    expected: Any
    actual: Any
    advice: str = ""

    def __str__(self) -> str:
        place = "" if self.dim is None else f"{f'{self.dim}d {self.file}'.strip()}: "
        if self.ok:
            return f"ok     {place}{self.key} {self.actual}{f'. {self.advice}' if self.advice else ''}"
        if self.expected is None:
            return f"WRONG  {place}{self.actual} {self.advice}"
        return f"WRONG  {place}{self.key}: expected {self.expected}, got {self.actual}. {self.advice}"


@app.command(rich_help_panel=AUTHORS)
def check(source: Source, *, as_json: Json = False) -> None:
    """Compare the files of a source with its table, for plugin authors.

    The command downloads each file of each dimension, or of the given dimension,
    or takes it from EMBEDHUB_MIRROR or the downloads folder. It checks hash,
    size, number of words and dimension, and that the files of a dimension have
    the same vectors. Vectors of functions are computed. Nothing is kept. The
    exit code is 1 if something is wrong, or if a placeholder is left.

    Examples:
      embedhub check my-corpus
      embedhub check ./my-corpus.toml:100
      EMBEDHUB_MIRROR=mirror embedhub check ./my-corpus.toml
    """
    from embedhub.registry.handle import parse_handle
    from embedhub.registry.loading import get_source

    checked, dim = get_source(source), parse_handle(source).dim
    dims = list(checked.dims) if dim is None else [checked.check_dim(dim)]
    findings = list(_check(checked, dims))
    wrong = sum(not finding.ok for finding in findings)

    def text() -> str:
        summary = f"{wrong} wrong, {len(findings) - wrong} right." if wrong else _all_right(checked)
        return "\n".join([*map(str, findings), f"{checked.name}: {summary}"])

    print_result([asdict(finding) for finding in findings], text, as_json=as_json)
    if wrong:
        raise typer.Exit(1)


def _check(source: "EmbeddingSource", dims: list[int]) -> Iterator[_Finding]:
    from embedhub.registry.remote_source import RemoteSource

    yield from _check_placeholders(source, dims)
    with tempfile.TemporaryDirectory(prefix="embedhub-check-") as folder:
        for dim in dims:
            if not isinstance(source, RemoteSource):
                yield from _check_own(source, dim, Path(folder))
                continue
            digests: dict[str, Any] = {}
            for file in source.candidates(dim):
                yield from _check_file(source, dim, file, Path(folder), digests)


def _check_placeholders(source: "EmbeddingSource", dims: list[int]) -> Iterator[_Finding]:
    """Find placeholders in the metadata; other values are not reported."""
    from embedhub.registry.local_file import LocalSource
    from embedhub.registry.placeholders import is_placeholder, is_placeholder_url
    from embedhub.registry.remote_source import RemoteSource

    if isinstance(source, LocalSource):
        return

    def missing(dim: int | None, key: str, expected: str, actual: str, advice: str) -> _Finding:
        actual = f"{actual}, a placeholder" if actual.strip() else "nothing"
        return _Finding(dim, "", key, ok=False, expected=expected, actual=actual, advice=advice)

    for key, expected in (
        ("description", "one line on the vectors"),
        ("license", "the license of the vectors"),
        ("citation", "whom to cite"),
    ):
        if is_placeholder(getattr(source, key)):
            yield missing(None, key, expected, getattr(source, key), f"Fill in {key}.")
    advice = "No server is at that address. Write your own URL."
    if is_placeholder_url(source.homepage):
        yield missing(None, "homepage", "a page about the vectors", source.homepage, advice)
    if isinstance(source, RemoteSource):
        files = [(dim, file) for dim in dims for first in source.candidates(dim) for file in first.all_files]
        for dim, file in files:
            if is_placeholder_url(file.url):
                yield missing(dim, "url", "the place of the file", file.url, advice)


def _check_own(source: "EmbeddingSource", dim: int, folder: Path) -> Iterator[_Finding]:
    """Check a source whose vectors are computed."""
    try:
        fetched = source.fetch(dim)
    except Exception as error:  # noqa: BLE001 - the code is the author's
        yield _error(source, dim, "fetch", error, None)
        return
    yield from _check_vectors(source, dim, fetched, {}, folder)


def _check_file(
    source: "EmbeddingSource", dim: int, file: "RemoteFile", folder: Path, digests: dict[str, Any]
) -> Iterator[_Finding]:
    """Check one candidate, and remove its file again."""
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
        location = shown_url(file.location)
        reason = str(error).replace(f"{location}: ", "")
        yield _Finding(dim, location, "download", ok=False, expected=None, actual=reason, advice=advice)
        return
    for part, path in zip(file.all_files, (fetched.path, *fetched.companions.values()), strict=True):
        yield from _check_bytes(dim, part, path)
    with _own_cache(folder):
        yield from _check_vectors(source, dim, fetched, digests, folder)
    if not is_kept:
        with _own_cache(folder):
            remove_all(fetched)


def _in_downloads(file: "RemoteFile") -> "Fetched | None":
    """Return a file with its companions, if all are in the downloads folder of the cache."""
    from embedhub._cache import downloads_folder
    from embedhub.download.remote_file import Fetched

    first, *others = [downloads_folder() / part.cache_name for part in file.all_files]
    if not all(os.path.exists(path) for path in (first, *others)):  # noqa: PTH110 - no OSError for long names
        return None
    return Fetched(first, file, {path.name: path for path in others})


def _download(file: "RemoteFile", label: str, folder: Path) -> "Fetched":
    """Download a file without verification; its bytes are compared afterwards."""
    from embedhub import settings
    from embedhub.download.fetch import try_candidates
    from embedhub.errors import DownloadError

    companions = tuple(replace(part, **_WITHOUT_HASH) for part in file.companions)
    with _own_cache(folder):
        fetched, failures = try_candidates(
            [replace(file, **_WITHOUT_HASH, companions=companions)], label=label
        )
    if fetched is None:
        reasons = [str(failure) for failure in failures]
        if settings.offline():
            reasons.append("EMBEDHUB_OFFLINE is set, so nothing was downloaded.")
        raise DownloadError(" ".join(reasons))
    return fetched._replace(file=file)


@contextmanager
def _own_cache(folder: Path) -> Iterator[None]:
    """Use a temporary cache that allows files without a published hash."""
    saved = {name: os.environ.pop(name, None) for name in ("EMBEDHUB_CACHE", "EMBEDHUB_REQUIRE_HASH")}
    os.environ["EMBEDHUB_CACHE"] = str(folder)
    try:
        yield
    finally:
        del os.environ["EMBEDHUB_CACHE"]
        os.environ.update({name: value for name, value in saved.items() if value is not None})


def _check_archive(dim: int, file: "RemoteFile", folder: Path) -> Iterator[_Finding]:
    """Check the archive of a member, and keep it in the folder for its other members."""
    fetched = _download(file.archive, "the archive", folder)
    yield from _check_bytes(dim, file.archive, fetched.path, of_archive=True)


def _check_bytes(dim: int, file: "RemoteFile", path: Path, *, of_archive: bool = False) -> Iterator[_Finding]:
    from embedhub.cli._measure import hash_file
    from embedhub.download.verify import git_hash, is_git_hash

    if is_git_hash(file.known_hash):
        known_hash, size = git_hash(path), path.stat().st_size
    else:
        algorithm = (file.known_hash or "sha256").partition(":")[0]
        known_hash, size = hash_file(path, algorithm, inflate=file.member is not None)
    keys = ("archive_hash", "archive_size") if of_archive else ("known_hash", "size")
    stated: tuple[Any, ...] = (file.known_hash, file.size)
    for key, expected, actual in zip(keys, stated, (known_hash, size), strict=True):
        written = f'{key} = "{actual}"' if isinstance(actual, str) else f"{key} = {actual}"
        if expected is None:
            advice = f"The table has no {key}. Write {written}"
        elif expected != actual:
            advice = f"If this is your file, write {written}; otherwise put yours at {shown_url(file.url)}."
        else:
            advice = ""
        ok, location = expected in {None, actual}, shown_url(file.location)
        yield _Finding(dim, location, key, ok, expected, actual, advice)


def _check_vectors(
    source: "EmbeddingSource", dim: int, fetched: "Fetched | None", digests: dict[str, Any], folder: Path
) -> Iterator[_Finding]:
    """Build a store, compare its number of words, and its vectors with those of other candidates."""
    try:
        manifest = _build(source, dim, fetched, folder / "store")
    except Exception as error:  # noqa: BLE001 - the code of a source raises what it likes
        yield _error(source, dim, "vectors", error, fetched)
        return
    file = fetched.file if fetched else None
    location = shown_url(file.location) if file else ""
    yield _Finding(dim, location, "dim", ok=True, expected=dim, actual=dim)
    stated, words = source.vocab_size, manifest["rows"]
    advice = f"Write vocab_size = {words}, which holds for all dims, or leave it out."
    if stated is None:
        advice = f"The {'table' if file else 'source'} has no vocab_size. {advice}"
    ok = stated in {None, words}
    yield _Finding(dim, location, "vocab_size", ok, stated, words, "" if stated == words else advice)
    digest = {name: manifest["xxh3_128"][name] for name in ("matrix.npy", "offsets.npy", "words.utf8")}
    if digests:
        first, other = next(iter(digests.items()))
        same = digest == other
        yield _Finding(
            dim, location, "vectors", same, f"those of {first}", f"{'the same' if same else 'other'} vectors",
            "" if same else "The files of one dim hold the same vectors. Make another source of this one.",
        )  # fmt: skip
    digests[location] = digest


def _build(source: "EmbeddingSource", dim: int, fetched: "Fetched | None", folder: Path) -> dict[str, Any]:
    """Build and open a temporary store like `embedhub.load`, and return its manifest."""
    from embedhub._progress import progress_bar
    from embedhub.registry.store_input import write_blocks
    from embedhub.vectors.store import open_store
    from embedhub.vectors.store_writer import StoreWriter

    manifest = source.manifest(dim, source.cache_key(dim), fetched)
    with (
        progress_bar(f"Reading {source.name} {dim}d", source.vocab_size, in_bytes=False) as advance,
        StoreWriter(folder, name=source.name, dim=dim, manifest=manifest) as writer,
    ):
        # The same class defines both methods, so `parse` expects what `fetch` returns, None or not.
        parse = partial(source.parse, cast("Fetched", fetched), dim)
        accept_end = partial(source.accept_end, fetched=fetched)
        write_blocks(writer, parse, f"{source.name} {dim}d", advance, accept_end)
    try:
        return open_store(folder, composer=source.composer).manifest
    finally:
        shutil.rmtree(folder, ignore_errors=True)  # Windows keeps what is mapped until the command ends


def _error(
    source: "EmbeddingSource", dim: int, key: str, error: Exception, fetched: "Fetched | None"
) -> _Finding:
    """Return an error as one line, without the location that is shown anyway."""
    from embedhub.errors import EmbedhubError

    if isinstance(error, EmbedhubError):
        text = " ".join(str(error).split())
        label = f"{source.name} {dim}d"
        for prefix in (f"{label}: ", f"{label}, ", f"{fetched.path}: " if fetched else ""):
            text = text.removeprefix(prefix)
        text = text.replace("; nothing was published.", ".").replace(" Nothing was published.", "")
        text = text.removesuffix(" Tell its author.")
    else:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        reason = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(".: ")
        text = f"its code raised {reason} ({Path(frame.filename).name}, line {frame.lineno})."
    file = fetched.file if fetched else None
    location, advice = shown_url(file.location) if file else "", _advice(source, file, error)
    return _Finding(dim, location, key, ok=False, expected=None, actual=text, advice=advice)


def _advice(source: "EmbeddingSource", file: "RemoteFile | None", error: Exception) -> str:
    """Return advice on what to correct."""
    from embedhub.download.remote_file import function_name
    from embedhub.errors import PluginError
    from embedhub.registry.computed_source import ComputedSource
    from embedhub.registry.local_file import LocalSource
    from embedhub.vectors.blocks import Format

    if isinstance(error, PluginError):
        return "Correct the composer."
    if file and isinstance(file.format, Format):
        return f"Correct the reader of the format {file.format.name!r}, or the file."
    if file:
        return "Correct the dim or the format in the table, or the file."
    if isinstance(source, ComputedSource):
        return f"Correct the function {function_name(source.compute)}."
    return "Correct the file." if isinstance(source, LocalSource) else f"Correct {type(source).__qualname__}."


def _all_right(source: "EmbeddingSource") -> str:
    from embedhub.registry.remote_source import RemoteSource

    has_table = isinstance(source, RemoteSource)
    return "Everything matches the table." if has_table else "Everything is right."
