"""Creation of files and folders in the cache, with safe links and permissions.

Links of other users are not followed. Permissions follow the umask, except in a shared folder, which others
can write to: new files and folders in it get the permissions of the folder. The write access of a sticky
folder, such as /tmp, is not passed on.
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
    """Create a file in the cache, and open it for reading and writing.

    Args:
        path: The file.
        private: Whether only its owner can read it.

    Raises:
        FileExistsError: The name is taken, if only by a broken link.
        OSError: The file cannot be created.
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
        OSError: The file cannot be opened, or has another name: it is a symbolic or a hard link.
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
    """Create a folder and its parents, unless they exist.

    Args:
        folder: The folder.
        root: The cache. Below it, links of other users are not followed, except those of the owner of the
            cache and the administrator.

    Raises:
        OSError: The folder cannot be created, or something else has its name.
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
    """Return whether only this user can write to a folder; False if it is missing or a link."""
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    is_own = sys.platform == "win32" or (status.st_uid == os.getuid() and not status.st_mode & _WRITE)
    return stat.S_ISDIR(status.st_mode) and is_own


def lock_mode(folder: Path) -> int:
    """Return the mode of the locks in a folder, which only users who can write to it, and build, can hold."""
    writers = _shared_mode(folder) & _WRITE
    return 0o600 | writers | writers << 1


def share_finished(folder: Path, files: Collection[Path]) -> None:
    """Make a folder that was private while it was written, and its files, readable for others.

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
    # Users who can write to the parent folder can repair and remove this one.
    writers = shared & _WRITE & readers >> 1
    _set_mode(folder, stat.S_IMODE(status.st_mode) | readers | readers >> 2 | writers)


def who_can_read(files: Collection[Path], group: int | None = None) -> int:
    """Return the mode bits for the users who can read all files: members of a group, and others.

    Args:
        files: The files; their parent folders count too.
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
    """Return the mode for subfolders of a shared folder, 0 if the folder is not shared."""
    mode = folder.stat().st_mode
    is_shared = sys.platform != "win32" and mode & _WRITE and not mode & stat.S_ISVTX
    return stat.S_IMODE(mode) if is_shared else 0


def _set_mode(path: Path, mode: int) -> None:
    """Set the mode of a file or folder without following links, if the file system supports modes."""
    if sys.platform == "win32":
        return
    with suppress(OSError):
        descriptor = os.open(path, os.O_RDONLY | _NO_LINK)
        try:
            os.fchmod(descriptor, mode)
        finally:
            os.close(descriptor)
