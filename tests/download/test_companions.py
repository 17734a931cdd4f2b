"""Companion files: token vectors and their tokenizer, fetched, verified and read as one."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import writers
from remote import HOST, files_in, pinned, source_of, zipped

from embedhub import DownloadError, FormatError, RemoteFile, RemoteSource
from embedhub.download.remote_file import Fetched

TOKENS = ["[PAD]", "the", "##s"]
ROWS = np.arange(12, dtype=np.float32).reshape(3, 4)
FILES: dict[str, bytes] = {
    "model.safetensors": writers.safetensors({"embedding.weight": ("F32", ROWS)}),
    "tokenizer.json": writers.tokenizer(TOKENS),
    "plain.txt": writers.word2vec_text(TOKENS, ROWS),
    "model.bin": writers.fasttext_bin(TOKENS, ROWS, ROWS[:2]),
    "cut.txt": writers.word2vec_text(TOKENS, ROWS).replace(b"3 4", b"4 4"),
}
FILES["model.bin.gz"] = gzip.compress(FILES["model.bin"])
FILES["model.zip"] = zipped(**{"deep/model.bin": FILES["model.bin"]})


def remote(name: str, **changes: Any) -> RemoteFile:
    """Return a pinned file of the made-up host."""
    form = "static-embeddings-prefix" if name != "plain.txt" else "word2vec-text"
    return pinned(FILES[name], name, **({"format": form} | changes))


def model(**changes: Any) -> RemoteFile:
    """Return the pinned model with its tokenizer."""
    return remote("model.safetensors", **({"companions": (remote("tokenizer.json"),)} | changes))


def source(*files: RemoteFile, dims: tuple[int, ...] = (4,)) -> RemoteSource:
    """Return a source with the same candidates in each dimension."""
    return source_of(name="tokens", files=dict.fromkeys(dims, files))


@pytest.fixture(autouse=True)
def mirror(mirror: Path) -> Path:
    """Put the files into the mirror."""
    for name, data in FILES.items():
        (mirror / name).write_bytes(data)
    return mirror


def test_companion_is_downloaded_and_stored(cache: Path) -> None:
    """The store has the tokens and the tokenizer; no downloads remain; all dimensions share a file."""
    tokens = source(model(), dims=(2, 4))
    for dim in (2, 4):
        vectors = tokens.vectors(dim)
        assert list(vectors) == TOKENS
        assert (vectors.matrix == ROWS[:, :dim]).all()
        assert vectors.files["tokenizer.json"].read_bytes() == FILES["tokenizer.json"]
        assert vectors.manifest["companions"] == [
            {"url": f"https://{HOST}/tokenizer.json", "hash": remote("tokenizer.json").known_hash}
        ]
        assert files_in(cache / "downloads") == []


def test_companion_lies_in_the_folder_of_its_file(monkeypatch: pytest.MonkeyPatch, cache: Path) -> None:
    """A fetched file is parsed with its companion, and not downloaded again."""
    tokens = source(model())
    fetched = tokens.fetch(4)
    assert files_in(cache / "downloads") == [f"{HOST}/model.safetensors", f"{HOST}/tokenizer.json"]
    assert fetched.companions == {"tokenizer.json": fetched.path.with_name("tokenizer.json")}
    monkeypatch.setenv("EMBEDHUB_MIRROR", "/nowhere")
    assert tokens.fetch(4) == fetched
    words, rows = next(tokens.parse(fetched, 4))  # type: ignore[misc]  # blocks come before files
    assert (words, rows.tolist()) == (TOKENS, ROWS.tolist())
    assert len(tokens.vectors(4)) == 3


def test_copied_file_is_parsed_with_its_companion(mirror: Path) -> None:
    """A file in another folder is parsed with the companion of that folder."""
    copy = Fetched(mirror / "model.safetensors", model())
    words, _ = next(source(model()).parse(copy, 4))  # type: ignore[misc]  # blocks come before files
    assert words == TOKENS


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda path: path.unlink(), "tokenizer.json: No such file"),
        (lambda path: path.write_bytes(FILES["tokenizer.json"].replace(b"the", b"eht")), "expected sha256:"),
    ],
)
def test_file_without_its_companion_is_skipped(
    mirror: Path, cache: Path, damage: Callable[[Path], object], words: str
) -> None:
    """When the tokenizer is missing or differs, the next candidate is used, or it is an error."""
    damage(mirror / "tokenizer.json")
    with pytest.raises(DownloadError, match=words):
        source(model()).vectors(4)
    assert not (cache / "vectors").exists()
    assert list(source(model(), remote("plain.txt")).vectors(4)) == TOKENS


@pytest.mark.parametrize("name", ["static-embeddings", "static-embeddings-prefix", None])
def test_tokenizer_of_another_file_is_not_read(cache: Path, name: str | None) -> None:
    """A table names the tokenizer; one that lies beside the vectors in the cache is not verified."""
    place = cache / "downloads" / HOST / "tokenizer.json"
    place.parent.mkdir(parents=True)
    place.write_bytes(FILES["tokenizer.json"])
    with pytest.raises(FormatError, match=r"need tokenizer\.json, which tokens does not name; give it as"):
        source(model(companions=(), format=name)).vectors(4)
    assert not list(cache.glob("vectors/*/*"))


def test_companion_pin_is_part_of_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """EMBEDHUB_REQUIRE_HASH refuses an unpinned companion; another pin is another store."""
    unpinned = model(companions=(remote("tokenizer.json", known_hash=None),))
    monkeypatch.setenv("EMBEDHUB_REQUIRE_HASH", "1")
    with pytest.raises(DownloadError, match=r"tokenizer.json: it has no published hash"):
        source(unpinned).vectors(4)
    assert source(unpinned).cache_key(4) != source(model()).cache_key(4)


def test_wrong_count_of_a_download_is_an_error(cache: Path) -> None:
    """A header that declares more vectors than an unpinned download has is an error; nothing is published."""
    cut = remote("cut.txt", format="word2vec-text", known_hash=None)
    with pytest.raises(FormatError, match=r"declares 4 vectors, but the file has 3. It may be truncated"):
        source(cut).vectors(4)
    assert list(cache.glob("vectors/*/*")) == []


MODELS = {
    "plain": {"name": "model.bin"},
    "gzip": {"name": "model.bin.gz"},
    "member": {
        "name": "model.bin",
        "url": f"https://{HOST}/model.zip",
        "member": "deep/model.bin",
    },
}


@pytest.mark.parametrize("kind", MODELS)
def test_partly_read_file_is_verified(cache: Path, kind: str) -> None:
    """A fastText model, of which only a part is read, is built when all its bytes are the pinned ones."""
    good = remote(**MODELS[kind], format="fasttext")
    wrong = remote(**MODELS[kind], format="fasttext", known_hash="sha256:" + 64 * "0")
    with pytest.raises(DownloadError, match="expected sha256:0000"):
        source(wrong).vectors(4)
    assert list(cache.glob("vectors/*/*")) == []
    vectors = source(good).vectors(4)
    assert list(vectors) == TOKENS
    assert vectors.composer is not None
    assert files_in(cache / "downloads") == []
