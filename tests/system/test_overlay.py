"""A cache in the image of a container: overlayfs renames and removes no folder of the layers below."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from children import PATIENCE

import embedhub
from embedhub.errors import StoreWarning
from embedhub.registry import inventory as stores

pytestmark = [pytest.mark.linux, pytest.mark.posix]


@pytest.fixture
def image(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Mount an overlay as the cache, whose lower layer has a store of wordnet-ppmi."""
    lower = tmp_path / "lower"
    monkeypatch.setenv("EMBEDHUB_CACHE", str(lower))
    embedhub.load("wordnet-ppmi", 25)
    monkeypatch.setenv("EMBEDHUB_CACHE", str(cache))
    for name in ("upper", "work", "cache"):
        (tmp_path / name).mkdir()
    layers = f"lowerdir={lower},upperdir={tmp_path / 'upper'},workdir={tmp_path / 'work'},redirect_dir=off"
    mount = ["mount", "-t", "overlay", "overlay", "-o", layers, str(cache)]
    try:
        subprocess.run(mount, check=True, capture_output=True, timeout=PATIENCE)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no overlay can be mounted here: {error}")
    yield cache
    umount = shutil.which("umount") or "umount"
    subprocess.run([umount, "--lazy", str(cache)], check=True, capture_output=True, timeout=PATIENCE)


def left(cache: Path) -> list[str]:
    """Return the names of the stores and leftovers of wordnet-ppmi."""
    return [path.name for path in (cache / "vectors").glob("*/*")]


def test_store_of_the_image_cannot_be_renamed(image: Path) -> None:
    """The refusal that the other tests are about is the kernel's."""
    (store,) = stores.list_stores()
    with pytest.raises(OSError, match="cross-device"):
        store.folder.rename(store.folder.with_name("other"))


def test_store_of_the_image_is_removed(image: Path) -> None:
    """Nothing of it is left, and the next load builds it again."""
    for store in stores.list_stores():
        stores.remove(store)
    assert left(image) == []
    assert embedhub.load("wordnet-ppmi", 25).words[0] == "the"


def test_damaged_store_of_the_image_is_built_again(image: Path) -> None:
    """By `load` and by `repair`; afterwards there is one store, and no copy of it."""
    (store,) = stores.list_stores()
    (store.folder / "rows.npy").write_bytes(b"")
    with pytest.warns(StoreWarning, match="this store was damaged, and has been built again"):
        assert embedhub.load("wordnet-ppmi", 25).words.index("music") == 253
    assert left(image) == [store.folder.name]


def test_damaged_store_of_the_image_is_repaired(image: Path) -> None:
    """Of a store that the layer below has, `repair` leaves one too."""
    (store,) = stores.list_stores()
    (store.folder / "matrix.npy").write_bytes(b"")
    stores.repair(store, stores.verify([store])[store])
    assert left(image) == [store.folder.name]
    assert not any(stores.verify(stores.list_stores()).values())


def test_open_vectors_outlive_the_removal(image: Path) -> None:
    """Vectors that are open keep their numbers."""
    vectors = embedhub.load("wordnet-ppmi", 25)
    before = vectors["music"].tobytes()
    for store in stores.list_stores():
        stores.remove(store)
    assert vectors["music"].tobytes() == before
