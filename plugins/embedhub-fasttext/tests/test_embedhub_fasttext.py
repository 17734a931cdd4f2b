"""The sources keep embedhub's contract, on lines and models that show what is odd in the files."""

import gzip
import hashlib
import struct
from collections import Counter
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import embedhub_fasttext
import numpy as np
import pytest

from embedhub import embedding_matrix
from embedhub.download.remote_file import Fetched
from embedhub.errors import UnverifiedWarning
from embedhub.testing import SourceContract
from embedhub.vectors.store import open_store
from embedhub.vectors.store_writer import StoreWriter

SOURCES = {source.name: source for source in embedhub_fasttext.embedhub_sources()}
SUBWORD = [name for name in SOURCES if name.endswith("-subword")]
CRAWL_SUBWORD = [name for name in SUBWORD if name.startswith("fasttext-cc-")]
WORDS = [",", "</s>", "\u00a0", "hussarde\u202f\u00bb", "100", "The"]


def text() -> bytes:
    """Return lines as fastText writes them: a header, then words and numbers, a space before each end."""
    lines = (f"{word} {place} -0.5{298 * ' 0.0715'}".encode() + b" \n" for place, word in enumerate(WORDS))
    return b"%d 300\n" % len(WORDS) + b"".join(lines)


class TestText(SourceContract):
    """Words are or hold white space, one looks like a number, one is the end of a sentence."""

    sources = [source for name, source in SOURCES.items() if name not in SUBWORD]
    samples = {300: [text()]}
    expected = {300: {word: [place, -0.5] for place, word in enumerate(WORDS)}}


def model() -> bytes:
    """Return a model of three words with 5-grams, whose own rows are [4, -1, ...], [8, -1, ...], [12, ...].

    The rows of n-grams are zeros but for the second number, 3. A word of three letters has one 5-gram.
    """
    words = [b"</s>", b"the", b"The"]
    head = struct.pack("<2i12id", 793712314, 12, 300, 5, 5, 1, 5, 1, 2, 1, 4, 5, 5, 100, 1e-4)
    dictionary = struct.pack("<3i2q", len(words), len(words), 0, 1000, -1)
    dictionary += b"".join(word + b"\0" + struct.pack("<qb", 7, 0) for word in words)
    table = np.zeros((len(words) + 4, 300), "<f4")
    table[:3, 0] = 4, 8, 12
    table[:3, 1] = -1
    table[3:, 1] = 3
    output = struct.pack("<b2q", 0, 1, 300) + bytes(1200)
    return head + dictionary + struct.pack("<b2q", 0, *table.shape) + table.tobytes() + output


class TestModel(SourceContract):
    """A row is the mean of the word's own and its n-grams'; the end of a sentence has none."""

    sources = [SOURCES[name] for name in SUBWORD if name not in CRAWL_SUBWORD]
    samples = {300: [model()]}
    expected = {300: {"</s>": [4, -1, 0], "the": [4, 1, 0], "The": [6, 1, 0]}}


class TestModelOnTheHub(SourceContract):
    """The model on the Hub has the same vectors as Facebook's gzip file."""

    sources = [SOURCES[name] for name in CRAWL_SUBWORD]
    samples = {300: [gzip.compress(model()), model()]}
    expected = TestModel.expected


def test_unknown_words_are_composed_of_ngrams(tmp_path: Path) -> None:
    """The store of a model has the table of its n-grams, so that oov="subword" works."""
    path = tmp_path / "model.bin"
    path.write_bytes(model())
    source = SOURCES["fasttext-crawl-subword"]
    with StoreWriter(tmp_path / "store", name=source.name, dim=300) as writer:
        for block in source.parse(Fetched(path), 300):
            writer.write(block)
    vectors = open_store(tmp_path / "store", composer=source.composer)
    matrix = embedding_matrix(vectors, None, ["the", "unheard"], oov="subword").matrix
    assert matrix[:, :3].tolist() == [[4, 1, 0], [0, 3, 0]]


def test_table_of_languages_is_read_once() -> None:
    """A second call of the hook returns the same sources, without reading the table again."""
    assert embedhub_fasttext.embedhub_sources() is embedhub_fasttext.embedhub_sources()


def test_there_are_as_many_languages_as_facebook_has() -> None:
    """English four times, 294 Wikipedias, 158 languages of Common Crawl in two forms, 44 that are aligned."""
    families = Counter(name.split("-")[1] for name in SOURCES)
    assert families["cc"] == 2 * 158
    assert families["aligned"] == 44
    english = {f"fasttext-{name}{kind}" for name in ("wiki-news", "crawl") for kind in ("", "-subword")}
    assert english < set(SOURCES)
    assert families["wiki"] == 294 + 2
    assert len(SOURCES) == 4 + 294 + 2 * 158 + 44


def test_a_language_has_one_tag_in_all_families() -> None:
    """The tag is fastText's code, unless that is not a BCP 47 tag, or that of another language."""
    tags: dict[str, str] = {}
    for name, source in SOURCES.items():
        _, family, code, *_ = *name.split("-"), "en"
        if family in {"wiki", "cc", "aligned"} and code != "news":
            assert tags.setdefault(code, source.language) == source.language
    assert {code: tag for code, tag in tags.items() if code != tag} == {
        "als": "gsw",
        "bat_smg": "sgs",
        "bh": "bho",
        "cbk_zam": "cbk",
        "fiu_vro": "vro",
        "map_bms": "jv-x-bms",
        "mo": "ro-Cyrl-MD",
        "nds_nl": "nds-NL",
        "no": "nb",
        "nrm": "nrf",
        "roa_rup": "rup",
        "roa_tara": "nap-x-tara",
        "simple": "en-simple",
        "zh_classical": "lzh",
        "zh_min_nan": "nan",
        "zh_yue": "yue",
    }


def test_what_is_lower_cased_says_so() -> None:
    """Vectors of a Wikipedia alone are lower-cased, and look for the lower-cased word; the others are not."""
    for name, source in SOURCES.items():
        lowered = name.startswith(("fasttext-wiki-", "fasttext-aligned-")) and "-news" not in name
        assert source.cased is not lowered
        assert source.fallbacks == (("lower",) if lowered else ())


def test_models_on_the_hub_are_pinned() -> None:
    """The second candidate of a model on Common Crawl is that on the Hub, by the sha1 of its own bytes."""
    others = {name: source.candidates(300)[1:] for name, source in SOURCES.items()}
    assert [name for name, files in others.items() if files] == CRAWL_SUBWORD
    pins = [file.known_hash for files in others.values() for file in files]
    assert len(set(pins)) == 158
    assert all(str(pin).startswith("sha1:") for pin in pins)
    (english,) = others["fasttext-cc-en-subword"]
    assert english.known_hash == "sha1:53588c22cac7f8bf504169f671206b60da21d9b2"
    assert english.url == (
        "https://huggingface.co/facebook/fasttext-en-vectors/resolve/"
        "a80392390daaee1a91000da45c376d512e1dc555/model.bin"
    )
    (german,) = others["fasttext-cc-de-subword"]
    assert german.url == "https://huggingface.co/facebook/fasttext-de-vectors/resolve/main/model.bin"


def test_only_pinned_files_are_used_where_hashes_are_required(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With EMBEDHUB_REQUIRE_HASH the model comes from the Hub; without, the smaller gzip file does."""
    source = SOURCES["fasttext-cc-de-subword"]
    first, second = source.candidates(300)
    content = {first: gzip.compress(model()), second: model()}
    for file, data in content.items():
        place = tmp_path / "mirror" / file.mirror_name
        place.parent.mkdir(parents=True)
        place.write_bytes(data)
    pinned = replace(second, known_hash=f"sha1:{hashlib.sha1(model(), usedforsecurity=False).hexdigest()}")
    source = replace(source, files={300: (first, pinned)})
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    for required, used in (("1", second), ("0", first)):
        monkeypatch.setenv("EMBEDHUB_CACHE", str(tmp_path / required))
        monkeypatch.setenv("EMBEDHUB_REQUIRE_HASH", required)
        with pytest.warns(UnverifiedWarning) if used is first else nullcontext():
            vectors = source.vectors(300)
        assert vectors.manifest["url"] == used.url
        assert vectors["the"][:3].tolist() == [4, 1, 0]


def test_what_nobody_has_published_is_not_pinned() -> None:
    """Pinned are English, the Wikipedias, and three texts of Common Crawl; nothing that is aligned."""
    pins = {name: source.candidates(300)[0].known_hash for name, source in SOURCES.items()}
    pinned = {name for name, pin in pins.items() if pin}
    assert pinned == {
        *(name for name in SOURCES if name.startswith(("fasttext-wiki-", "fasttext-crawl"))),
        *(f"fasttext-cc-{code}" for code in ("en", "es", "fr")),
    }
    kinds = Counter(str(pins[name]).partition(":")[0] for name in pinned)
    assert kinds == {"sha256": 173 + 1 + 2, "sha1": 121 + 3, "sha512": 1}


def test_pins_that_are_known_to_be_wrong_are_not_used() -> None:
    """No pin is that of an empty file, none stands twice, and that of the English zip is not the text's."""
    files = [file for source in SOURCES.values() for file in source.candidates(300)]
    pins = [file.known_hash for file in files if file.known_hash]
    assert len(set(pins)) == len(pins)
    for wrong in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "f4d87723baad28804f89c0ecf74fd0f52ac2ae194c270cb4c89b0a84f0bcf53b",
        "9b556504d099a6c01f3dd76b88775d02cb2f1946",
    ):
        assert not [pin for pin in pins if pin.endswith(wrong)]
