"""URLs as sources: https://host/path/v.txt, with a checksum or trusted at first use."""

import gzip
import hashlib
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from children import PATIENCE
from command import run
from remote import files_in, zipped
from serving import Serving

import embedhub
from embedhub.errors import (
    ChecksumError,
    DimNotFoundError,
    DownloadError,
    FormatError,
    OfflineError,
    StoreError,
    UnverifiedWarning,
)
from embedhub.registry.inventory import list_stores, remove
from embedhub.registry.loading import get_source
from embedhub.registry.stored_handles import find_stores

TEXT = b"rain 0.5 1\nsnow 2 3\n"
OTHER = b"rain 0.5 2\nhail 4 5\n"


def sha256(data: bytes) -> str:
    """Return the checksum as a handle has it."""
    return f"sha256={hashlib.sha256(data).hexdigest()}"


@pytest.fixture
def server(serve: Callable[..., Serving], tmp_path: Path) -> Serving:
    """Serve one set of vectors in several packings."""
    folder = tmp_path / "served" / "data"
    folder.mkdir(parents=True)
    (folder / "v.txt").write_bytes(TEXT)
    (folder / "v.txt.gz").write_bytes(gzip.compress(TEXT, mtime=0))
    (folder / "v.zip").write_bytes(zipped(**{"deep/v.txt": TEXT, "other.txt": OTHER}))
    return serve(folder.parent)


def put(tmp_path: Path, data: bytes, server: Serving) -> None:
    """Replace the file on the server."""
    (tmp_path / "served" / "data" / "v.txt").write_bytes(data)
    server.etag = f'"{hashlib.sha256(data).hexdigest()}"'


HANDLES = {
    "text": f"data/v.txt#{sha256(TEXT)}",
    "text with its dim": f"data/v.txt#{sha256(TEXT)}:2",
    "gzip": f"data/v.txt.gz#{sha256(gzip.compress(TEXT, mtime=0))}",
    "member": f"data/v.zip#deep/v.txt&{sha256(TEXT)}",
    "query": f"data/v.txt?download=1#{sha256(TEXT)}",
}


@pytest.mark.parametrize("handle", HANDLES.values(), ids=HANDLES)
def test_verified_url_is_a_source(handle: str, server: Serving) -> None:
    """It is downloaded once, without a warning, and its dimension is the file's own."""
    url = f"{server.base}/{handle}"
    vectors = embedhub.load(url)
    assert (list(vectors), vectors.dim) == (["rain", "snow"], 2)
    asked = len(server.asked)
    assert (embedhub.load(url)["snow"] == [2, 3]).all()
    assert (embedhub.load(url, 2)["snow"] == [2, 3]).all()
    assert (pickle.loads(pickle.dumps(vectors))["snow"] == [2, 3]).all()  # noqa: S301 - our own
    assert len(server.asked) == asked
    assert embedhub.embedding_matrix(url, 2, ["snow"]).matrix.tolist() == [[2, 3]]


def test_model_of_nlpl_is_a_member(server: Serving, tmp_path: Path) -> None:
    """Of an archive like those of NLPL, model.bin is read, whose words are lemmas with a part of speech."""
    numbers = np.array([[0.5, 1], [2, 3]], "<f4")
    words = ("\u0434\u043e\u0436\u0434\u044c_NOUN", "\u0438\u0434\u0442\u0438_VERB")
    lines = (word.encode() + b" " + row.tobytes() + b"\n" for word, row in zip(words, numbers, strict=True))
    members = {
        "meta.json": b'{"id": 182, "dimensions": 2}',
        "model.bin": b"2 2\n" + b"".join(lines),
        "model.txt": b"2 2\n",
        "README": b"A model.",
    }
    (tmp_path / "served" / "182.zip").write_bytes(zipped(**members))
    with pytest.warns(UnverifiedWarning):
        vectors = embedhub.load(f"{server.base}/182.zip#model.bin")
    assert list(vectors) == list(words)
    assert vectors.matrix.tolist() == numbers.tolist()


def test_canonical_form_has_one_store(server: Serving) -> None:
    """Another spelling of the same URL downloads nothing."""
    digest = sha256(TEXT)
    embedhub.load(f"{server.base}/data/v.txt#{digest}")
    asked = len(server.asked)
    embedhub.load(
        f"{server.base.replace('http', 'HTTP')}/data/v.txt#{digest.upper().replace('SHA256', 'sha256')}"
    )
    assert (len(server.asked), len(list_stores())) == (asked, 1)


def test_url_without_checksum_is_trusted_at_first_use(
    server: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first download is remembered, another one is refused, and EMBEDHUB_REQUIRE_HASH refuses all."""
    url = f"{server.base}/data/v.txt"
    with monkeypatch.context() as strict:
        strict.setenv("EMBEDHUB_REQUIRE_HASH", "1")
        with pytest.raises(DownloadError, match=r"v\.txt: it has no published hash"):
            embedhub.load(url)
        with pytest.raises(DownloadError, match=r"v\.txt: it has no published hash"):
            embedhub.load(url, 2)
    with pytest.warns(UnverifiedWarning, match="no published hash"):
        embedhub.load(url)
    (store,) = find_stores(url)
    remove(store)
    put(tmp_path, OTHER, server)
    with pytest.raises(ChecksumError, match=f'embedhub cache forget "{url}"'):
        embedhub.load(url)
    assert list_stores() == []


def test_pickle_of_an_unverified_url_opens_the_same_vectors_only(
    server: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where another file was downloaded from the same URL, the pickle is an error."""
    with pytest.warns(UnverifiedWarning):
        pickled = pickle.dumps(embedhub.load(f"{server.base}/data/v.txt"))
    assert list(pickle.loads(pickled)) == ["rain", "snow"]  # noqa: S301 - our own
    monkeypatch.setenv("EMBEDHUB_CACHE", str(tmp_path / "another"))
    put(tmp_path, OTHER, server)
    with pytest.warns(UnverifiedWarning), pytest.raises(StoreError, match="came from another file"):
        pickle.loads(pickled)  # noqa: S301
    monkeypatch.setenv("EMBEDHUB_CACHE", str(tmp_path / "third"))
    put(tmp_path, TEXT, server)
    with pytest.warns(UnverifiedWarning):
        assert list(pickle.loads(pickled)) == ["rain", "snow"]  # noqa: S301


def test_wrong_checksum_is_an_error(server: Serving) -> None:
    """Nothing is built from other bytes than the handle says."""
    with pytest.raises(ChecksumError, match=r"data/v\.txt: expected sha256:.*, got sha256:"):
        embedhub.load(f"{server.base}/data/v.txt#{sha256(OTHER)}")
    assert list_stores() == []


def test_file_that_changes_during_its_download_is_not_mixed(server: Serving, tmp_path: Path) -> None:
    """A download that broke off begins again if the file has changed since."""
    new = b"".join(b"word%d %d 1\n" % (number, number) for number in range(20_000))
    put(tmp_path, new.replace(b" 1\n", b" 7\n"), server)
    server.faults = [{}, {}, {"cut": len(new) // 2}, {"status": 404}]
    with pytest.raises(DownloadError):
        embedhub.load(f"{server.base}/data/v.txt")
    assert server.sent > len(new) // 3
    put(tmp_path, new, server)
    with pytest.warns(UnverifiedWarning):
        vectors = embedhub.load(f"{server.base}/data/v.txt")
    assert (len(vectors), set(vectors.matrix[:, 1].tolist())) == (20_000, {1.0})


def test_dim_that_the_file_does_not_have_is_an_error(server: Serving) -> None:
    """The message has both, and the download is kept."""
    url = f"{server.base}/data/v.txt#{sha256(TEXT)}"
    with pytest.raises(DimNotFoundError, match="has vectors of dim 2; 3 was given"):
        embedhub.load(url, 3)
    with pytest.raises(DimNotFoundError, match="has dim 3 in its name, and dim 2 was given too"):
        embedhub.load(f"{url}:3", 2)
    with pytest.raises(DimNotFoundError, match="expected a positive integer"):
        embedhub.load(url, 0)
    asked = len(server.asked)
    assert (embedhub.load(url).dim, len(server.asked)) == (2, asked)


def test_offline_url_names_what_is_wanted(server: Serving, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its store and a mirror a URL cannot be opened, and with its store it can."""
    url = f"{server.base}/data/v.txt#{sha256(TEXT)}"
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    with pytest.raises(OfflineError, match=r"embedhub\.load\('http://.*/v\.txt#sha256="):
        embedhub.load(url)
    monkeypatch.delenv("EMBEDHUB_OFFLINE")
    embedhub.load(url)
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    assert "rain" in embedhub.load(url)


def test_mirror_has_urls_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A mirror that is a folder has `<host>/<path>` of a URL, also offline."""
    folder = tmp_path / "mirror" / "vectors.example.org" / "a"
    folder.mkdir(parents=True)
    (folder / "v.txt").write_bytes(TEXT)
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    assert "rain" in embedhub.load(f"https://Vectors.example.org/a/v.txt#{sha256(TEXT)}")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"<!doctype html><title>Sign in</title>", "a web page"),
        (b"no vectors\n", "expected vectors"),
        (zipped(a=TEXT, b=TEXT), "has 2 members, not one"),
    ],
)
def test_answer_that_is_not_a_file_of_vectors_is_not_kept(
    data: bytes, message: str, server: Serving, tmp_path: Path, cache: Path
) -> None:
    """The error names the URL, and the next answer may be right."""
    put(tmp_path, data, server)
    with pytest.raises((FormatError, ChecksumError), match=message) as error:
        embedhub.load(f"{server.base}/data/v.txt")
    assert f"{server.base}/data/v.txt" in str(error.value)
    assert files_in(cache / "downloads") == []
    put(tmp_path, TEXT, server)
    with pytest.warns(UnverifiedWarning):
        assert "rain" in embedhub.load(f"{server.base}/data/v.txt")


def test_secrets_of_a_url_stay_secret(server: Serving, cache: Path) -> None:
    """A token in the query is sent, and is in no message, no store and no listing."""
    url = f"{server.base}/data/v.txt?token=hunter2"
    with pytest.warns(UnverifiedWarning) as caught:
        vectors = embedhub.load(url)
    assert list(embedhub.load(url)) == ["rain", "snow"]
    server.faults = [{"status": 404}]
    with pytest.raises(DownloadError) as error:
        embedhub.load(f"{server.base}/data/none.txt?token=hunter2")
    shown = [str(warning.message) for warning in caught]
    shown += [
        str(error.value),
        repr(vectors),
        repr(get_source(url)),
        json.dumps(list_stores()[0].to_dict()),
    ]
    assert not [text for text in shown if "hunter2" in text]
    files = [path for path in cache.rglob("*") if path.is_file()]
    assert not [path for path in files if "hunter2" in path.name or b"hunter2" in path.read_bytes()]


@pytest.mark.slow
def test_cache_commands_take_urls(server: Serving) -> None:
    """`cache list` shows the handle, and `cache remove` removes its store only."""
    one, two = (f"{server.base}/data/{name}" for name in ("v.txt", "v.txt.gz"))
    for url in (one, two):
        with pytest.warns(UnverifiedWarning):
            embedhub.load(url)
    assert [store.handle for store in list_stores()] == [one, two]
    assert [store.state() for store in list_stores()] == ["current", "current"]
    assert [store.handle for store in find_stores(f"{two}:2")] == [two]
    assert find_stores(f"{two}:3") == []
    listed = run("cache", "list")
    assert one in listed.stdout
    removed = run("cache", "remove", one, "--yes")
    assert (removed.returncode, [store.handle for store in list_stores()]) == (0, [two])
    again = run("cache", "remove", f"{one}?token=hunter2", "--yes")
    assert again.returncode == 1
    assert "There is no store of" in again.stderr
    assert "hunter2" not in again.stderr


@pytest.mark.slow
def test_command_takes_urls(server: Serving) -> None:
    """A SOURCE of the command may be a URL."""
    url = f"{server.base}/data/v.zip#deep/v.txt&{sha256(TEXT)}"
    downloaded = run("download", url)
    assert "2 words" in downloaded.stdout
    covered = json.loads(run("coverage", url, "-", "--json", stdin="snow\n").stdout)
    assert (covered["source"], covered["dim"], covered["ratio"]) == (url, 2, 1.0)


PROCESS = """
import pickle, sys
print(*pickle.load(sys.stdin.buffer)["snow"])
"""


@pytest.mark.slow
def test_pickle_of_a_url_is_opened_in_another_process(
    server: Serving, monkeypatch: Any, tmp_path: Path
) -> None:
    """A pickle has the handle, not the vectors: with an empty cache they are downloaded again."""
    pickled = pickle.dumps(embedhub.load(f"{server.base}/data/v.txt#{sha256(TEXT)}"))
    monkeypatch.setenv("EMBEDHUB_CACHE", str(tmp_path / "another"))
    opened = subprocess.run(
        [sys.executable, "-c", PROCESS], input=pickled, capture_output=True, check=True, timeout=PATIENCE
    )
    assert opened.stdout.split() == [b"2.0", b"3.0"]
