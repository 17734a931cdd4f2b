"""What a power cut leaves: file systems whose unsynced writes are dropped, and the order of the syncs."""

import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from children import PATIENCE

from embedhub import _atomic

pytestmark = [pytest.mark.linux, pytest.mark.posix]

_SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN, of fs/ext4/ext4.h
LOG_FLUSHED, LOG_DROPPED = 1, 2
"""What the disk has of the names of files: with the first, names whose bytes are not there, as 30 s later."""

LOAD = "import embedhub; print(embedhub.load('wordnet-ppmi', 25)['music'][0])"
EXPORT = "import embedhub; embedhub.export('wordnet-ppmi', 25, {path!r})"


def command(name: str, *arguments: object) -> None:
    """Run a program of the system."""
    program = shutil.which(name, path=f"{os.environ['PATH']}{os.pathsep}/usr/sbin{os.pathsep}/sbin")
    if program is None:
        raise FileNotFoundError(name)
    subprocess.run([program, *map(str, arguments)], check=True, capture_output=True, timeout=PATIENCE)


class Disk:
    """An ext4 file system in a file, mounted at a folder."""

    def __init__(self, image: Path, folder: Path) -> None:
        self.image = image
        self.folder = folder

    def mount(self) -> None:
        """Mount it; an ext4 that was cut off recovers its journal."""
        command("mount", "-o", "loop", self.image, self.folder)

    def unmount(self) -> None:
        """Unmount it."""
        command("umount", self.folder)

    def cut_power(self, log: int) -> None:
        """Drop all that is not on the disk yet, and mount it again."""
        import fcntl

        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.ioctl(descriptor, _SHUTDOWN, struct.pack("I", log))
        finally:
            os.close(descriptor)
        self.unmount()
        self.mount()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """Mount an empty disk of 64 MB."""
    image, folder = tmp_path / "disk.img", tmp_path / "disk"
    with image.open("wb") as file:
        file.truncate(64 << 20)
    folder.mkdir()
    disk = Disk(image, folder)
    try:
        command("mkfs.ext4", "-q", image)
        disk.mount()
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no loop device can be mounted here: {error}")
    yield disk
    disk.unmount()


def run(code: str, **variables: str) -> str:
    """Run code in a process of its own, which has nothing of the disk open afterwards; return its output."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("log", [LOG_FLUSHED, LOG_DROPPED])
def test_store_survives_a_power_cut(disk: Disk, log: int) -> None:
    """A store that was published is there afterwards, whole, and is not built again."""
    cache = str(disk.folder / "cache")
    before = run(LOAD, EMBEDHUB_CACHE=cache)
    (manifest,) = disk.folder.glob("cache/vectors/*/*/manifest.json")
    written = manifest.stat().st_mtime_ns
    disk.cut_power(log)
    assert run(LOAD, EMBEDHUB_CACHE=cache) == before
    assert manifest.stat().st_mtime_ns == written


@pytest.mark.parametrize("log", [LOG_FLUSHED, LOG_DROPPED])
def test_exported_file_survives_a_power_cut(disk: Disk, log: int) -> None:
    """A file that `export` has written has all of its bytes afterwards."""
    path = disk.folder / "vectors.txt"
    run(EXPORT.format(path=str(path)))
    before = path.read_bytes()
    disk.cut_power(log)
    assert path.read_bytes() == before


def store(folder: Path) -> None:
    """Publish a folder with two files."""
    with _atomic.publish(folder) as temporary:
        (temporary / "a").write_bytes(b"1")
        (temporary / "b").write_bytes(b"2")


def output(path: Path) -> None:
    """Write a file of the user."""
    with _atomic.atomic_output(path, overwrite=False) as temporary:
        temporary.write_bytes(b"1")


def output_folder(path: Path) -> None:
    """Write a folder of the user."""
    with _atomic.atomic_output(path, overwrite=False, expected_names=["a"]) as temporary:
        temporary.mkdir()
        (temporary / "a").write_bytes(b"1")


@pytest.mark.parametrize(
    ("write", "files"),
    [
        (store, ["a", "b", "."]),
        (lambda path: _atomic.publish_text(path, "1"), ["."]),
        (output, ["."]),
        (output_folder, ["a", "."]),
    ],
)
def test_bytes_reach_the_disk_before_their_name(
    write: Callable[[Path], None], files: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every file, and the folder of it, is synced before the rename, and the parent after it."""
    events: list[str] = []
    final = tmp_path / "parent" / "final"
    sync, rename = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        events.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        sync(descriptor)

    def renamed_to(old: Path, new: Path) -> None:
        events.append(f"{old} -> {new}")
        rename(old, new)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed_to)
    write(final)
    (renamed,) = (event for event in events if event.endswith(f" -> {final}"))
    temporary = Path(renamed.partition(" -> ")[0])
    at = events.index(renamed)
    assert sorted(events[:at]) == sorted(str(temporary / name) for name in files)
    assert events[at + 1 :] == [str(final.parent)]
