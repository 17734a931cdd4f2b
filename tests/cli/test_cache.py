"""`embedhub cache` and the inventory behind it: listing, verifying, repairing and removing stores."""

import json
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import add_plugin, run, seeing

import embedhub
from embedhub import EmbeddingSource
from embedhub import _cache as cache_folder
from embedhub._names import folder_name
from embedhub.download.remote_file import Fetched, lock_name
from embedhub.errors import OfflineError, StoreError
from embedhub.registry import inventory as stores
from embedhub.vectors.blocks import Block


@pytest.fixture
def store(cache: Path) -> Path:
    """Build wordnet-ppmi 25d, and return its folder."""
    embedhub.load("wordnet-ppmi", 25)
    (folder,) = (cache / "vectors" / folder_name("wordnet-ppmi")).iterdir()
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of all files of a folder."""
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def flip(path: Path) -> None:
    """Change one byte in the middle of a file."""
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.slow
def test_path_is_the_cache_folder(cache: Path) -> None:
    """The command prints the folder that EMBEDHUB_CACHE sets, and nothing else."""
    assert run("cache", "path").stdout == f"{cache}\n"


@pytest.mark.slow
def test_list_shows_stores_downloads_and_leftovers(store: Path, cache: Path) -> None:
    """Stores have source, size, date, state and origin; downloads and leftovers are counted."""
    (cache / "downloads").mkdir()
    (cache / "downloads" / "0123456789ab-x.txt.01234567.part").write_bytes(bytes(10))
    (cache / "vectors" / folder_name("wordnet-ppmi") / ".50d-0123456789abcdef.abc.tmp").mkdir()
    shown = run("cache", "list").stdout
    assert re.search(r"wordnet-ppmi +25 +78,781 +10\.4 MB +20\d\d-\d\d-\d\d +current +sha256:94e5", shown)
    assert "stores: 1, 10.4 MB\ndownloads: 1, 10 B\nleftovers: 1, 0 B\n" in shown
    listing = json.loads(run("cache", "list", "--json").stdout)
    assert listing["folder"] == str(cache)
    (entry,) = listing["stores"]
    assert (entry["store"], entry["rows"], entry["state"]) == (str(store), 78_781, "current")
    assert entry["bytes"] == sum(file.stat().st_size for file in store.iterdir())
    assert json.loads(run("cache", "list", "glove-6b", "--json").stdout)["stores"] == []


@pytest.mark.slow
def test_verify_names_damaged_files_and_repair_rebuilds_them(store: Path) -> None:
    """A changed, a missing and a foreign file are named; repair builds the same store again."""
    before = contents(store)
    assert run("cache", "verify").stdout == "wordnet-ppmi 25d: intact (10.4 MB)\n"
    flip(store / "matrix.npy")
    (store / "rows.npy").unlink()
    (store / "stray").touch()
    done = run("cache", "verify", EMBEDHUB_PROGRESS="1")
    assert done.returncode == 1
    assert re.fullmatch(
        r"wordnet-ppmi 25d: damaged: matrix\.npy has the XXH3 [0-9a-f]{32}, expected [0-9a-f]{32}; "
        rf"rows\.npy is absent; stray does not belong there: {re.escape(str(store))}\n",
        done.stdout,
    )
    assert "Verifying" in done.stderr
    (entry,) = json.loads(run("cache", "verify", "--json").stdout)
    assert entry["faults"][1:] == ["rows.npy is absent", "stray does not belong there"]
    done = run("cache", "repair")
    assert (done.returncode, done.stdout) == (0, "wordnet-ppmi 25d: repaired\n")
    assert contents(store) == before
    (entry,) = json.loads(run("cache", "repair", "wordnet-ppmi:25", "--json").stdout)
    assert (entry["outcome"], entry["faults"], entry["problem"]) == ("intact", [], None)


@pytest.mark.slow
def test_remove_asks_first(store: Path, cache: Path) -> None:
    """Nothing is removed without a yes, and then only the named stores."""
    embedhub.load("wordnet-ppmi", 50)
    for answer in ("", "n\n"):
        done = run("cache", "remove", "wordnet-ppmi:25", stdin=answer)
        assert done.returncode == 1
        assert "Remove this? [y/N]" in done.stderr
        assert store.is_dir()
    done = run("cache", "remove", "wordnet-ppmi:25", stdin="y\n")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "Removed.")
    assert not store.exists()
    assert [entry.dim for entry in stores.list_stores()] == [50]
    assert run("cache", "remove", "--all", "--yes").returncode == 0
    assert not stores.list_stores()
    assert not (cache / "vectors" / folder_name("wordnet-ppmi")).exists()


@pytest.mark.slow
@pytest.mark.posix
def test_store_that_is_a_link_is_removed(store: Path, tmp_path: Path) -> None:
    """The link goes, the folder that it names stays."""
    elsewhere = tmp_path / "elsewhere"
    store.rename(elsewhere)
    store.symlink_to(elsewhere)
    before = contents(elsewhere)
    assert embedhub.load("wordnet-ppmi", 25).words[0] == "the"
    run("cache", "remove", "wordnet-ppmi:25", "--yes")
    assert not store.is_symlink()
    assert contents(elsewhere) == before


@pytest.mark.slow
def test_remove_needs_a_selection(store: Path) -> None:
    """No name, or a name with --all, is wrong usage; a name without a store is an error."""
    assert run("cache", "remove").returncode == 2
    assert run("cache", "remove", "wordnet-ppmi", "--all").returncode == 2
    done = run("cache", "remove", "glove-6b:50", "--yes")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: There is no store of glove-6b:50 in ")
    assert store.is_dir()


@pytest.mark.slow
def test_a_store_whose_source_is_gone_is_not_repaired(cache: Path, tmp_path: Path) -> None:
    """Without its plugin a damaged store is kept, and the message says how to remove it."""
    site, mirror = tmp_path / "site", tmp_path / "mirror"
    add_plugin(site, "embedhub-mine", "source('mine')")
    (mirror / "example.org").mkdir(parents=True)
    (mirror / "example.org" / "mine.bin").write_bytes(b"1 2\nrain " + bytes(8) + b"\n")
    done = run("download", "mine", **seeing(site), EMBEDHUB_MIRROR=str(mirror))
    assert done.returncode == 0, done.stderr
    (folder,) = (cache / "vectors" / folder_name("mine")).iterdir()
    flip(folder / "words.utf8")
    before = contents(folder)
    done = run("cache", "repair")
    assert done.returncode == 1
    assert done.stdout.startswith(
        f"mine 2d: damaged: {folder}: this store is damaged, and cannot be built again: No source"
    )
    assert done.stdout.endswith("Remove it: embedhub cache remove mine:2.\n")
    (entry,) = json.loads(run("cache", "list", "--json").stdout)["stores"]
    assert (entry["state"], entry["origin"]) == ("unknown", "https://example.org/mine.bin")
    assert contents(folder) == before
    done = run("cache", "repair", **seeing(site), EMBEDHUB_MIRROR=str(mirror))
    assert done.stdout == "mine 2d: repaired\n"


class Made(EmbeddingSource):
    """A source with its own code, whose file can be unavailable."""

    dims: tuple[int, ...] = (2,)
    reachable = True
    bytes_ = "first"

    def cache_key(self, dim: int) -> str:  # noqa: ARG002 - the interface's argument
        """Identify the bytes."""
        return self.bytes_

    def fetch(self, dim: int) -> Fetched:  # noqa: ARG002 - the interface's argument
        """Raise OfflineError if the file is unavailable."""
        if not Made.reachable:
            raise OfflineError("out of reach")
        return Fetched(Path("nowhere"))

    def parse(self, fetched: Fetched, dim: int) -> Iterator[Block]:  # noqa: ARG002 - the interface's arguments
        """Yield one word."""
        yield Block(["rain"], np.ones((1, 2), np.float32))


@pytest.fixture
def made(cache: Path, monkeypatch: pytest.MonkeyPatch) -> stores.CachedStore:
    """Register that source, and build its store."""
    facts: dict[str, Any] = {"description": "", "language": "en", "cased": True}
    source = Made(name="made-for-stores", license="", citation="", homepage="", **facts)
    embedhub.register(source)
    monkeypatch.setattr(Made, "reachable", True)
    monkeypatch.setattr(Made, "bytes_", "first")
    embedhub.load("made-for-stores")
    (found,) = stores.list_stores("made-for-stores")
    return found


def faults_of(store: stores.CachedStore) -> list[str]:
    """Return the current faults of a store."""
    (found,) = stores.list_stores(store.name)
    return [str(fault) for fault in stores.verify([found])[found]]


def repair(store: stores.CachedStore) -> None:
    """Verify and repair."""
    for found, faults in stores.verify(stores.list_stores(store.name)).items():
        stores.repair(found, faults)


def test_a_damaged_store_is_kept_while_its_file_is_unavailable(
    made: stores.CachedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the file is unavailable the damaged store is kept, byte for byte; later it is rebuilt."""
    (made.folder / "stray").touch()
    flip(made.folder / "hashes.npy")
    before = contents(made.folder)
    monkeypatch.setattr(Made, "reachable", False)
    with pytest.raises(OfflineError):
        repair(made)
    assert contents(made.folder) == before
    assert not stores.incomplete()
    monkeypatch.setattr(Made, "reachable", True)
    repair(made)
    assert faults_of(made) == []
    assert not stores.incomplete()


def test_a_foreign_file_is_removed_without_a_download(
    made: stores.CachedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a foreign file is the only fault, repair removes it and needs no network."""
    monkeypatch.setattr(Made, "reachable", False)
    (made.folder / "stray").touch()
    (made.folder / "folder").mkdir()
    assert faults_of(made) == ["folder does not belong there", "stray does not belong there"]
    repair(made)
    assert faults_of(made) == []


def test_an_unreadable_manifest_is_a_fault(made: stores.CachedStore) -> None:
    """A store with a missing or malformed manifest is found and repaired."""
    manifest = made.folder / "manifest.json"
    good = manifest.read_text("utf-8")
    for bad in ("", "[]", "{}", "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"), None):
        manifest.unlink() if bad is None else manifest.write_text(bad, "latin-1")
        assert faults_of(made) == ["manifest.json is absent or cannot be read"]
        repair(made)
    assert faults_of(made) == []
    manifest.write_text(good.replace('"made-for-stores"', '"other"'), "utf-8")
    assert faults_of(made) == ["manifest.json says that it is other 2d"]


def test_a_store_of_other_bytes_is_outdated(
    made: stores.CachedStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store whose source has other bytes by now is not repaired, since it is not opened any more."""
    assert made.state() == "current"
    monkeypatch.setattr(Made, "bytes_", "second")
    assert made.state() == "outdated"
    flip(made.folder / "matrix.npy")
    with pytest.raises(
        StoreError, match=r"does not open this one any more.*embedhub cache remove made-for-stores:2"
    ):
        repair(made)


def test_the_store_of_a_file_is_current_while_the_file_is_unchanged(cache: Path, tmp_path: Path) -> None:
    """The store of a user's file is repaired from the file, and is outdated when the file has changed."""
    file = tmp_path / "my.bin"
    file.write_bytes(b"1 2\nrain " + bytes(8) + b"\n")
    embedhub.load(file)
    (mine,) = stores.list_stores()
    assert (mine.origin, mine.state()) == (str(file), "current")
    flip(mine.folder / "offsets.npy")
    repair(mine)
    assert faults_of(mine) == []
    flip(mine.folder / "offsets.npy")
    file.write_bytes(b"1 2\nsnow " + bytes(8) + b"\n")
    assert mine.state() == "outdated"
    file.unlink()
    assert mine.state() == "unknown"
    with pytest.raises(StoreError, match="there is no such file"):
        repair(mine)


def test_files_in_use_are_not_removed(cache: Path) -> None:
    """A download or build in progress is not removed; an interrupted one is."""
    part = cache / "downloads" / "example.org" / "x.txt.01234567.part"
    left = cache / "vectors" / "some" / ".50d-0123456789abcdef.abc.tmp"
    part.parent.mkdir(parents=True)
    left.mkdir(parents=True)
    part.touch()
    files = [*stores.downloads(), *stores.incomplete()]
    with (
        cache_folder.lock(lock_name("example.org/x.txt"), ""),
        cache_folder.lock("build-some-50d", ""),
        ThreadPoolExecutor(1) as other_thread,
    ):
        assert list(other_thread.map(stores.remove_file, files)) == [False, False]
    assert part.exists()
    assert left.exists()
    assert [stores.remove_file(file) for file in files] == [True, True]
    assert not part.exists()
    assert not left.exists()


@pytest.mark.posix
def test_an_opened_store_outlives_its_removal(store: Path) -> None:
    """Open vectors can be read after their store is removed."""
    vectors = embedhub.load("wordnet-ppmi", 25)
    before = vectors["music"].tobytes()
    for entry in stores.list_stores():
        stores.remove(entry)
    assert not store.exists()
    assert vectors["music"].tobytes() == before
    shutil.rmtree(store.parent, ignore_errors=True)
