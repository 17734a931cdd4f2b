"""The first words of a source are loaded from the part of its file that has them."""

import gzip
import hashlib
import io
import json
import math
import pickle
import re
import shlex
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import writers
from command import run
from remote import HOST, files_in, pinned, source_of
from serving import Serving

import embedhub
from embedhub import Block, ComputedSource, RemoteFile, RemoteSource, VocabularyError
from embedhub.errors import ChecksumError, DownloadError, StoreWarning, UnverifiedWarning
from embedhub.registry.builtin.glove import GLOVE_6B
from embedhub.registry.handle import parse_handle
from embedhub.registry.inventory import list_stores

COUNT, DIM = 60_000, 20
WORDS = [f"word{i}" for i in range(COUNT)]
ROWS = np.random.default_rng(0).normal(0, 1, (COUNT, DIM)).astype(np.float32)
TEXT = b"".join(
    b"%s %s\n" % (word.encode(), b" ".join(b"%.5g" % number for number in row))
    for word, row in zip(WORDS, ROWS.tolist(), strict=True)
)


def archived() -> bytes:
    """Return an archive with the text behind another member."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as target:
        target.writestr("before.txt", TEXT[:100_000])
        target.writestr("deep/a.txt", TEXT)
    return file.getvalue()


FORMATS: dict[str, tuple[str, str | None, str | None, Callable[[], bytes]]] = {
    "plain": ("a.txt", "glove", None, lambda: TEXT),
    "gzip": ("a.txt.gz", "glove", None, lambda: gzip.compress(TEXT, 1)),
    "member": ("a.zip", "glove", "deep/a.txt", archived),
    "binary": ("a.bin", "word2vec-binary", None, lambda: writers.word2vec_binary(WORDS, ROWS)),
    "unnamed": ("b.txt", None, None, lambda: TEXT),
}
LIMITED = "ignore:.*there is no published hash of its first:embedhub.errors.UnverifiedWarning"


class Published(NamedTuple):
    """A source at the made-up host, the server of its mirror, and the size of its file."""

    source: RemoteSource
    serving: Serving
    size: int


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a mirror with a file of each kind, which no test changes."""
    folder = tmp_path_factory.mktemp("files")
    (folder / HOST).mkdir()
    for name, _, _, make in FORMATS.values():
        (folder / HOST / name).write_bytes(make())
    return folder


@pytest.fixture
def publish(
    files: Path, serve: Callable[..., Serving], monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Published]:
    """Return a function that serves one of the files, and makes its source."""

    def publish(kind: str = "member", folder: Path = files, **changes: Any) -> Published:
        name, form, member, _ = FORMATS[kind]
        serving = serve(folder)
        monkeypatch.setenv("EMBEDHUB_MIRROR", serving.base)
        data = (folder / HOST / name).read_bytes()
        facts: dict[str, Any] = {"format": form}
        if member:
            facts |= {"member": member, "size": len(TEXT)}
            facts["known_hash"] = f"sha256:{hashlib.sha256(TEXT).hexdigest()}"
        file = pinned(data, name, **(facts | changes))
        return Published(source_of(file, dim=DIM, vocab_size=COUNT), serving, len(data))

    return publish


def check(vectors: embedhub.Vectors, count: int, *, exact: bool = False) -> None:
    """Check that these are the first words and their vectors."""
    assert len(vectors) == count
    assert list(vectors.words) == WORDS[:count]
    expected = ROWS[:count] if exact else np.array([[float(b"%.5g" % x) for x in row] for row in ROWS[:9]])
    np.testing.assert_array_equal(vectors.matrix[: len(expected)], expected.astype(np.float32))


@pytest.mark.filterwarnings(LIMITED)
@pytest.mark.parametrize("kind", FORMATS)
def test_only_the_part_with_the_words_is_downloaded(publish: Callable[..., Published], kind: str) -> None:
    """More words, and then all, continue the same file: no byte of it is sent twice."""
    source, serving, size = publish(kind)
    check(embedhub.load(source, limit=2_000), 2_000, exact=kind == "binary")
    few = serving.sent
    assert few < size / 2
    check(embedhub.load(source, limit=30_000), 30_000, exact=kind == "binary")
    assert few < serving.sent < size
    check(embedhub.load(source), COUNT, exact=kind == "binary")
    assert serving.sent < size + 400_000  # what is asked before: a byte, and the archive's directory


@pytest.mark.filterwarnings(LIMITED)
@pytest.mark.parametrize("name", ["a.txt", "a.txt.gz", "a.bin", "a.zip#deep/a.txt"])
@pytest.mark.parametrize("dim", ["", f":{DIM}"])
def test_first_words_of_a_url(publish: Callable[..., Published], name: str, dim: str) -> None:
    """Its dimension is that of the part which has them; the second time no request is sent."""
    _, serving, size = publish("member")
    text = f"https://{HOST}/{name}{dim} | limit(2000)"
    check(embedhub.load(text), 2_000, exact=name == "a.bin")
    assert serving.sent < size
    asked = len(serving.asked)
    vectors = embedhub.load(text)
    check(pickle.loads(pickle.dumps(vectors)), 2_000, exact=name == "a.bin")  # noqa: S301 - our own
    assert len(serving.asked) == asked


@pytest.mark.filterwarnings(LIMITED)
def test_built_store_needs_no_request(publish: Callable[..., Published]) -> None:
    """Neither one of the same limit, nor one of all words."""
    source, serving, _ = publish()
    embedhub.load(source, limit=2_000)
    asked = len(serving.asked)
    check(embedhub.load(source, limit=2_000), 2_000)
    assert len(serving.asked) == asked
    embedhub.load(source)
    asked = len(serving.asked)
    check(embedhub.load(source, limit=1_000), 1_000)
    assert len(serving.asked) == asked
    assert {store.rows for store in list_stores("some")} == {1_000, 2_000, COUNT}


@pytest.mark.filterwarnings(LIMITED)
def test_interrupted_part_is_resumed(publish: Callable[..., Published]) -> None:
    """A connection that breaks loses nothing that has arrived."""
    source, serving, size = publish("plain")
    serving.faults += [{}, {"cut": 700_000}]
    check(embedhub.load(source, limit=2_000), 2_000)
    assert serving.asked[-1].endswith(re.search(r"-\d+$", serving.asked[1])[0])  # type: ignore[index]  # None fails
    assert "bytes=700000-" in serving.asked[-1]
    assert serving.sent < size / 2


@pytest.mark.filterwarnings(LIMITED)
@pytest.mark.parametrize("kind", ["plain", "member"])
def test_server_without_ranges_sends_all(publish: Callable[..., Published], kind: str) -> None:
    """The words are the same."""
    source, serving, _ = publish(kind)
    serving.ranges = False
    check(embedhub.load(source, limit=2_000), 2_000)


@pytest.mark.filterwarnings(LIMITED)
@pytest.mark.parametrize("kind", FORMATS)
def test_folder_has_the_same_words(
    publish: Callable[..., Published], kind: str, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Offline, with a mirror that is a folder."""
    source, serving, _ = publish(kind)
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(files))
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    check(embedhub.load(source, limit=2_000), 2_000, exact=kind == "binary")
    assert not serving.asked


def test_kept_download_has_the_same_words(
    publish: Callable[..., Published], monkeypatch: pytest.MonkeyPatch, cache: Path
) -> None:
    """A whole file in the cache is used, and its published hash is enough."""
    source, serving, _ = publish()
    monkeypatch.setenv("EMBEDHUB_KEEP_DOWNLOADS", "1")
    embedhub.load(source)
    for store in list_stores():
        for path in store.folder.iterdir():
            path.unlink()
        store.folder.rmdir()
    asked = len(serving.asked)
    check(embedhub.load(source, limit=2_000), 2_000)
    assert len(serving.asked) == asked


def prefix(data: bytes, size: int) -> tuple[int, str]:
    """Return what a table publishes of the beginning of a file."""
    return size, f"sha256:{hashlib.sha256(data[:size]).hexdigest()}"


def test_published_beginning_is_verified(
    publish: Callable[..., Published], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is downloaded to the byte, without a warning, and for fewer words too; where hashes are required."""
    monkeypatch.setenv("EMBEDHUB_REQUIRE_HASH", "1")
    size = len(TEXT) // 4
    source, serving, _ = publish(
        "plain", prefixes={9_000: prefix(TEXT, size), 50_000: prefix(TEXT, size * 3)}
    )
    for limit in (9_000, 5_000):
        vectors = embedhub.load(source, limit=limit)
        check(vectors, limit)
        assert serving.sent == size + 1  # the first byte is asked for the size
        assert vectors.manifest["hash"] == prefix(TEXT, size)[1]
        serving.sent = size
    with pytest.raises(DownloadError, match=r"no published hash of its first 50,001 words.*without a limit"):
        embedhub.load(source, limit=50_001)


def test_other_bytes_than_published_are_an_error(publish: Callable[..., Published], cache: Path) -> None:
    """Nothing of them stays."""
    size = len(TEXT) // 4
    source, *_ = publish("plain", prefixes={9_000: (size, f"sha256:{'0' * 64}")})
    with pytest.raises(ChecksumError, match=f"expected sha256:0.*of its first {size:,} bytes"):
        embedhub.load(source, limit=9_000)
    assert not [path for path in files_in(cache) if ".part" in path or path.startswith("vectors")]


def test_published_beginning_with_too_few_words_is_continued(publish: Callable[..., Published]) -> None:
    """A table may be wrong: then its hash is not that of the words, and the warning says so."""
    source, _, _ = publish("plain", prefixes={9_000: prefix(TEXT, 1_000_000)})
    with pytest.warns(UnverifiedWarning, match="no published hash"):
        check(embedhub.load(source, limit=9_000), 9_000)


def test_beginning_without_a_published_hash_is_trusted_once(
    publish: Callable[..., Published], cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Later its bytes have to be the same, until they are forgotten by the command that the message names."""
    folder = tmp_path / "changing"
    (folder / HOST).mkdir(parents=True)
    (folder / HOST / "a.txt").write_bytes(TEXT)
    source, serving, _ = publish("plain", folder)
    with pytest.warns(UnverifiedWarning, match=r"no published hash of its first [\d,]+ bytes"):
        embedhub.load(source, limit=2_000)
    remove_all_but_hashes(cache)
    check(embedhub.load(source, limit=2_000), 2_000)
    remove_all_but_hashes(cache)
    (folder / HOST / "a.txt").write_bytes(TEXT.replace(b"word7 ", b"wordX "))
    serving.etag = '"2"'
    with pytest.raises(ChecksumError, match="first download") as caught:
        embedhub.load(source, limit=2_000)
    command = re.search('embedhub (cache forget ".*")', str(caught.value))
    assert command
    assert run(*shlex.split(command[1])).returncode == 0
    with pytest.warns(UnverifiedWarning, match="no published hash"):
        assert "wordX" in embedhub.load(source, limit=2_000)
    monkeypatch.setenv("EMBEDHUB_REQUIRE_HASH", "1")
    with pytest.raises(embedhub.errors.StoreError, match="EMBEDHUB_REQUIRE_HASH refuses"):
        embedhub.load(source, limit=2_000)


@pytest.mark.filterwarnings("ignore::embedhub.errors.UnverifiedWarning")
def test_all_bytes_that_are_read_are_remembered(publish: Callable[..., Published], cache: Path) -> None:
    """A part that is there already may be longer than the words need."""
    source, serving, _ = publish("plain")
    embedhub.load(source, limit=30_000)
    sent = serving.sent
    vectors = embedhub.load(source, limit=100)
    (part,) = (cache / "downloads").rglob("*.part")
    assert vectors.manifest["bytes"] == part.stat().st_size
    assert serving.sent == sent + 1  # the first byte is asked for the size


def remove_all_but_hashes(cache: Path) -> None:
    """Remove stores and downloads."""
    for path in files_in(cache):
        if not path.startswith("hashes"):
            (cache / path).unlink()
    for store in (cache / "vectors").glob("*/*"):
        store.rmdir()


@pytest.mark.filterwarnings(LIMITED)
def test_changed_file_is_not_mixed(publish: Callable[..., Published], tmp_path: Path) -> None:
    """A part of a former file is not continued with the bytes of a new one."""
    folder = tmp_path / "changing"
    (folder / HOST).mkdir(parents=True)
    (folder / HOST / "a.txt").write_bytes(TEXT)
    source, serving, _ = publish("plain", folder, known_hash=None, size=None)
    embedhub.load(source, limit=2_000)
    (folder / HOST / "a.txt").write_bytes(TEXT.replace(b"word", b"name"))
    serving.etag = '"2"'
    vectors = embedhub.load(source, limit=20_000)
    assert list(vectors.words) == [f"name{i}" for i in range(20_000)]


def test_file_of_your_own_is_limited(tmp_path: Path) -> None:
    """Its store is found again, here and where it is unpickled, and not if the file has changed."""
    path = tmp_path / "own.txt"
    path.write_bytes(TEXT)
    vectors = embedhub.load(path, limit=3_000)
    check(vectors, 3_000)
    check(embedhub.load(f"{path}:{DIM}", limit=3_000), 3_000)
    check(pickle.loads(pickle.dumps(vectors)), 3_000)  # noqa: S301 - our own
    assert [store.rows for store in list_stores()] == [3_000]
    assert list_stores()[0].state() == "current"
    path.write_bytes(TEXT.replace(b"word7 ", b"wordX "))
    assert "wordX" in embedhub.load(path, limit=3_000)


def computed(name: str = "computed", **changes: Any) -> ComputedSource:
    """Return a source that repeats each word."""

    def blocks(dim: int) -> Any:
        for word in ("rain", "rain", "snow", "hail", "snow"):
            yield Block([word, word], np.ones((2, dim), np.float32))

    facts: dict[str, Any] = {
        "name": name, "dims": (2,), "compute": blocks, "version": 1, "description": "", "language": "en",
        "cased": True, "license": "", "citation": "", "homepage": "",
    }  # fmt: skip
    return ComputedSource(**(facts | changes))


def test_limit_counts_different_words() -> None:
    """As many as the store of all has before them."""
    assert list(embedhub.load(computed(), limit=2).words) == ["rain", "snow"]
    assert list(embedhub.load(computed(), limit=9).words) == ["rain", "snow", "hail"]


def test_registered_source_is_limited_by_its_name() -> None:
    """Its vectors are pickled as a handle; a limit of all its words changes nothing."""
    vectors = embedhub.load("wordnet-ppmi:25", limit=1_000)
    whole = embedhub.load("wordnet-ppmi", 25)
    assert list(vectors.words) == list(whole.words[:1_000])
    data = pickle.dumps(vectors)
    assert len(data) < 200
    assert len(pickle.loads(data)) == 1_000  # noqa: S301 - our own
    assert embedhub.load("wordnet-ppmi", 25, limit=len(whole)).manifest == whole.manifest


HANDLE = "wordnet-ppmi:25 | limit(1000)"


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [HANDLE, "wordnet-ppmi:25|limit(1_000)", "wordnet-ppmi:25 | limit( 1000 )", f"{HANDLE} | limit(5000)"],
)
def test_handle_may_have_a_limit(text: str) -> None:
    """In every function that takes a source, and in the command; of two limits the smaller one counts."""
    words = list(embedhub.load("wordnet-ppmi", 25).words[:1_000])
    vectors = embedhub.load(text)
    assert list(vectors.words) == words
    with pytest.raises(ValueError, match="has a limit of 1000, and limit=10 was given too"):
        embedhub.load(text, limit=10)
    assert embedhub.coverage(text, [*words, "zebra"]).found == 1_000
    assert run("neighbors", text, "zebra").stderr.count("limit=1000") == 1
    assert run("download", text).returncode == 0
    matrix = embedhub.embedding_matrix(text, {"a": 1, "the": 2})
    np.testing.assert_array_equal(matrix.matrix[1:], [vectors["a"], vectors["the"]])


@pytest.mark.slow
def test_stores_of_a_limit_are_removed_by_its_handle() -> None:
    """Those of the whole source, and of other limits, stay."""
    for limit in (500, 1_000, None):
        embedhub.load("wordnet-ppmi", 25, limit=limit)
    assert run("cache", "remove", "--yes", HANDLE).returncode == 0
    assert {store.rows for store in list_stores()} == {78_781, 500}
    assert run("cache", "verify", "wordnet-ppmi:25 | limit(500)").returncode == 0


def test_handle_of_a_file_may_have_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Here one in the folder, which has a canonical form."""
    monkeypatch.chdir(tmp_path)
    Path("own.txt").write_bytes(TEXT)
    check(embedhub.load("own.txt|limit(500)"), 500)
    check(embedhub.load(f"./own.txt:{DIM} | limit(500)"), 500)
    assert str(parse_handle(f"././own.txt:{DIM}|limit(0_500)")) == f"./own.txt:{DIM} | limit(500)"


def test_damaged_store_of_a_limit_is_built_again() -> None:
    """`cache verify --repair` builds the same words."""
    vectors = embedhub.load("wordnet-ppmi:25", limit=1_000)
    words = list(vectors.words)
    (store,) = list_stores()
    del vectors
    (store.folder / "rows.npy").write_bytes(b"")
    with pytest.warns(StoreWarning, match="has been built again"):
        assert list(embedhub.load("wordnet-ppmi:25", limit=1_000).words) == words


@pytest.mark.parametrize(
    ("source", "limit", "error", "words"),
    [
        ("wordnet-ppmi:25", 0, VocabularyError, "limit is 0; expected a positive number of words"),
        ("wordnet-ppmi:25", -1, VocabularyError, "expected a positive number"),
        ("wordnet-ppmi:25", 2.0, TypeError, "limit is 2.0; expected a number of words"),
        ("wordnet-ppmi:25", True, TypeError, "limit is True"),
        (computed(frequent_first=False), 1, VocabularyError, "not sorted by frequency"),
        (computed(unit="token"), 1, VocabularyError, "a tokenizer needs the vectors of all its tokens"),
    ],
)  # fmt: skip
def test_wrong_limit_is_an_error(source: Any, limit: Any, error: type[Exception], words: str) -> None:
    """It says what was given, or why a source has none."""
    with pytest.raises(error, match=words):
        embedhub.load(source, limit=limit)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("glove-6b | limit(20000)", "'glove-6b:50 | limit(20000)'"),
        ("wordnet-ppmi:25 | limit(20,000)", "expected a whole number of words, as in"),
        ("wordnet-ppmi:25 | limit(20k)", "expected a whole number of words, as in"),
        ("wordnet-ppmi:25 | limit=20", "expected a whole number of words, as in"),
        ("wordnet-ppmi:25 limit(20)", "expected a whole number of words, as in"),
        ("wordnet-ppmi:25 | limit(0)", "limit is 0; expected a positive number"),
    ],
)
def test_wrong_limit_in_a_string_is_explained(text: str, words: str) -> None:
    """In Python and, in one paragraph, in the command."""
    with pytest.raises(embedhub.EmbedhubError, match=re.escape(words)):
        embedhub.load(text)
    done = run("neighbors", text, "rain")
    assert words in done.stderr
    assert len(done.stderr.splitlines()) == (3 if "^" in done.stderr else 1)


def test_limit_of_a_layer_is_that_of_its_source() -> None:
    """The message shows where it belongs."""
    with pytest.raises(TypeError, match=r"it belongs to the source, as in 'glove-6b:50 \| limit"):
        embedhub.keras_embedding("wordnet-ppmi", 25, {"rain": 1}, limit=5)


def test_details_of_a_limited_source_are_its_own(cache: Path) -> None:
    """The provider and the addresses are those of the whole, the sizes and the store those of the limit."""
    entry = json.loads(run("info", "glove-6b:50 | limit(20001)", "--json").stdout)
    assert entry["provider"] == "embedhub.registry.builtin.glove"
    assert entry["words"] == 20_001
    assert entry["dims"][0]["download_bytes"] == GLOVE_6B.candidates(50)[0].prefixes[50_000][0]
    assert entry["dims"][1]["download_bytes"] == math.ceil(134_300_434 * 20_001 / 400_000)
    inside = json.loads(run("info", "glove-6b:50 | limit(20000)", "--json").stdout)
    assert inside["dims"][0]["download_bytes"] == 0
    assert entry["dims"][0]["candidates"][0]["member"] == "glove.6B.50d.txt"


def test_limit_of_opened_vectors_is_an_error() -> None:
    """They are open; and words of a truncated file are not its first ones by frequency."""
    vectors = embedhub.load("wordnet-ppmi", 25)
    with pytest.raises(ValueError, match="limit is for a source that is opened now"):
        embedhub.load(vectors, limit=5)
    with pytest.raises(ValueError, match="without a limit; got 'wordnet-ppmi'"):
        embedhub.load("wordnet-ppmi", 25, limit=5, allow_truncated=True)


def test_missing_words_name_the_limit() -> None:
    """Coverage and look-ups say that only some words are loaded."""
    vectors = embedhub.load("wordnet-ppmi:25", limit=100)
    with pytest.raises(embedhub.errors.CoverageError, match="limit=100"):
        embedhub.embedding_matrix(vectors, None, ["zebra", "yak", "walrus"], min_coverage=1)
    with pytest.raises(embedhub.errors.WordNotFoundError, match="limit=100"):
        vectors["zebra"]


@pytest.mark.slow
@pytest.mark.parametrize("limit", GLOVE_6B.candidates(50)[0].prefixes)
def test_published_beginnings_of_glove_have_their_words(
    glove_50d: embedhub.Vectors, real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int
) -> None:
    """Of the real archive, where hashes are required, and the same words and vectors as of the whole."""
    monkeypatch.setenv("EMBEDHUB_CACHE", str(tmp_path / "other"))
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(real_data / "mirror"))
    monkeypatch.setenv("EMBEDHUB_REQUIRE_HASH", "1")
    vectors = embedhub.load("glove-6b", 50, limit=limit)
    assert vectors.manifest["bytes"] == GLOVE_6B.candidates(50)[0].prefixes[limit][0]
    assert list(vectors.words) == list(glove_50d.words[:limit])
    np.testing.assert_array_equal(vectors.matrix, glove_50d.matrix[:limit])


def test_first_words_of_glove_are_inside_the_package(
    glove_20k: embedhub.Vectors, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They need no network, also where hashes are required."""
    monkeypatch.setenv("EMBEDHUB_CACHE", str(tmp_path / "other"))
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    monkeypatch.setenv("EMBEDHUB_REQUIRE_HASH", "1")
    vectors = embedhub.load("glove-6b:50", limit=20_000)
    assert (vectors.name, list(vectors.words)) == ("glove-6b", list(glove_20k.words))
    np.testing.assert_array_equal(vectors.matrix, glove_20k.matrix)
    assert len(embedhub.load("glove-6b:50 | limit(100)")) == 100
    for limit, dim in ((20_001, 50), (100, 100)):
        with pytest.raises(embedhub.errors.OfflineError):
            embedhub.load("glove-6b", dim, limit=limit)


def test_prefixes_are_checked() -> None:
    """A table names bytes and a hash."""
    file = RemoteFile(f"https://{HOST}/a.txt", prefixes={10: (5, f"sha256:{'0' * 64}")})
    assert pickle.loads(pickle.dumps(file)) == file  # noqa: S301 - our own
    assert hash(file)
    with pytest.raises(ValueError, match=r"prefixes\[10\] is 0"):
        replace(file, prefixes={10: (0, f"sha256:{'0' * 64}")})
    with pytest.raises(ValueError, match=r"prefixes\[10\] is 'md4"):
        replace(file, prefixes={10: (5, "md4:0")})
