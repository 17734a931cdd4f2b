"""The sources keep embedhub's contract, on lines that show what is odd in each file."""

from collections.abc import Sequence

import embedhub_glove
import pytest

from embedhub.testing import SourceContract

SOURCES = {source.name: source for source in embedhub_glove.SOURCES}


def text(words: Sequence[str], dim: int) -> bytes:
    """Return lines as Stanford writes them; the first number of each is its place, the second -0.5."""
    lines = (f"{word} {place} -0.5{(dim - 2) * ' 0.071549'}\n" for place, word in enumerate(words))
    return "".join(lines).encode("utf-8", "surrogateescape")


def places(words: Sequence[str]) -> dict[str, Sequence[float]]:
    """Return how the rows of those words start."""
    return {word: [place, -0.5] for place, word in enumerate(words)}


OF_42B = [",", "the", "nan", "1e5"]


class Test42B(SourceContract):
    """The first word is a comma; words that look like numbers are words."""

    sources = [SOURCES["glove-42b"]]
    samples = {300: [text(OF_42B, 300)]}
    expected = {300: places(OF_42B)}


OF_840B = [",", "The", "the", ".\u00a0.\u00a0.", ". . .", "\udc96", "\ufffd", "at name@domain.com"]


class Test840B(SourceContract):
    """Words hold no-break spaces, spaces, bytes that are not UTF-8; one comes twice, and the first counts."""

    sources = [SOURCES["glove-840b"]]
    samples = {300: [text([*OF_840B, "The"], 300)]}
    expected = {300: places(OF_840B)}


OF_TWITTER = ["<user>", ".", "<hashtag>", "\u0085", "#", "the"]


class TestTwitter(SourceContract):
    """One word is U+0085, which ends a line for Python; gensim-data has the same lines under a header."""

    sources = [SOURCES["glove-twitter-27b"]]
    samples = {25: [text(OF_TWITTER, 25), b"6 25\n" + text(OF_TWITTER, 25)]}
    expected = {25: places(OF_TWITTER)}


OF_2024 = ["the", ",", "<unk>"]


class Test2024(SourceContract):
    """The last row is <unk>, a word like any other."""

    sources = [SOURCES["glove-2024-wikigiga"], SOURCES["glove-2024-dolma"]]
    samples = {dim: [text(OF_2024, dim)] for dim in (50, 300)}
    expected = {dim: places(OF_2024) for dim in samples}


def test_what_nobody_has_published_is_not_pinned() -> None:
    """All files are pinned but those of 2024, of which only the 50d text is."""
    unpinned = {
        (source.name, dim)
        for source in embedhub_glove.SOURCES
        for dim in source.dims
        for file in source.candidates(dim)
        if file.known_hash is None
    }
    assert unpinned == {
        *(("glove-2024-wikigiga", dim) for dim in (100, 200, 300)),
        ("glove-2024-dolma", 300),
    }


@pytest.mark.parametrize("name", ["glove-42b", "glove-840b", "glove-twitter-27b"])
def test_the_build_with_a_row_more_is_no_candidate(name: str) -> None:
    """The archives of 2014 come from the address whose build is pinned, or from gensim-data."""
    for dim in SOURCES[name].dims:
        for file in SOURCES[name].candidates(dim):
            assert file.url.startswith(
                ("https://nlp.stanford.edu/data/glove.", "https://github.com/piskvorky/")
            )
