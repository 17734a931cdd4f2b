"""Rules for the metadata and the hashes of a source, and for its behavior as a value."""

import pickle
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from hashlib import new

from embedhub.download.remote_file import RemoteFile
from embedhub.registry.remote_source import RemoteSource
from embedhub.registry.source import EmbeddingSource
from embedhub.testing._failures import describe, expect, fail
from embedhub.testing._metadata import check_homepage, check_host, check_language, check_text

_ADVICE = {
    "description": "Say what the vectors are and what they were trained on.",
    "license": "Write the license that the owner of the vectors chose, if possible as an SPDX expression.",
    "citation": "Write whom to cite: authors, year, title.",
}


def candidates(source: EmbeddingSource, dim: int) -> tuple[RemoteFile, ...]:
    """Return the files of a dimension; empty for a source without files at URLs."""
    return source.candidates(dim) if isinstance(source, RemoteSource) else ()


def check_metadata(source: EmbeddingSource) -> None:
    """Fail unless all fields are valid, and none is a placeholder."""
    for field, advice in _ADVICE.items():
        check_text(source.name, field, getattr(source, field), advice)
    expect(isinstance(source.bibtex, str), f"{source.name}: bibtex is {source.bibtex!r}; expected a string.")
    check_homepage(source.name, source.homepage)
    for field, url in [("homepage", source.homepage), *_urls(source)]:
        check_host(source.name, field, url)
    check_language(source.name, source.language)
    expect(type(source.cased) is bool, f"{source.name}: cased is {source.cased!r}; expected a bool.")
    expect(
        source.unit in {"word", "token"},
        f"{source.name}: unit is {source.unit!r}; expected 'word', or 'token' for the tokens of a tokenizer. "
        "A __post_init__ of your own must call super().__post_init__().",
    )
    size = source.vocab_size
    expect(
        size is None or (type(size) is int and size > 0),
        f"{source.name}: vocab_size is {size!r}; expected a positive int, or None if unknown.",
    )


def _urls(source: EmbeddingSource) -> Iterator[tuple[str, str]]:
    for dim in source.dims:
        for file in candidates(source, dim):
            for part in file.all_files:
                yield f"the url of dim {dim}", part.url


def check_hashes(source: EmbeddingSource) -> None:
    """Fail if a hash is that of an empty file or of several dimensions, or a URL has several hashes."""
    by_location: dict[str, set[str | None]] = defaultdict(set)
    by_hash: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    for dim in source.dims:
        files = candidates(source, dim)
        locations = tuple(file.location for file in files)
        for candidate in files:
            if candidate.known_hash:
                by_hash[candidate.known_hash].add(locations)
        for file in (file for candidate in files for file in candidate.all_files):
            by_location[file.location].add(file.known_hash)
            for known_hash in filter(None, (file.known_hash, file.archive_hash)):
                algorithm, _, value = known_hash.partition(":")
                empty = b"blob 0\0" if algorithm.startswith("git-") else b""
                digest = new(algorithm.removeprefix("git-"), empty, usedforsecurity=False)
                expect(
                    value != digest.hexdigest(),
                    f"{source.name}: {file.location} has the hash of an empty file, {known_hash}. Hash the "
                    "file itself: embedhub check prints the value.",
                )
    for location, hashes in by_location.items():
        expect(
            len(hashes) == 1,
            f"{source.name}: {location} has several hashes: {hashes}. Keep that which embedhub check prints.",
        )
    for known_hash, places in by_hash.items():
        expect(
            len(places) == 1,
            f"{source.name}: {known_hash} is the hash of several dimensions: {places}. Hash each file.",
        )


def check_value(source: EmbeddingSource) -> None:
    """Fail unless a source can be hashed, compared, pickled and replaced, and its cache keys are stable."""
    advice = (
        "Keep in its fields only what can be compared and pickled: functions of a module, no lambdas, no "
        "open files; a mapping has field(hash=False)."
    )
    try:
        same = hash(source) == hash(source) and source == source  # noqa: PLR0124 - what is tested
    except Exception as error:  # noqa: BLE001 - any error is the same failure
        fail(f"{source.name}: hash(source) raises {describe(error)}. {advice}")
    expect(same, f"{source.name}: the source does not equal itself. {advice}")
    try:
        copy = pickle.loads(pickle.dumps(source))  # noqa: S301 - our own bytes
    except Exception as error:  # noqa: BLE001 - any error is the same failure
        fail(f"{source.name}: the source cannot be pickled: {describe(error)}. {advice}")
    expect(
        copy == source and hash(copy) == hash(source),
        f"{source.name}: a pickled copy of the source does not equal it. {advice}",
    )
    try:
        other = replace(source, name=f"{source.name[:-1]}{'b' if source.name.endswith('a') else 'a'}")
    except Exception as error:  # noqa: BLE001 - any error is the same failure
        fail(
            f"{source.name}: dataclasses.replace(source, name=...) raises {describe(error)}. Make the class "
            "a dataclass(frozen=True, kw_only=True), or without an __init__ of its own."
        )
    expect(
        other != source and other.dims == source.dims,
        f"{source.name}: a copy with another name equals it, or has other dims: {other.dims}. Compare all "
        "fields, and compute dims from them.",
    )
    for dim in source.dims:
        keys = {copy.cache_key(dim), source.cache_key(dim)}
        expect(
            len(keys) == 1,
            f"{source.name}: cache_key({dim}) differs from call to call: {keys}. Make it of hashes and "
            "versions only, so that the same vectors are found again.",
        )
