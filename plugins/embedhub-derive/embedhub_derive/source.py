"""The source of an expression: its parents, its steps, and the store that is built from them."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from embedhub import Block, EmbeddingSource, ExtraFile, Vectors, load, settings
from embedhub import _cache as cache
from embedhub._file_state import xxh3_of_file
from embedhub._names import folder_name
from embedhub.download.remote_file import Fetched
from embedhub.errors import LocalFileError, PluginError, SourceNotFoundError, StoreError, VocabularyError
from embedhub.registry import lock
from embedhub.registry.expression import LIMIT, Expression, StepCall
from embedhub.registry.handle import DERIVED, Handle, expression_of, map_paths, parse_handle, shown_handle
from embedhub.registry.loading import resolve
from embedhub.registry.origin import FIRST, Origin
from embedhub.registry.source import Reopen
from embedhub.registry.steps import open_step
from embedhub.vectors.fingerprint import fingerprint, stored_digests
from embedhub.vectors.store import read_manifest
from embedhub_derive.sums import blocks_of, concatenated
from embedhub_derive.table import Step, Table

_VERSION = 1  # of sums; steps have their own

# ruff: noqa: SLF001 - a derived source is built from others of the same class


@dataclass(frozen=True)
class Parent:
    """A source that others are derived from.

    Args:
        handle: Its handle, with absolute paths and without secrets.
        source: The source.
        dim: The dimension.
    """

    handle: str
    source: EmbeddingSource
    dim: int

    @property
    def key(self) -> tuple[str, str]:
        """Its handle, and the cache key of its vectors."""
        return self.handle, self.source.cache_key(self.dim)

    @property
    def fingerprint(self) -> str | None:
        """The fingerprint of its vectors; None if their store is not there."""
        with suppress(OSError, ValueError, KeyError):
            manifest = read_manifest(self.source.store_path(self.dim))
            return fingerprint(stored_digests(manifest["xxh3_128"]))
        return None

    def open(self) -> Vectors:
        """Open the vectors; a lock file has those that are derived from them."""
        with lock.ignored():
            return self.source.vectors(self.dim)


@dataclass(frozen=True, kw_only=True)
class DerivedSource(EmbeddingSource):
    """Vectors derived from others; `open_expression` returns it.

    Args:
        handle: Its handle, with absolute paths.
        parents: What it is derived from, in the order of the sum.
        fill: Vectors of the words that a parent lacks: ``"zeros"`` or ``"mean"``.
        steps: The steps.
    """

    handle: str = field(repr=False)  # it may have a secret
    parents: tuple[Parent, ...]
    fill: str
    steps: tuple[Step, ...]

    @property
    def dims(self) -> tuple[int, ...]:
        """The only dimension."""
        dim = sum(parent.dim for parent in self.parents)
        for step in self.steps:
            dim = step.output_dim(dim)
        return (dim,)

    def cache_key(self, dim: int) -> str:
        """Identify the vectors by the expression, the fingerprints of the parents, and versions of code."""
        known = self._fingerprints(dim)
        keys = [parent.key for parent in self.parents]
        parents = [known.get(key) or f"not opened: {', '.join(key)}" for key in keys]
        return f"{self.name}, of {', '.join(parents)}, {', '.join(self._versions())}"

    def _versions(self) -> list[str]:
        versions = [f"derived {_VERSION}"]
        for step in self.steps:
            files = "".join(f" of {_digest(file)}" for file in step.files)
            versions.append(f"{type(step).__name__.lower()} {step.version}{files}")
        return versions

    def _fingerprints(self, dim: int) -> dict[tuple[str, str], str]:
        """Return the fingerprints of the parents, by their keys, as far as they are known.

        The store of a parent may have been removed: then that of this source, if there is one, has it.
        """
        known = {parent.key: parent.fingerprint for parent in self.parents}
        if None in known.values():
            folder = settings.cache_folder() / "vectors" / folder_name(self.name)
            with suppress(StoreError):
                for store in cache.entries(folder):
                    if store.name.startswith(f"{dim}d-"):
                        with suppress(OSError, ValueError, KeyError):
                            for parent in read_manifest(store)["parents"]:
                                key = parent["handle"], parent["cache_key"]
                                if known.get(key, "") is None:
                                    known[key] = parent["fingerprint"]
        return {key: found for key, found in known.items() if found}

    def _prepare(self, dim: int) -> bool:
        if len(self._fingerprints(dim)) == len({parent.key for parent in self.parents}):
            return False
        for parent in self.parents:
            parent.open()
        return True

    def vectors(self, dim: int, *, reopen: Reopen | None = None) -> Vectors:
        """Open the vectors; a pickle of them opens the same ones only."""
        vectors = super().vectors(dim, reopen=reopen)
        if reopen:
            return vectors
        return super().vectors(dim, reopen=(_open_same, (self.handle, vectors.fingerprint)))

    def fetch(self, dim: int) -> None:
        """Build the stores of the parents."""
        self.check_dim(dim)
        for parent in self.parents:
            parent.open()

    def parse(self, fetched: Fetched | None, dim: int) -> Iterator[Block | ExtraFile]:
        """Derive the vectors, block after block."""
        del fetched, dim
        opened = [parent.open() for parent in self.parents]
        # Sums depend on the number of threads, and one is faster for small products.
        with threadpool_limits(1, user_api="blas"):
            table = self._sum(opened)
            for step in self.steps:
                expected = step.output_dim(table.dim)
                table = step.apply(table)
                if not isinstance(table, Table) or table.dim != expected:
                    raise PluginError(
                        f"{self.name}: the step {type(step).__name__} returned {repr(table)[:200]}; expected "
                        f"a Table of dim {expected}."
                    )
            for words, rows in table.blocks():
                with np.errstate(over="ignore"):  # the store refuses infinite numbers
                    vectors = rows.astype(np.float32)
                yield Block(words, vectors)
        if self.unit == "token":  # without them, no text can be split into tokens
            for name, path in opened[0].files.items():
                if path.suffix != ".npy":
                    yield ExtraFile(name, path, opened[0].manifest["files"][name])

    def _sum(self, opened: list[Vectors]) -> Table:
        blocks = partial(blocks_of, opened[0])
        if len(opened) > 1:
            missing = [
                np.zeros(part.dim)
                if self.fill == "zeros"
                else sum(rows.sum(axis=0) for _, rows in blocks_of(part)) / len(part)
                for part in opened
            ]
            blocks = partial(concatenated, opened, missing)
        dim = sum(part.dim for part in opened)
        return Table(dim, blocks, self.tokenization or "words", self.fallbacks)

    def manifest(self, dim: int, cache_key: str, fetched: Fetched | None) -> dict[str, Any]:
        """Return what the manifest of a store records about the origin of its vectors."""
        known = self._fingerprints(dim)
        parents = [
            {
                "handle": parent.handle,
                "dim": parent.dim,
                "fingerprint": known.get(parent.key),
                "license": parent.source.license,
                "cache_key": parent.key[1],
            }
            for parent in self.parents
        ]
        manifest = super().manifest(dim, cache_key, fetched) | {"parents": parents}
        first: dict[str, Any] = {}
        for parent in self.parents:
            with suppress(OSError, ValueError):
                first |= read_manifest(parent.source.store_path(parent.dim)).get(FIRST, {})
        if first:
            manifest[FIRST] = first
        # A handle without its secrets is that of another file.
        return manifest | ({"handle": self.handle} if self.handle == self.name else {})

    def download_size(self, dim: int) -> int | None:
        """Return how many bytes the parents that are not in the cache take to download."""
        if dim in self.dims and cache.exists(self.store_path(dim)):
            return 0
        sizes = [
            0 if parent.fingerprint else parent.source.download_size(parent.dim) for parent in self.parents
        ]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    def _origin(self, dim: int) -> Origin:  # noqa: ARG002 - the interface's argument
        origins = [parent.source._origin(parent.dim) for parent in self.parents]
        files = tuple(dict.fromkeys(file for origin in origins for file in origin.files))
        readers = dict.fromkeys(reader for origin in origins for reader in origin.readers)
        return Origin(files, (*readers, *self._versions()), parse_handle(self.name))

    def _private_files(self) -> tuple[Path, ...]:
        of_steps = (file for step in self.steps for file in step.files)
        return (*(file for parent in self.parents for file in parent.source._private_files()), *of_steps)


def open_expression(location: str) -> DerivedSource:
    """Return the source of an expression.

    Args:
        location: The canonical form of the expression.

    Raises:
        EmbedhubError: As for `embedhub_derive.open_derived`.
    """
    asked = expression_of(Handle(DERIVED, location))  # which messages point at
    expression = expression_of(map_paths(Handle(DERIVED, location), _absolute))
    limits = [number for number, step in enumerate(expression.steps) if step.name == LIMIT]
    terms, first = expression.terms, 0
    if limits:  # what is limited is a source of its own
        first = limits[-1] + 1
        inner = expression._replace(steps=expression.steps[: first - 1])
        terms = (f"{inner} | {expression.steps[first - 1]}",)
    parents = tuple(_parent(term) for term in terms)
    steps = [
        open_step(asked, number, call.arguments)
        for number, call in enumerate(expression.steps)
        if number >= first
    ]
    expression = _with_arguments(expression, steps, first)
    _check_parents(parents, steps, asked, first)
    name = shown_handle(Handle(DERIVED, str(expression)))
    sources = [parent.source for parent in parents]
    same = {
        field: _common([getattr(source, field) for source in sources])
        for field in ("tokenization", "language")
    }
    licenses = [source.license for source in sources]
    return DerivedSource(
        name=name,
        handle=str(expression),
        parents=parents,
        fill=expression.fill,
        steps=tuple(steps),
        description=f"derived from {' and '.join(parent.handle for parent in parents)}",
        language=same["language"] or ("und" if "und" in {source.language for source in sources} else "mul"),
        cased=any(source.cased for source in sources),
        vocab_size=_vocab_size(sources, steps),
        license=" AND ".join(map(_operand, dict.fromkeys(licenses))) if all(licenses) else "",
        citation="; ".join(dict.fromkeys(source.citation for source in sources if source.citation)),
        bibtex="\n\n".join(dict.fromkeys(source.bibtex.strip() for source in sources if source.bibtex)),
        homepage=sources[0].homepage,
        unit=sources[0].unit,
        frequent_first=sources[0].frequent_first,
        tokenization=same["tokenization"],
        fallbacks=tuple(
            step for step in sources[0].fallbacks if all(step in one.fallbacks for one in sources)
        ),
    )


def _parent(term: str) -> Parent:
    source, dim = resolve(term, None)
    handle = parse_handle(term)
    return Parent(str(parse_handle(shown_handle(handle))._replace(dim=dim, limit=handle.limit)), source, dim)


def _absolute(path: Path) -> str:
    return str(path.expanduser().absolute())


def _with_arguments(expression: Expression, steps: list[Any], first: int) -> Expression:
    """Return the expression with the arguments as the steps have them, and check what the steps are."""
    calls = list(expression.steps)
    for number, step in enumerate(steps, first):
        if not isinstance(step, Step):
            raise PluginError(
                f"{expression}: the step {calls[number].name} is {repr(step)[:200]}; expected an "
                "embedhub_derive.Step. Update or uninstall its plugin."
            )
        calls[number] = StepCall(calls[number].name, step.arguments)
    found = expression._replace(steps=tuple(calls))
    with suppress(SourceNotFoundError):
        if str(parse_handle(str(found))) == str(found):
            return found
    raise SourceNotFoundError(
        f"{found}: this is read as another expression, since an argument has a comma or a vertical bar. "
        "Use a path without them."
    )


def _check_parents(
    parents: tuple[Parent, ...], steps: list[Step], expression: Expression, first: int
) -> None:
    """Raise an error unless the sum and the steps are possible."""
    units = {parent.source.unit for parent in parents}
    selects = any(step.selects_words for step in steps)
    if "token" in units and (len(parents) > 1 or selects):
        raise VocabularyError(
            f"{expression}: vectors of tokens can be neither joined nor selected, since a tokenizer needs "
            "the vectors of all its tokens."
        )
    dim = sum(parent.dim for parent in parents)
    for number, step in enumerate(steps, first):
        try:
            dim = step.output_dim(dim)
        except ValueError as error:
            expression.refuse_step(number, str(error).removesuffix("."))


def _vocab_size(sources: list[EmbeddingSource], steps: list[Step]) -> int | None:
    if len(sources) > 1 or any(step.selects_words for step in steps):
        return None
    return sources[0].vocab_size


def _common(values: list[Any]) -> Any:
    return values[0] if len(set(values)) == 1 else None


def _operand(license: str) -> str:  # noqa: A002 - what it is
    return f"({license})" if " OR " in license else license


def _digest(file: Path) -> str:
    try:
        return xxh3_of_file(file)
    except OSError as error:
        raise LocalFileError(f"{file}: this file cannot be read ({error.strerror}).") from error


def _open_same(handle: str, expected: str) -> Vectors:
    """Open the same vectors in another process, whose machine may have other sources.

    Raises:
        StoreError: The vectors are not the same.
    """
    vectors = load(handle)
    if vectors.fingerprint != expected:
        raise StoreError(
            f"{vectors.name}: the vectors that were pickled have the fingerprint {expected}; those that this "
            f"machine derives have {vectors.fingerprint}. Nothing was opened. Copy the cache of the machine "
            "that pickled them."
        )
    return vectors
