"""The form on disk, and the lookups over it."""

import json
import pickle
import re
import tracemalloc
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import embedhub
from embedhub import Vectors
from embedhub.errors import FormatError, StoreError, WordNotFoundError
from embedhub.vectors import index_writer, store, store_writer, vocabulary
from embedhub.vectors.blocks import Block, ExtraFile
from embedhub.vectors.store_writer import StoreWriter
from embedhub.vectors.subwords import Subwords, open_subwords

WORDS = ["the", "of", "café", "a b", "", "\udcff", "\u0085", "nan", "naïve"]


def rows_for(words: list[str], dim: int = 3) -> Block:
    """Return words with distinct rows."""
    return Block(words, np.arange(1, len(words) * dim + 1, dtype=np.float32).reshape(len(words), dim))


def build(folder: Path, blocks: Iterable[Block | ExtraFile], dim: int = 3) -> Vectors:
    """Build and open a store."""
    with StoreWriter(folder, name="tiny", dim=dim, manifest={"license": "CC0"}) as writer:
        for block in blocks:
            writer.write(block)
    return store.open_store(folder)


@pytest.fixture
def tiny(tmp_path: Path) -> Vectors:
    """Return a store of a few awkward words."""
    return build(tmp_path / "tiny", [rows_for(WORDS)])


def test_a_store_gives_back_what_was_written(tiny: Vectors) -> None:
    """Words keep their order and their bytes, rows their bits."""
    assert list(tiny) == list(tiny.words) == tiny.words[:] == WORDS
    assert tiny.words[-1] == "naïve"
    assert tiny.words[1:4:2] == ["of", "a b"]
    assert (tiny.matrix == rows_for(WORDS)[1]).all()
    assert (tiny.dim, len(tiny)) == (3, len(WORDS))
    assert not tiny.matrix.flags.writeable
    with pytest.raises(IndexError):
        tiny.words[len(WORDS)]


def test_lookups(tiny: Vectors) -> None:
    """A word is found by its bytes and nothing else; a missing word is -1, a default, zeros or an error."""
    assert tiny.indices([*WORDS, "The", "cafe", "\ud800", ""]).tolist() == [*range(9), -1, -1, -1, 4]
    assert "café" in tiny
    assert "cafe" not in tiny
    assert 3 not in tiny  # type: ignore[comparison-overlap]  # any object may be asked for
    assert tiny["of"].tolist() == [4, 5, 6]
    assert tiny.get("The") is None
    assert tiny.get("The", 7) == 7
    assert tiny.words.index("nan") == 7
    assert tiny.words.count("nan") == 1
    assert tiny.indices([]).tolist() == []
    assert tiny.lookup(["of", "The"], missing="zeros").tolist() == [[4, 5, 6], [0, 0, 0]]
    with pytest.raises(KeyError, match=r"^tiny 3d has no word 'The'; use .get"):
        tiny["The"]
    with pytest.raises(WordNotFoundError, match=re.escape("2 of 3 words are missing: 'The', 'OF'.")):
        tiny.lookup(iter(["the", "The", "OF"]))
    with pytest.raises(TypeError, match="expected several words, got one str: 'the'"):
        tiny.indices("the")
    with pytest.raises(TypeError, match="got 3 of type int"):
        tiny.indices(["the", 3])  # type: ignore[list-item]  # the point


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(
    st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, unique=True), st.lists(st.text())
)
def test_lookups_agree_with_a_dictionary(
    tmp_path_factory: pytest.TempPathFactory, words: list[str], others: list[str]
) -> None:
    """For any vocabulary and any question the answer is a dictionary's."""
    opened = build(tmp_path_factory.mktemp("any") / "store", [rows_for(words)])
    expected = {word: i for i, word in enumerate(words)}
    assert opened.indices(words + others).tolist() == [expected.get(word, -1) for word in words + others]


def test_words_that_share_a_hash_are_told_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """When two words have one hash, their bytes decide, in the index as among duplicates."""

    def poor(encoded: list[bytes]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
        return np.array([len(word) % 3 for word in encoded], np.uint64)

    monkeypatch.setattr(vocabulary, "hash_words", poor)
    monkeypatch.setattr(store_writer, "hash_words", poor)
    opened = build(tmp_path / "poor", [rows_for([*WORDS, "of"])])
    assert opened.indices([*WORDS, "xx", "yyyyyy"]).tolist() == [*range(9), -1, -1]
    assert opened.manifest["duplicates"] == 1


def test_the_first_of_duplicate_words_wins(tmp_path: Path) -> None:
    """Later rows of a word are dropped, also across blocks, and the manifest counts them."""
    blocks = [rows_for(["a", "b", "a"]), rows_for(["c", "b", "d"])]
    opened = build(tmp_path / "twice", blocks)
    assert list(opened) == ["a", "b", "c", "d"]
    assert opened.matrix[:, 0].tolist() == [1, 4, 1, 7]
    assert opened.indices(["d", "c", "b", "a"]).tolist() == [3, 2, 1, 0]
    assert (opened.manifest["rows"], opened.manifest["duplicates"]) == (4, 2)


@pytest.mark.parametrize("at_once", [1, 2, 5, 1000])
def test_the_index_is_the_same_however_it_is_sorted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    """Ranges of hashes that are sorted one after the other make the same sorted whole, duplicates seen."""
    monkeypatch.setattr(index_writer, "_AT_ONCE", at_once)
    words = [f"w{i % 90}" for i in range(100)]
    opened = build(tmp_path / "ranges", [rows_for(words[:33]), rows_for(words[33:])])
    assert opened.indices(words).tolist() == [i % 90 for i in range(100)]
    hashes = np.load(tmp_path / "ranges" / "hashes.npy", allow_pickle=False)
    assert (hashes == np.sort(vocabulary.hash_words([word.encode() for word in words[:90]]))).all()
    assert opened.manifest["duplicates"] == 10


@pytest.mark.parametrize("seed", range(20))
def test_repeated_words_are_removed_wherever_they_are(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first row of each word stays, however many have its hash and few are sorted at once."""
    random = np.random.default_rng(seed)

    def poor(encoded: list[bytes]) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
        return np.array([int.from_bytes(word[:2]) % (1 + seed) * 2**58 for word in encoded], np.uint64)

    if seed % 2:
        monkeypatch.setattr(vocabulary, "hash_words", poor)
        monkeypatch.setattr(store_writer, "hash_words", poor)
    monkeypatch.setattr(index_writer, "_AT_ONCE", int(random.integers(1, 40)))
    monkeypatch.setattr(index_writer, "_BYTES_AT_ONCE", int(random.integers(1, 400)))
    words = [
        f"{i}" * int(random.integers(0, 4)) for i in random.integers(0, 40, int(random.integers(1, 300)))
    ]
    opened = build(
        tmp_path / "some", [rows_for(words[start : start + 50]) for start in range(0, len(words), 50)]
    )
    rows = np.concatenate([rows_for(words[start : start + 50])[1] for start in range(0, len(words), 50)])
    firsts = {word: row for row, word in reversed(list(enumerate(words)))}
    kept = sorted(firsts.values())
    assert list(opened) == [words[row] for row in kept]
    assert (opened.matrix == rows[kept]).all()
    assert opened.indices(list(opened)).tolist() == list(range(len(kept)))
    hashes = np.load(tmp_path / "some" / "hashes.npy", allow_pickle=False)
    assert (hashes[1:] >= hashes[:-1]).all()
    assert len(list((tmp_path / "some").iterdir())) == 6


def test_words_made_to_share_a_hash_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """XXH3 has no key: a file of thousands of words of one hash would make each look-up slow."""
    monkeypatch.setattr(store_writer, "hash_words", lambda encoded: np.zeros(len(encoded), np.uint64))
    with pytest.raises(FormatError, match="more than 1000 different words have one hash"):
        build(tmp_path / "some", [rows_for([str(i) for i in range(1_100)])])


def test_the_memory_of_a_build_does_not_grow_with_the_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Eight times the rows take no more memory to write and to index."""
    monkeypatch.setattr(index_writer, "_AT_ONCE", 512)
    rows = np.zeros((512, 512), np.float32)

    def peak(blocks: int) -> int:
        tracemalloc.start()
        words = ([f"{i} {j}" for j in range(512)] for i in range(blocks))
        build(tmp_path / str(blocks), (Block(some, rows) for some in words), 512)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(1)
    assert peak(32) <= 1.1 * peak(4)


def test_the_form_is_the_documented_one(tmp_path: Path) -> None:
    """The files are those that the design names, readable with numpy and json alone."""
    folder = tmp_path / "tiny"
    build(folder, [rows_for(["b", "é"])])
    assert {path.name for path in folder.iterdir()} == {
        "manifest.json", "matrix.npy", "words.utf8", "offsets.npy", "hashes.npy", "rows.npy",
    }  # fmt: skip
    assert np.load(folder / "matrix.npy").tolist() == [[1, 2, 3], [4, 5, 6]]
    assert (folder / "words.utf8").read_bytes() == b"b\xc3\xa9"
    assert np.load(folder / "offsets.npy").tolist() == [0, 1, 3]
    hashes, rows = np.load(folder / "hashes.npy"), np.load(folder / "rows.npy")
    # XXH3-64 of the bytes, as the reference implementation gives it.
    assert dict(zip(rows.tolist(), hashes.tolist(), strict=True)) == {
        0: vocabulary.hash_words([b"b"])[0],
        1: vocabulary.hash_words(["é".encode()])[0],
    }
    assert hashes[0] < hashes[1]
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert manifest["format_version"] == 2
    assert manifest["license"] == "CC0"
    assert set(manifest["xxh3_128"]) == {"matrix.npy", "words.utf8", "offsets.npy", "hashes.npy", "rows.npy"}


def test_extra_files_come_with_a_store(tmp_path: Path) -> None:
    """What a reader adds, an array or a file, is in the store, in its manifest and its digests."""
    text = tmp_path / "a.json"
    text.write_text("{}")
    table = np.arange(6, dtype=np.float32).reshape(2, 3)
    blocks: list[Block | ExtraFile] = [
        rows_for(["a"]),
        ExtraFile("subwords.npy", table, {"buckets": 2, "min_n": 1, "max_n": 2}),
        rows_for(["b"]),
        ExtraFile("tokenizer.json", text, {}),
    ]
    opened = build(tmp_path / "tiny", blocks)
    assert list(opened) == ["a", "b"]
    assert opened.files["tokenizer.json"].read_text() == "{}"
    assert {"subwords.npy", "tokenizer.json"} <= set(opened.manifest["xxh3_128"])
    assert opened.composer is None
    opened = store.open_store(tmp_path / "tiny", composer=open_subwords)
    assert isinstance(opened.composer, Subwords)
    assert (opened.composer.rows == table).all()
    (tmp_path / "tiny" / "subwords.npy").write_bytes(b"")
    with pytest.raises(StoreError, match="the composer of tiny 3d cannot read its files in this store"):
        store.open_store(tmp_path / "tiny", composer=open_subwords)


def test_an_interrupted_build_leaves_nothing(tmp_path: Path) -> None:
    """Whatever stops a build, Ctrl-C too, the final name never appears and the next build succeeds."""

    def cut() -> Iterable[Block]:
        yield rows_for(["a"])
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build(tmp_path / "stores" / "tiny", cut())
    assert not (tmp_path / "stores").exists()
    assert len(build(tmp_path / "stores" / "tiny", [rows_for(["a"])])) == 1


@pytest.mark.parametrize(
    "name", ["manifest.json", "matrix.npy", "words.utf8", "offsets.npy", "hashes.npy", "rows.npy"]
)
def test_a_damaged_store_says_so(tmp_path: Path, name: str) -> None:
    """A file that is absent or cut is an error that says what to remove."""
    folder = tmp_path / "tiny"
    build(folder, [rows_for(WORDS)])
    data = (folder / name).read_bytes()
    for damage in (data[:-2], data[: len(data) // 2], b"", b"[]", None):
        (folder / name).unlink()
        if damage is not None:
            (folder / name).write_bytes(damage)
        with pytest.raises(StoreError, match=r"is damaged .*embedhub cache repair") as caught:
            store.open_store(folder)
        assert str(folder) in str(caught.value)


def test_most_similar(tmp_path: Path) -> None:
    """Neighbors are sorted by cosine, best first, without the word itself; rows of zeros are near nothing."""
    words = ["east", "north", "northeast", "west", "nowhere"]
    rows = np.array([[1, 0], [0, 2], [3, 3], [-1, 0], [0, 0]], np.float32)
    opened = build(tmp_path / "compass", [Block(words, rows)], dim=2)
    names, scores = zip(*opened.most_similar("east"), strict=True)
    assert names == ("northeast", "north", "nowhere", "west")
    assert scores == pytest.approx([2**-0.5, 0, 0, -1])
    assert [name for name, _ in opened.most_similar([0, 1], topn=2)] == ["north", "northeast"]
    assert opened.most_similar("nowhere", topn=1) == [("east", 0.0)]
    with pytest.raises(WordNotFoundError):
        opened.most_similar("south")
    with pytest.raises(ValueError, match=r"expected a word, or a vector of shape \(2,\)"):
        opened.most_similar([1, 2, 3])
    with pytest.raises(ValueError, match="topn is 0"):
        opened.most_similar("east", topn=0)


def test_vectors_are_pickled_by_name() -> None:
    """What travels is the name, not the matrix; vectors without a registered name say what to do."""
    loaded = embedhub.load("wordnet-ppmi", 25)
    data = pickle.dumps(loaded)
    assert len(data) < 200
    again = pickle.loads(data)  # noqa: S301 - our own bytes
    assert (again.matrix == loaded.matrix).all()
    of_source = embedhub.sources()["wordnet-ppmi"].vectors(25)
    assert (pickle.loads(pickle.dumps(of_source)).matrix == loaded.matrix).all()  # noqa: S301 - our own bytes
    with pytest.raises(TypeError, match=r"cannot be pickled: .* Open it with embedhub.load"):
        pickle.dumps(Vectors(loaded.matrix, loaded.words, name="mine"))


def test_a_manifest_cannot_replace_what_was_counted(tmp_path: Path) -> None:
    """Dimension and number of rows in the manifest are those of the store."""
    with StoreWriter(tmp_path / "store", name="tiny", dim=2, manifest={"dim": 5, "rows": 9}) as writer:
        writer.write((["rain"], np.ones((1, 2), np.float32)))
    assert store.open_store(tmp_path / "store").matrix.shape == (1, 2)
