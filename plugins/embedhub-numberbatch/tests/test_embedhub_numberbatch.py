"""The sources keep embedhub's contract, on lines that show the keys of each file."""

from collections.abc import Sequence
from pathlib import Path

import embedhub_numberbatch

from embedhub import embedding_matrix
from embedhub.download.remote_file import Fetched
from embedhub.testing import SourceContract
from embedhub.vectors.store import open_store
from embedhub.vectors.store_writer import StoreWriter

SOURCES = {source.name: source for source in embedhub_numberbatch.SOURCES}
CODES = ["fr", "it", "de", "es", "ru", "pt", "ja", "nl", "zh"]


def text(words: Sequence[str]) -> bytes:
    """Return lines under a header; the first number of each is its place, the second -0.5."""
    lines = (f"{word} {place} -0.5{298 * ' 0.0715'}\n" for place, word in enumerate(words))
    return f"{len(words)} 300\n{''.join(lines)}".encode()


def places(words: Sequence[str]) -> dict[str, Sequence[float]]:
    """Return how the rows of those words start."""
    return {word: [place, -0.5] for place, word in enumerate(words)}


ENGLISH = ["#", "##", "##th", "new_york", "caf\u00e9"]


class TestEnglish(SourceContract):
    """Keys are words, with _ for spaces and # for the digits of longer numbers."""

    sources = [SOURCES["numberbatch-en"]]
    samples = {300: [text(ENGLISH)]}
    expected = {300: places(ENGLISH)}


KEYS = ["/c/de/##", *(f"/c/{code}/x_{code}" for code in ["en", *CODES])]


class TestMultilingual(SourceContract):
    """Keys are those of ConceptNet."""

    sources = [SOURCES["numberbatch"]]
    samples = {300: [text(KEYS)]}
    expected = {300: places(KEYS)}


class TestGerman(SourceContract):
    """Of one language come its words, bare."""

    sources = [SOURCES["numberbatch-de"]]
    samples = {300: [text(KEYS)]}
    expected = {300: {"##": [0, -0.5], "x_de": [4, -0.5]}}


class TestOthers(SourceContract):
    """The other languages differ from German by nothing but their keys."""

    sources = [SOURCES[f"numberbatch-{code}"] for code in CODES if code != "de"]
    samples = {300: [text([f"/c/{code}/same" for code in CODES])]}
    expected = {300: {"same": []}}


def test_capitals_and_longer_numbers_are_found(tmp_path: Path) -> None:
    """A word is looked for in lower case, and with its digits as #, in both ways at once too."""
    path = tmp_path / "sample.txt"
    path.write_bytes(text(ENGLISH))
    source = SOURCES["numberbatch-en"]
    with StoreWriter(tmp_path / "store", name=source.name, dim=300) as writer:
        for block in source.parse(Fetched(path), 300):
            writer.write(block)
    vectors = open_store(tmp_path / "store")
    made = embedding_matrix(vectors, None, ["Caf\u00e9", "42", "42Th", "7"], fallbacks=source.fallbacks)
    assert made.matrix[:3, 0].tolist() == [4, 1, 2]
    assert made.found.tolist() == [True, True, True, False]


def test_what_nobody_has_published_is_not_pinned() -> None:
    """Only the English file has a published hash."""
    pinned = [name for name, source in SOURCES.items() if source.candidates(300)[0].known_hash]
    assert pinned == ["numberbatch-en"]
