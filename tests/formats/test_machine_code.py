"""Machine code is kept where only its user can write, and what is damaged is compiled again."""

import importlib.util
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from embedhub.formats._machine_code import is_private, jit


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder for machine code, empty and private, below one more."""
    folder = tmp_path / "above" / "compiled"
    folder.mkdir(parents=True)
    folder.chmod(0o700)
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[[], Any]:
    """Return a function that compiles another one as a new process would, and calls it."""
    path = tmp_path / "arithmetic.py"
    path.write_text("def increment(x):\n    return x + 1\n", "utf-8")
    os.utime(path, (0, 0))

    def compiled() -> Any:
        spec = importlib.util.spec_from_file_location("arithmetic", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        increment = jit(module.increment)
        assert increment(1) == 2
        return increment

    return compiled


def files(folder: Path) -> list[Path]:
    """Return the files of machine code, and their index."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def test_code_is_compiled_once(folder: Path, compiled: Callable[[], Any]) -> None:
    """The second process loads what the first one has compiled, from a folder that only its user can read."""
    assert sum(compiled().stats.cache_misses.values()) == 1
    assert sum(compiled().stats.cache_hits.values()) == 1
    assert len(files(folder)) == 2


@pytest.mark.posix
def test_folder_is_made_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compiled: Any) -> None:
    """Whatever the umask is, no one else can enter it."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "new"))
    before = os.umask(0)
    try:
        compiled()
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o700
    assert files(tmp_path / "new")


@pytest.mark.posix
@pytest.mark.parametrize(("which", "mode"), [("", 0o777), ("", 0o702), ("..", 0o777), ("..", 0o757)])
def test_folder_that_others_can_write_to_is_not_used(
    which: str, mode: int, folder: Path, compiled: Callable[[], Any]
) -> None:
    """Nothing is read from it: a planted file would be unpickled. The function works all the same."""
    compiled()
    planted = pickle.dumps(Planted())
    for path in files(folder):
        path.write_bytes(planted)
    (folder / which).chmod(mode)
    assert not is_private(folder)
    compiled()
    assert not Planted.ran
    assert all(path.read_bytes() == planted for path in files(folder))


class Planted:
    """An object that runs code when it is unpickled."""

    ran = False

    def __reduce__(self) -> Any:
        return _run, ()


def _run() -> None:
    Planted.ran = True


def test_planted_file_would_run() -> None:
    """The object of these tests does what an attacker would do."""
    pickle.loads(pickle.dumps(Planted()))  # noqa: S301 - its own bytes
    assert Planted.ran
    Planted.ran = False


@pytest.mark.posix
def test_folder_of_another_user_is_not_used(folder: Path) -> None:
    """Its owner could write to it, and so could that of a folder above it."""
    if os.getuid() != 0:
        pytest.skip("only root gives a folder to another user")
    assert is_private(folder)
    for path in (folder, folder.parent):
        os.chown(path, 12345, -1)
        assert not is_private(folder)
        os.chown(path, 0, -1)


@pytest.mark.posix
def test_sticky_folder_above_is_private_enough(folder: Path) -> None:
    """In /tmp everyone can write, but only its owner can move a folder."""
    folder.parent.chmod(0o1777)
    assert is_private(folder)


@pytest.mark.posix
def test_link_is_followed_before_it_is_judged(folder: Path, tmp_path: Path) -> None:
    """What counts is the folder that a link names."""
    link = tmp_path / "link"
    link.symlink_to(folder)
    assert is_private(link)
    folder.chmod(0o777)
    assert not is_private(link)


def test_missing_folder_is_not_private(tmp_path: Path) -> None:
    """One that could not be made is not used."""
    assert not is_private(tmp_path / "missing")


@pytest.mark.parametrize("damage", [b"", b"\x80", b"\x80\x04garbage", bytes(100)])
def test_damaged_code_is_compiled_again(damage: bytes, folder: Path, compiled: Callable[[], Any]) -> None:
    """After a power cut or a full disk the function works, and the files are whole again."""
    compiled()
    for path in files(folder):
        path.write_bytes(damage)
    compiled()
    assert sum(compiled().stats.cache_hits.values()) == 1
    for path in files(folder):
        if path.suffix == ".nbc":
            path.write_bytes(damage)
    compiled()
    assert sum(compiled().stats.cache_hits.values()) == 1


def test_code_that_cannot_be_written_is_used(folder: Path, compiled: Callable[[], Any]) -> None:
    """A folder in which a file stands in the way of Numba's stops nothing."""
    compiled()
    for path in files(folder):
        path.unlink()
        path.mkdir()
    compiled()


def test_function_in_no_file_is_compiled(folder: Path) -> None:
    """A function whose machine code Numba cannot keep is compiled all the same."""
    namespace: dict[str, Any] = {}
    exec("def increment(x): return x + 1", namespace)  # noqa: S102 - a function without a file
    assert jit(namespace["increment"])(1) == 2
    assert not files(folder)
