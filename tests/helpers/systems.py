"""What other systems refuse, provoked on Linux: files in use, as a mount point or by the rules of Windows."""

import os
import stat
import subprocess
import sys
from collections.abc import Callable
from functools import wraps
from pathlib import Path
from typing import Any

import pytest
from children import PATIENCE

_HELD = 'mount --bind "$1" "$1" && exec "$2" -c "$3"'
_ACCESS_DENIED = 5


def run_while_held(path: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run Python while the system refuses to rename or remove a path, or skip.

    The path is a mount point in a namespace of that process, so the refusal, EBUSY, is the kernel's.
    """
    command = ["unshare", "--map-root-user", "--mount"]
    try:
        subprocess.run(
            [*command, "mount", "--bind", path, path], check=True, capture_output=True, timeout=PATIENCE
        )
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"this system grants no mounts: {error}")
    return subprocess.run(
        [*command, "sh", "-c", _HELD, "sh", path, sys.executable, code],
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )


def refuse_what_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make renames and removals fail as on Windows: for files that this process has open or mapped.

    A stand-in for the checks of that system only. What is open is read from /proc, by the number of the file,
    so names that were linked or renamed meanwhile count too.
    """
    for name in ("rename", "replace"):
        monkeypatch.setattr(os, name, _strict_move(getattr(os, name)))
    for name in ("remove", "unlink"):
        monkeypatch.setattr(os, name, _strict_removal(getattr(os, name)))


def _strict_move(real: Callable[..., None]) -> Callable[..., None]:
    @wraps(real)
    def move(old: Any, new: Any) -> None:
        _check(Path(old))
        _check(Path(new))
        real(old, new)

    return move


def _strict_removal(real: Callable[..., None]) -> Callable[..., None]:
    @wraps(real)
    def remove(path: Any, *, dir_fd: int | None = None) -> None:
        folder = Path.cwd() if dir_fd is None else Path(f"/proc/self/fd/{dir_fd}").readlink()
        _check(folder / path)
        real(path, dir_fd=dir_fd)

    return remove


def _check(path: Path) -> None:
    if path.suffix == ".lock" or not path.exists():  # filelock has another class for Windows
        return
    files = [file for file in path.rglob("*") if file.is_file()] if path.is_dir() else [path]
    in_use = {(file.stat().st_dev, file.stat().st_ino): file for file in files}.keys() & _open_files()
    if in_use:
        error = PermissionError(13, "Access is denied", str(path))
        error.winerror = _ACCESS_DENIED  # type: ignore[attr-defined,unused-ignore]  # only Windows sets it
        raise error


def _open_files() -> set[tuple[int, int]]:
    files = set()
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208 - its own descriptor is gone by now
        try:
            status = os.fstat(int(name))
        except OSError:
            continue
        if stat.S_ISREG(status.st_mode):
            files.add((status.st_dev, status.st_ino))
    for line in Path("/proc/self/maps").read_text("utf-8").splitlines():
        _, _, _, device, number, *_ = line.split()
        major, minor = (int(part, 16) for part in device.split(":"))
        files.add((os.makedev(major, minor), int(number)))
    return files
