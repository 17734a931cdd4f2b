"""Files and folders of the cache, where others may have put links. With real users: test_shared_caches.py."""

import os
from pathlib import Path

import pytest
from users import OWNER, only_root

from embedhub._cache_files import make_folder, reopen


def test_file_with_two_names_is_not_changed(tmp_path: Path) -> None:
    """A hard link may be to a file elsewhere."""
    (tmp_path / "elsewhere").write_text("theirs", "utf-8")
    (tmp_path / "file").hardlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="the file has another name too"):
        reopen(tmp_path / "file")
    (tmp_path / "elsewhere").unlink()
    with reopen(tmp_path / "file") as file:
        assert file.read() == b"theirs"


@pytest.mark.posix
def test_folder_may_be_a_link_of_ones_own(tmp_path: Path) -> None:
    """A cache may have its stores on another disk; a link to nowhere is named."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "vectors").symlink_to(tmp_path / "disk")
    make_folder(tmp_path / "cache" / "vectors" / "tiny", tmp_path / "cache")
    assert (tmp_path / "disk" / "tiny").is_dir()
    (tmp_path / "disk" / "tiny").rmdir()
    (tmp_path / "disk").rmdir()
    with pytest.raises(FileNotFoundError, match=r"it is a link to .*disk, which does not exist"):
        make_folder(tmp_path / "cache" / "vectors" / "tiny", tmp_path / "cache")


@only_root
def test_folder_is_no_link_of_another_user(tmp_path: Path) -> None:
    """What another user has linked into the cache is refused."""
    (tmp_path / "theirs").mkdir()
    (tmp_path / "cache").mkdir()
    link = tmp_path / "cache" / "vectors"
    link.symlink_to(tmp_path / "theirs")
    os.lchown(link, OWNER, OWNER)
    with pytest.raises(PermissionError, match=f"it is a link that user {OWNER} has made"):
        make_folder(link / "tiny", tmp_path / "cache")
