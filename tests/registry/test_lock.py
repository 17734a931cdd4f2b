"""The lock file: which vectors may be opened, and what they have to be."""

import os
import pickle
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from children import PATIENCE, child
from command import add_distribution
from remote import files_in, pinned, source_of
from serving import Serving

import embedhub
from embedhub import Block, ComputedSource, Format, RemoteFile
from embedhub.errors import (
    FormatError,
    LockError,
    OutputError,
    SettingsError,
    SourceNotFoundError,
    UnverifiedWarning,
)
from embedhub.registry.inventory import list_stores, remove
from embedhub.registry.locking import check_lock, write_lock

TEXT = b"rain 0.5 1\nsnow 2 3\n"
OTHER = b"rain 0.5 2\nsnow 2 3\n"


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with a file of vectors."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "v.vec").write_bytes(TEXT)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def server(serve: Callable[..., Serving], tmp_path: Path) -> Serving:
    """Serve the same vectors."""
    (tmp_path / "served").mkdir()
    (tmp_path / "served" / "v.txt").write_bytes(TEXT)
    return serve(tmp_path / "served")


def empty_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Go on as another machine, with an empty cache."""
    monkeypatch.setenv("EMBEDHUB_CACHE", str(tmp_path / f"cache-{len(list(tmp_path.iterdir()))}"))


def locked(path: str | Path = "embedhub.lock") -> dict[str, dict[str, Any]]:
    """Return the entries of a lock file by handle."""
    table = tomllib.loads(Path(path).read_text("utf-8"))
    assert table.pop("version") == 1
    return {entry["handle"]: entry for entry in table.pop("vectors")}


def test_lock_file_says_what_the_vectors_are() -> None:
    """It has addresses, sizes and hashes of files, readers, license, words, and the digests of the store."""
    written = write_lock(["wordnet-ppmi:25", "v.vec", "glove-6b:50 | limit(1_000)"])
    entries = locked()
    assert list(entries) == ["./v.vec:2", "glove-6b:50 | limit(1000)", "wordnet-ppmi:25"]
    assert [one.handle for one in written.vectors] == list(entries)
    glove = entries["glove-6b:50 | limit(1000)"]
    assert (glove["dim"], glove["limit"], glove["words"]) == (50, 1000, 1000)
    assert glove["readers"] == ["glove 2", "word2vec-text 2"]
    assert glove["license"] == "PDDL-1.0"
    assert glove["files"][0] == {
        "address": "https://nlp.stanford.edu/data/glove.6B.zip",
        "member": "glove.6B.50d.txt",
        "size": 171_350_079,
        "hash": "sha256:d8f717f8dd4b545cb7f418ef9f3d0c3e6e68a6f48b97d32f8b7aae40cb31f96f",
    }
    assert entries["wordnet-ppmi:25"]["files"][0]["size"] == 3_906_036
    vectors = embedhub.load("v.vec")
    mine = entries["./v.vec:2"]
    assert mine["store"] == {
        name: vectors.manifest["xxh3_128"][name] for name in ("matrix.npy", "offsets.npy", "words.utf8")
    }
    assert mine["fingerprint"] == vectors.fingerprint
    assert mine["files"][0]["size"] == len(TEXT)


def test_lock_file_is_written_once() -> None:
    """What has not changed is not written, in whatever order it is named; renewing changes no byte."""
    write_lock(["wordnet-ppmi:25", "./v.vec"])
    path = Path("embedhub.lock")
    before, content = path.stat(), path.read_bytes()
    write_lock([f"file://{path.absolute().parent.as_posix()}/v.vec:2", "wordnet-ppmi:25"])
    write_lock()
    assert (path.read_bytes(), path.stat().st_ino, path.stat().st_mtime_ns) == (
        content,
        before.st_ino,
        before.st_mtime_ns,
    )
    write_lock(["wordnet-ppmi:50"])
    assert list(locked()) == ["./v.vec:2", "wordnet-ppmi:25", "wordnet-ppmi:50"]


@pytest.mark.posix
def test_lock_file_has_the_permissions_of_other_files(project: Path) -> None:
    """Its mode is that of the umask, and nothing else is left in the folder."""
    before = os.umask(0o027)
    try:
        write_lock(["v.vec"])
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path("embedhub.lock").stat().st_mode) == 0o640
    assert files_in(project) == ["embedhub.lock", "v.vec"]


def test_failure_leaves_the_lock_file(project: Path) -> None:
    """One handle that cannot be opened, and nothing is written."""
    write_lock(["v.vec"])
    content = Path("embedhub.lock").read_bytes()
    with pytest.raises(SourceNotFoundError):
        write_lock(["wordnet-ppmi:25", "no-such-source:3"])
    assert (Path("embedhub.lock").read_bytes(), files_in(project)) == (content, ["embedhub.lock", "v.vec"])
    Path("embedhub.lock").unlink()
    with pytest.raises(
        LockError, match=r"no lock file .*embedhub\.lock that has vectors.* embedhub lock glove"
    ):
        write_lock()
    Path("embedhub.lock").mkdir()
    with pytest.raises(OutputError, match="this is a folder"):
        write_lock(["v.vec"])


def test_other_vectors_are_an_error() -> None:
    """With a lock file in the working folder, a handle that is not in it opens nothing, in any function."""
    embedhub.load("wordnet-ppmi:50")  # in the cache
    write_lock(["wordnet-ppmi:25", "v.vec"])
    assert embedhub.load("wordnet-ppmi", 25).dim == 25
    uses: list[Callable[[], Any]] = [
        lambda: embedhub.load("wordnet-ppmi", 50),
        lambda: embedhub.load("wordnet-ppmi:50"),
        lambda: embedhub.embedding_matrix("wordnet-ppmi:50", ["rain"]),
        lambda: embedhub.coverage("wordnet-ppmi:50", ["rain"]),
        lambda: embedhub.export("wordnet-ppmi:50", "out.npz"),
        lambda: embedhub.sources()["wordnet-ppmi"].vectors(50),
        lambda: embedhub.keras_embedding("wordnet-ppmi", 50, ["rain"]),
    ]
    for use in uses:
        with pytest.raises(
            LockError, match=r"^wordnet-ppmi:50 is not in the lock file .*embedhub lock wordnet-ppmi:50$"
        ):
            use()


def test_limit_is_another_handle() -> None:
    """The first words are not all words, wherever they are read from."""
    write_lock(["wordnet-ppmi:25 | limit(1000)"])
    assert len(embedhub.load("wordnet-ppmi:25", limit=1000)) == 1000
    for limit in (None, 500):
        with pytest.raises(LockError, match="is not in the lock file"):
            embedhub.load("wordnet-ppmi:25", limit=limit)
    (store,) = list_stores("wordnet-ppmi", 25)
    remove(store)
    Path("embedhub.lock").rename("later")
    embedhub.load("wordnet-ppmi:25")
    Path("later").rename("embedhub.lock")
    assert len(embedhub.load("wordnet-ppmi:25 | limit(1000)")) == 1000  # from the store of all


def test_coverage_uses_a_dim_of_the_lock_file() -> None:
    """Where any dimension will do, it is one that may be opened."""
    embedhub.load("wordnet-ppmi:25")
    write_lock(["wordnet-ppmi:100"])
    assert embedhub.coverage("wordnet-ppmi", None, ["rain"]).found == 1


def test_own_file_is_known_by_its_bytes(project: Path, tmp_path: Path) -> None:
    """A file that has changed is an error; a copy of the same bytes elsewhere is not."""
    write_lock(["v.vec"])
    (tmp_path / "copy.txt").write_bytes(TEXT)
    assert list(embedhub.load(tmp_path / "copy.txt")) == ["rain", "snow"]
    (project / "v.vec").write_bytes(TEXT + b"hail 1 1\n")
    with pytest.raises(LockError) as error:
        embedhub.load("v.vec")
    assert str(error.value).startswith(
        f"./v.vec:2 is not what the lock file {project / 'embedhub.lock'} has:\n"
        "  - size of v.vec: expected 20, got 29\n"
        "  - hash of v.vec: expected xxh3_128:"
    )
    assert str(error.value).endswith(
        "Nothing was opened. If this change is intended, run: embedhub lock ./v.vec:2"
    )
    assert check_lock() == {"./v.vec:2": str(error.value)}
    write_lock()
    assert len(embedhub.load("v.vec")) == 3


def test_paths_are_relative_to_the_lock_file(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file below its folder is found wherever the project is; another one has its whole path."""
    (project / "data").mkdir()
    (project / "data" / "a b:7").write_bytes(TEXT)
    (tmp_path / "outside.vec").write_bytes(OTHER)
    write_lock(["./data/a b:7/", "../outside.vec"])
    assert list(locked()) == ["./data/a b:7:2", f"{(tmp_path / 'outside.vec').as_posix()}:2"]
    project.rename(tmp_path / "moved")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("EMBEDHUB_LOCK", "moved/embedhub.lock")
    assert set(check_lock().values()) == {None}
    assert embedhub.load("moved/data/a b:7/")["rain"].tolist() == [0.5, 1]


def test_file_at_a_url_is_verified_before_it_is_used(
    server: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a checksum in the URL, that of the lock file counts; another file is not even remembered."""
    url = f"{server.base}/v.txt"
    with pytest.warns(UnverifiedWarning):
        write_lock([url])
    (file,) = locked()[f"{url}:2"]["files"]
    assert file["address"] == url
    assert (file["size"], file["hash"][:7]) == (len(TEXT), "sha256:")
    (tmp_path / "served" / "v.txt").write_bytes(OTHER)
    server.etag = '"2"'
    empty_cache(monkeypatch, tmp_path)
    with pytest.raises(LockError, match=rf"v\.txt: expected {file['hash']}, got sha256:"):
        embedhub.load(url)
    assert list_stores() == []
    kept = files_in(Path(os.environ["EMBEDHUB_CACHE"]))
    assert not [name for name in kept if not name.startswith("locks/")]
    (tmp_path / "served" / "v.txt").write_bytes(TEXT)
    server.etag = '"3"'
    with pytest.warns(UnverifiedWarning):
        assert list(embedhub.load(url)) == ["rain", "snow"]


def test_beginning_of_a_file_at_a_url_is_compared(
    server: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a limit the words and vectors are compared, before the hash of the beginning is remembered."""
    handle = f"{server.base}/v.txt | limit(1000)"
    lines = b"".join(b"word%d %d 1\n" % (number, number) for number in range(150_000))
    (tmp_path / "served" / "v.txt").write_bytes(lines)
    with pytest.warns(UnverifiedWarning, match="of its first"):
        write_lock([handle])
    assert server.sent < len(lines) * 0.9
    (tmp_path / "served" / "v.txt").write_bytes(lines.replace(b"word7 ", b"word0.7 "))
    server.etag = '"2"'
    empty_cache(monkeypatch, tmp_path)
    with pytest.raises(LockError, match=r"- words\.utf8: expected"):
        embedhub.load(handle)
    assert list_stores() == []
    assert not list((Path(os.environ["EMBEDHUB_CACHE"]) / "hashes").glob("*first*"))


def test_store_of_another_file_is_not_opened(
    server: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is compared although it was built before there was a lock file."""
    url = f"{server.base}/v.txt"
    with pytest.warns(UnverifiedWarning):
        write_lock([url])
    (tmp_path / "served" / "v.txt").write_bytes(OTHER)
    server.etag = '"2"'
    empty_cache(monkeypatch, tmp_path)
    monkeypatch.setenv("EMBEDHUB_LOCK", "off")
    with pytest.warns(UnverifiedWarning):
        embedhub.load(url)
    monkeypatch.delenv("EMBEDHUB_LOCK")
    with pytest.raises(LockError, match="- hash of http"):
        embedhub.load(url)


def test_secrets_of_a_url_are_not_in_the_lock_file(server: Serving) -> None:
    """Another token opens the same vectors; the file does not have any, so it cannot open them itself."""
    with pytest.warns(UnverifiedWarning):
        write_lock([f"{server.base}/v.txt?token=hush1"])
    assert "hush" not in Path("embedhub.lock").read_text("utf-8")
    with pytest.warns(UnverifiedWarning):
        assert len(embedhub.load(f"{server.base}/v.txt?token=hush2", 2)) == 2
    with pytest.raises(LockError, match=r"v\.txt\?token=\.\.\.:2: this URL has a secret"):
        write_lock()
    (problem,) = check_lock().values()
    assert "has a secret" in str(problem)


def read(path: Path, dim: int) -> Iterator[Block]:
    """Read two words."""
    yield Block(["rain", "snow"], np.full((2, dim), path.stat().st_size, np.float32))


def read_otherwise(path: Path, dim: int) -> Iterator[Block]:
    """Read the same bytes as other vectors."""
    yield Block(["rain", "snow"], np.full((2, dim), path.stat().st_size + 1, np.float32))


def source(format: Format, **changes: Any) -> embedhub.RemoteSource:  # noqa: A002 - what it is
    """Return a source whose file a plugin's format reads."""
    return source_of(pinned(TEXT, format=format), name="rivers", **changes)


def test_readers_and_what_they_read_are_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version is an error before a download, other vectors before a store is published."""
    mirror = tmp_path / "mirror" / "vectors.example.org"
    mirror.mkdir(parents=True)
    (mirror / "some.txt").write_bytes(TEXT)
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(mirror.parent))
    write_lock([source(Format("river", read))])
    assert list(locked()) == ["rivers:2"]
    assert source(Format("river", read)).vectors(2).dim == 2
    with pytest.raises(LockError, match="- readers: expected river 1, got river 2"):
        source(Format("river", read, version=2)).vectors(2)
    with pytest.raises(LockError, match="- license: expected none, got MIT"):
        source(Format("river", read), license="MIT").vectors(2)
    with pytest.raises(LockError, match=r"- hash of https://.*/some.txt: expected sha256:.*, got sha256:"):
        source_of(pinned(OTHER, size=20, format=Format("river", read)), name="rivers").vectors(2)
    empty_cache(monkeypatch, tmp_path)
    with pytest.raises(
        LockError, match=r"- fingerprint: expected \w{16}, got \w{16}\n  - matrix\.npy: expected"
    ):
        source(Format("river", read_otherwise)).vectors(2)
    assert list_stores() == []
    assert source(Format("river", read)).vectors(2).dim == 2
    moved = replace(pinned(TEXT, format=Format("river", read)), url="https://elsewhere.example/some.txt")
    with pytest.raises(LockError, match=r"- address: expected https://vectors\.example\.org/some\.txt, got"):
        source_of(moved, name="rivers").vectors(2)
    with pytest.raises(LockError, match=r"- files: expected https://vectors\.example\.org/some\.txt, got"):
        source_of(pinned(TEXT, format=Format("river", read)), moved, name="rivers").vectors(2)


def letters(dim: int) -> Iterator[Block]:
    """Compute vectors."""
    yield Block(["a", "b"], np.eye(2, dim, dtype=np.float32))


def numbers(dim: int) -> Iterator[Block]:
    """Compute other vectors."""
    yield Block(["1", "2"], np.eye(2, dim, dtype=np.float32))


ABOUT: dict[str, Any] = dict.fromkeys(("description", "license", "citation", "homepage"), "") | {
    "language": "und"
}


def test_source_given_as_an_object_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is in the lock file as name and dimension, and compared like any other."""
    made = ComputedSource(name="letters", dims=(2,), version=1, compute=letters, cased=False, **ABOUT)
    with pytest.raises(TypeError, match="is opened already"):
        write_lock([made.vectors(2)])
    write_lock([made])
    assert list(locked()) == ["letters:2"]
    assert embedhub.load(made)["b"].tolist() == [0, 1]
    with pytest.raises(LockError, match="- readers: expected computed, version 1, got computed, version 2"):
        embedhub.load(replace(made, version=2))
    empty_cache(monkeypatch, tmp_path)
    with pytest.raises(LockError, match=r"- words\.utf8: expected"):
        embedhub.load(replace(made, compute=numbers))
    with pytest.raises(LockError, match="digits:2 is not in the lock file"):
        embedhub.load(replace(made, name="digits"))
    assert embedhub.Vectors(np.eye(2), ["a", "b"]).dim == 2  # your own arrays are yours


def test_table_of_a_source_is_found_by_its_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The lock file opens it again from there."""
    mirror = tmp_path / "mirror" / "vectors.example"
    mirror.mkdir(parents=True)
    (mirror / "t.txt").write_bytes(TEXT)
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(mirror.parent))
    Path("t.toml").write_text(
        'name = "tiny"\ndescription = ""\nlanguage = "en"\ncased = true\nlicense = "MIT"\ncitation = ""\n'
        'homepage = ""\n[[files]]\ndim = 2\nurl = "https://vectors.example/t.txt"\n',
        "utf-8",
    )
    with pytest.warns(UnverifiedWarning):
        write_lock([Path("t.toml")])
    write_lock(["t.toml:2"])
    assert list(locked()) == ["./t.toml:2"]
    assert check_lock() == {"./t.toml:2": None}
    assert embedhub.load("./t.toml").dim == 2


RIVER = """
import dataclasses
import numpy as np
import embedhub

REVISION = "r1"


@dataclasses.dataclass(frozen=True, kw_only=True)
class River(embedhub.EmbeddingSource):
    dims = (2,)
    cache_key = lambda self, dim: self.name
    fetch = lambda self, dim: None

    def parse(self, fetched, dim):
        yield embedhub.Block(["rain", "snow"], np.ones((2, dim), np.float32))

    def manifest(self, dim, cache_key, fetched):
        facts = {"handle": f"river://{self.name}", "revision": REVISION}
        return super().manifest(dim, cache_key, fetched) | facts


def open_river(location, dim):
    about = dict.fromkeys(("description", "license", "citation", "homepage"), "")
    return River(name=location, language="en", cased=False, **about)
"""


def test_revision_of_a_repository_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin's scheme records its handle and the revision in the manifest."""
    add_distribution(tmp_path / "site", "river", RIVER, group="embedhub.schemes", attribute="open_river")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    monkeypatch.delitem(sys.modules, "river", raising=False)
    write_lock(["river://rhine"])
    assert locked()["river://rhine:2"]["revision"] == "r1"
    write_lock()
    assert embedhub.load("river://rhine").dim == 2
    monkeypatch.setattr("river.REVISION", "r2")
    assert embedhub.load("river://rhine").dim == 2  # the store is that of r1
    empty_cache(monkeypatch, tmp_path)
    with pytest.raises(LockError, match="- revision: expected r1, got r2"):
        embedhub.load("river://rhine")


def test_variable_names_a_lock_file_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """EMBEDHUB_LOCK is used in place of the file of the working folder, or turns it off."""
    write_lock(["v.vec"])
    monkeypatch.setenv("EMBEDHUB_LOCK", str(tmp_path / "other" / "mine.lock"))
    with pytest.raises(SettingsError, match=r"EMBEDHUB_LOCK is .*mine\.lock'; expected a lock file"):
        embedhub.load("wordnet-ppmi:25")
    write_lock(["wordnet-ppmi:25"])
    assert embedhub.load("wordnet-ppmi:25").dim == 25
    with pytest.raises(LockError, match=r"\.\./|/v\.vec:2 is not in the lock file .*mine\.lock"):
        embedhub.load("v.vec")
    for off in ("off", "0", "False", "NO"):
        monkeypatch.setenv("EMBEDHUB_LOCK", off)
        assert embedhub.load("v.vec").dim == 2
        assert embedhub.load("wordnet-ppmi:50").dim == 50
    with pytest.raises(LockError, match=r"no lock file to check: .* EMBEDHUB_LOCK is off"):
        check_lock()
    monkeypatch.setenv("EMBEDHUB_LOCK", " ")
    with pytest.raises(LockError, match="wordnet-ppmi:25 is not in"):
        embedhub.load("wordnet-ppmi:25")


OPEN = "import pickle, sys; print(pickle.load(sys.stdin.buffer))"


@pytest.mark.parametrize("handle", ["wordnet-ppmi:25", "v.vec"])
def test_pickle_is_opened_under_the_lock_file_of_its_process(
    handle: str, project: Path, tmp_path: Path
) -> None:
    """A worker has a working folder of its own, where EMBEDHUB_LOCK names the file."""
    pickled = pickle.dumps(embedhub.load(handle))
    write_lock(["wordnet-ppmi:50"])

    def opened(**variables: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-c", OPEN],
            input=pickled,
            env=os.environ | variables,
            cwd=tmp_path,
            capture_output=True,
            check=False,
            timeout=PATIENCE,
        )

    assert opened().stdout.startswith(b"<Vectors ")
    lock = str(project / "embedhub.lock")
    refused = opened(EMBEDHUB_LOCK=lock)
    assert refused.returncode == 1
    assert b"embedhub.errors.LockError: " in refused.stderr
    assert b"is not in the lock file" in refused.stderr
    write_lock([handle])
    assert opened(EMBEDHUB_LOCK=lock).stdout.startswith(b"<Vectors ")


def test_vectors_in_memory_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So are those that are read into memory, where the cache cannot be written."""
    write_lock(["wordnet-ppmi:25"])
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("EMBEDHUB_CACHE", str(tmp_path / "file" / "cache"))
    assert embedhub.load("wordnet-ppmi:25").dim == 25
    with pytest.raises(LockError):
        embedhub.load("wordnet-ppmi:50")


def test_damaged_lock_file_is_an_error(project: Path) -> None:
    """What is wrong with it is named, and nothing is opened."""
    write_lock(["v.vec"])
    path = project / "embedhub.lock"
    good = path.read_text("utf-8")
    for text, problem in {
        "version = ": "this is not TOML",
        "": "expected version = 1, got None",
        good.replace("version = 1", "version = 2"): "expected version = 1, got 2",
        good.replace("version = 1", "version = 1\nextra = 1"): "unknown key 'extra'",
        good.replace(
            "dim = 2", "dim = 2\ncolor = 1"
        ): r"\[\[vectors\]\] number 1 has the unknown key 'color'",
        good.replace("dim = 2", "dim = true"): r".* number 1: dim is True; expected a positive integer",
        good.replace("words = 2\n", ""): r".* number 1 has no 'words'",
        good.replace("address", "url"): r".* number 1: files has the unknown key 'url'",
        good.replace('fingerprint = "', 'fingerprint = "0'): r".*fingerprint is not that of store",
        good + good.partition("version = 1\n")[2]: "'./v.vec:2' is in it twice",
        "version = 1\nvectors = 1\n": "vectors is 1; expected a list of tables",
    }.items():
        path.write_text(text, "utf-8")
        with pytest.raises(FormatError, match=rf"embedhub\.lock: {problem}.*EMBEDHUB_LOCK=off"):
            embedhub.load("v.vec")
    path.write_bytes(b"version = 1 # \xff\n")
    with pytest.raises(FormatError, match="this is not TOML"):
        embedhub.load("v.vec")
    path.write_text("version = 1\n", "utf-8")
    with pytest.raises(LockError, match=r"which has: none\. Nothing was opened"):
        embedhub.load("v.vec")
    path.write_text(good.replace("words = 2", "words = 3"), "utf-8")
    with pytest.raises(LockError, match="- words: expected 3, got 2"):
        embedhub.load("v.vec")


def test_load_without_a_lock_file_reads_no_toml() -> None:
    """What a lock file needs is imported only where there is one."""
    code = "import sys, embedhub; embedhub.load('wordnet-ppmi:25'); print('tomllib' in sys.modules)"
    with child(sys.executable, "-c", code) as process:  # not traced: coverage imports tomllib
        shown, problem = process.communicate(timeout=PATIENCE)
    assert shown.strip() == "False", problem


def test_unpublished_hash_of_a_registered_source_is_that_of_the_lock_file(
    server: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file and companions are compared before a store is built."""
    made = source_of(RemoteFile(f"{server.base}/v.txt", format="glove"), name="lakes-of-the-lock")
    embedhub.register(made)
    with pytest.warns(UnverifiedWarning):
        write_lock(["lakes-of-the-lock:2"])
    (tmp_path / "served" / "v.txt").write_bytes(OTHER)
    server.etag = '"2"'
    empty_cache(monkeypatch, tmp_path)
    with pytest.raises(LockError, match=r"v\.txt: expected sha256:"):
        embedhub.load("lakes-of-the-lock", 2)
    assert list_stores() == []
