"""Making files and folders of the cache: without following links of others, and as open as their folder.

The umask decides, as for any file. A folder that others can write to is shared: what is made in it is as open
as the folder itself, whatever the umask. The write access of a sticky folder, such as /tmp, is not passed on.
"""

import errno
import os
import stat
import sys
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO, cast

EVERYONE = 0o077
_WRITE = 0o022
_NO_LINK: int = getattr(os, "O_NOFOLLOW", 0)  # Windows has none, and lets few users make links


def create(path: Path, *, private: bool = False) -> BinaryIO:
    """Make a file of the cache, and open it for reading and writing.

    Args:
        path: The file.
        private: Whether only its owner can read it.

    Raises:
        FileExistsError: Its name is taken, if only by a link to nowhere.
        OSError: It cannot be made.
    """
    mode = 0o600 if private else 0o666
    file = _open(path, "x+b", mode)
    shared = 0 if private else _shared_mode(path.parent)
    if shared:
        _set_mode(path, 0o600 | shared & 0o666)
    return file


def reopen(path: Path) -> BinaryIO:
    """Open a file of the cache to change it.

    Raises:
        OSError: It cannot be opened, or has another name too: it is a link, or that of a file elsewhere.
    """
    file = _open(path, "r+b")
    if os.fstat(file.fileno()).st_nlink != 1:
        file.close()
        raise OSError(errno.EMLINK, "the file has another name too", str(path))
    return file


def _open(path: Path, how: str, mode: int = 0) -> BinaryIO:
    def without_links(name: str, flags: int) -> int:
        return os.open(name, flags | _NO_LINK, mode)

    return cast("BinaryIO", open(path, how, opener=without_links))


def make_folder(folder: Path, root: Path) -> None:
    """Make a folder and those above it, unless they exist.

    Args:
        folder: The folder.
        root: The cache. Below it no link is followed that another user has made, unless that is the owner of
            the cache or the administrator.

    Raises:
        OSError: It cannot be made, or something else has its name.
    """
    is_inside = root in folder.parents
    if is_inside:
        make_folder(folder.parent, root)
    try:
        folder.mkdir(parents=not is_inside)
    except OSError:
        if not os.path.lexists(folder):
            raise
        _check_folder(folder, root if is_inside else None)
        return
    shared = _shared_mode(folder.parent) if is_inside else 0
    if shared:
        _set_mode(folder, shared)


def _check_folder(folder: Path, root: Path | None) -> None:
    """Raise OSError if something is not a folder, or a link that another user has put into the cache."""
    status = folder.lstat()
    if stat.S_ISLNK(status.st_mode):
        if root and sys.platform != "win32" and status.st_uid not in {0, os.getuid(), root.stat().st_uid}:
            raise PermissionError(errno.EPERM, f"it is a link that user {status.st_uid} has made")
        if not folder.exists():
            raise FileNotFoundError(
                errno.ENOENT, f"it is a link to {folder.readlink()}, which does not exist"
            )
    if not folder.is_dir():
        raise NotADirectoryError(errno.ENOTDIR, "it is not a folder")


def is_private(folder: Path) -> bool:
    """Return whether only this user can put anything into a folder; not so if it is missing or a link."""
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    is_own = sys.platform == "win32" or (status.st_uid == os.getuid() and not status.st_mode & _WRITE)
    return stat.S_ISDIR(status.st_mode) and is_own


def lock_mode(folder: Path) -> int:
    """Return the mode of the locks in a folder: who cannot write there, and thus not build, can hold none."""
    writers = _shared_mode(folder) & _WRITE
    return 0o600 | writers | writers << 1


def share_finished(folder: Path, files: Collection[Path]) -> None:
    """Let others read a folder that was private while it was written, and its files.

    Args:
        folder: The folder; its files have the modes that the umask gives.
        files: Files; only who can read all of them can read the folder.
    """
    status = folder.stat()
    shared = _shared_mode(folder.parent)
    allowed = 0o700 | who_can_read(files, status.st_gid) & ~_WRITE
    readers = 0
    for file in folder.iterdir():
        mode = (0o600 | shared & 0o444 if shared else stat.S_IMODE(file.stat().st_mode)) & allowed
        _set_mode(file, mode)
        readers |= mode & 0o044
    # Who can write to the folder above can repair and remove this one.
    writers = shared & _WRITE & readers >> 1
    _set_mode(folder, stat.S_IMODE(status.st_mode) | readers | readers >> 2 | writers)


def who_can_read(files: Collection[Path], group: int | None = None) -> int:
    """Return the bits of a mode for those who can read all files: the members of a group, and all others.

    Args:
        files: The files; the folders above them count too.
        group: The number of the group.
    """
    bits = EVERYONE
    for file in files:
        steps = [(file, stat.S_IROTH), *((above, stat.S_IXOTH) for above in file.resolve().parents)]
        for path, others in steps:
            status = path.stat()
            by_group = others << 3 if status.st_gid == group else others
            bits &= (0o070 if status.st_mode & by_group else 0) | (0o007 if status.st_mode & others else 0)
    return bits


def _shared_mode(folder: Path) -> int:
    """Return the mode of the folders in a folder that others can write to, 0 if it is not shared."""
    mode = folder.stat().st_mode
    is_shared = sys.platform != "win32" and mode & _WRITE and not mode & stat.S_ISVTX
    return stat.S_IMODE(mode) if is_shared else 0


def _set_mode(path: Path, mode: int) -> None:
    """Set the mode of a file or folder, of which a link is not followed, where the file system has modes."""
    if sys.platform == "win32":
        return
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | _NO_LINK)
        try:
            os.fchmod(descriptor, mode)
        finally:
            os.close(descriptor)
