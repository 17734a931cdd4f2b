"""Stores whose files have changed on the disk: an error or a repair, never other vectors."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import xxhash
from children import PATIENCE
from damage import DAMAGES
from remote import HOST, pinned, source_of

import embedhub
from embedhub.errors import StoreError, StoreWarning
from embedhub.vectors import store
from embedhub.vectors.store_writer import StoreWriter

WORDS = [f"word{i}" for i in range(500)]
MATRIX = np.random.default_rng(1).normal(size=(500, 4)).astype(np.float32)
INDEX = ["words.utf8", "offsets.npy", "hashes.npy", "rows.npy"]
"""Files that say which vector a word has: they are verified whenever a process opens a store."""


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write a store of 500 words."""
    folder = tmp_path_factory.mktemp("stores") / "tiny"
    with StoreWriter(folder, name="tiny", dim=4) as writer:
        writer.write((WORDS, MATRIX))
    return folder


@pytest.fixture
def folder(intact: Path, tmp_path: Path) -> Path:
    """Return a copy of it."""
    return Path(shutil.copytree(intact, tmp_path / "tiny"))


@pytest.mark.parametrize("name", [*INDEX, "manifest.json"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_index_is_an_error(
    name: str, damage: Callable[[bytearray, np.random.Generator], None], folder: Path
) -> None:
    """Whatever bytes of the index or the manifest change, the store does not open; the error names it."""
    path = folder / name
    original = path.read_bytes()
    for seed in range(20):
        data = bytearray(original)
        damage(data, np.random.default_rng(seed))
        path.write_bytes(data)
        with pytest.raises(StoreError, match=rf"is damaged \({name} .*embedhub cache repair"):
            store.open_store(folder)


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_matrix_is_an_error_or_changes_only_numbers(
    damage: Callable[[bytearray, np.random.Generator], None], folder: Path
) -> None:
    """A matrix with another header or size is refused; one with other numbers still belongs to its words."""
    original = (folder / "matrix.npy").read_bytes()
    for seed in range(20):
        data = bytearray(original)
        damage(data, np.random.default_rng(seed))
        (folder / "matrix.npy").write_bytes(data)
        if data[:128] == original[:128] and len(data) == len(original):
            assert store.open_store(folder).words.indices(WORDS).tolist() == list(range(500))
        else:
            with pytest.raises(StoreError, match=r"is damaged \(matrix\.npy .*embedhub cache repair"):
                store.open_store(folder)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*INDEX, "matrix.npy", "manifest.json"])
def test_thousand_damages_are_found(name: str, folder: Path) -> None:
    """In a process of its own, nothing crashes, is a foreign error, or changes what a word means."""
    script = Path(__file__).parents[1] / "helpers" / "damage.py"
    done = subprocess.run(
        [sys.executable, script, folder / name, "1000"],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=True,
    )
    outcomes = json.loads(done.stdout)
    assert set(outcomes) <= {"DamagedStoreError", "unchanged", *(["numbers"] if name == "matrix.npy" else [])}
    assert outcomes["DamagedStoreError"] > (100 if name == "matrix.npy" else 900)


@pytest.mark.parametrize("name", ["words.utf8", "hashes.npy", "rows.npy", "matrix.npy", "manifest.json"])
def test_file_of_another_store_is_an_error(name: str, folder: Path, tmp_path: Path) -> None:
    """A file of another store of the same size is found, but for its matrix."""
    other = tmp_path / "other"
    with StoreWriter(other, name="other", dim=4) as writer:
        writer.write(([f"Word{i}" for i in range(500)], MATRIX[:, ::-1]))
    shutil.copy(other / name, folder / name)
    if name == "matrix.npy":  # the same header: `embedhub cache verify` reads the numbers
        assert store.open_store(folder).words[0] == "word0"
        return
    with pytest.raises(StoreError, match="is damaged"):
        store.open_store(folder)


@pytest.mark.parametrize("name", [*INDEX, "matrix.npy", "manifest.json"])
def test_missing_file_is_an_error(name: str, folder: Path) -> None:
    """The error names the file."""
    (folder / name).unlink()
    with pytest.raises(StoreError, match=rf"is damaged .*{name}.*embedhub cache repair"):
        store.open_store(folder)


def test_index_is_read_once_in_a_process(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store that was verified is not read again, unless one of its files was written since."""
    hashed: list[int] = []
    digest = xxhash.xxh3_128_hexdigest

    def counted(data: bytes) -> str:
        hashed.append(len(data))
        return digest(data)

    monkeypatch.setattr(xxhash, "xxh3_128_hexdigest", counted)
    store.open_store(folder)
    assert len(hashed) == 1 + len(INDEX)
    store.open_store(folder)
    assert len(hashed) == 2 + len(INDEX)  # the manifest
    (folder / "rows.npy").write_bytes((folder / "rows.npy").read_bytes())
    store.open_store(folder)
    assert len(hashed) == 4 + len(INDEX)


def overwrite(path: Path) -> None:
    """Write zeros over a part of a file."""
    with path.open("r+b") as file:
        file.seek(200)
        file.write(bytes(16))


def test_damaged_store_of_a_source_is_built_again() -> None:
    """The next `load` repairs it, with one warning, and gives the right vectors."""
    embedhub.load("wordnet-ppmi", 25)
    folder = embedhub.sources()["wordnet-ppmi"].store_path(25)
    overwrite(folder / "rows.npy")
    with pytest.warns(StoreWarning, match="this store was damaged, and has been built again") as warned:
        vectors = embedhub.load("wordnet-ppmi", 25)
    assert warned[0].filename == __file__
    assert vectors.words.index("music") == embedhub.load("wordnet-ppmi", 25).words.index("music") == 253
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_damaged_store_stays_if_it_cannot_be_built_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error has both reasons, and nothing is lost; with the file available the store is built again."""
    text = b"rain 1 2\nsnow 3 4\n"
    mirror = tmp_path / "mirror" / HOST
    mirror.mkdir(parents=True)
    (mirror / "a.txt").write_bytes(text)
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(mirror.parent))
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    source = source_of(name="tiny", files={2: (pinned(text, "a.txt", format="glove"),)})
    before = source.vectors(2).matrix.tolist()
    folder = source.store_path(2)
    overwrite(folder / "hashes.npy")
    names = sorted(path.name for path in folder.iterdir())
    monkeypatch.delenv("EMBEDHUB_MIRROR")
    with pytest.raises(StoreError, match=r"hashes\.npy .*could not be built again now: .*EMBEDHUB_OFFLINE"):
        source.vectors(2)
    assert sorted(path.name for path in folder.iterdir()) == names
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(mirror.parent))
    with pytest.warns(StoreWarning):
        assert source.vectors(2).matrix.tolist() == before
