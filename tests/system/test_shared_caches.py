"""Caches that several users share: who can read, write, hold and follow what. `SECURITY.md` has the table."""

import hashlib
import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from children import PATIENCE, child
from remote import HOST
from users import GROUP, MEMBER, OWNER, STRANGER, AsUser, only_root, other_users

import embedhub
from embedhub import _atomic, _cache_files
from embedhub import _cache as cache_folder
from embedhub.errors import StoreError

pytestmark = pytest.mark.posix

LOAD = "print(embedhub.load('wordnet-ppmi', 25).words[0])\n"
REMOVE = "[stores.remove(store) for store in stores.list_stores()]\n"
DAMAGE = "next(_cache.entries(store.folder)[0].unlink() for store in stores.list_stores())\n"
TEXT = b"rain 1 2\nsnow 3 4\n"


@pytest.fixture(scope="module")
def as_user() -> Iterator[AsUser]:
    """Return a function that runs code as another user."""
    with other_users() as run:
        yield run


def modes(cache: Path) -> dict[str, int]:
    """Return the modes of all files and folders below a cache."""
    return {
        str(path.relative_to(cache)): stat.S_IMODE(path.lstat().st_mode) for path in sorted(cache.rglob("*"))
    }


@pytest.fixture
def cache(open_folder: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of a cache whose parents all users may enter."""
    folder = open_folder / f"{abs(hash(request.node.name))}"
    monkeypatch.setenv("EMBEDHUB_CACHE", str(folder))
    return folder


@pytest.fixture
def group_cache(cache: Path) -> Path:
    """Make a cache for a group."""
    cache.mkdir()
    os.chown(cache, 0, GROUP)
    cache.chmod(0o2770)
    return cache


# ---- Modes


@pytest.mark.parametrize("umask", [0o022, 0o077])
def test_cache_of_one_user_follows_the_umask(cache: Path, umask: int) -> None:
    """Files and folders have the modes that the umask gives; locks are the owner's alone."""
    before = os.umask(umask)
    try:
        embedhub.load("wordnet-ppmi", 25)
        assert os.umask(umask) == umask
    finally:
        os.umask(before)
    for name, mode in modes(cache).items():
        if name.endswith(".lock"):
            assert mode == 0o600
        else:
            assert mode == (0o777 if (cache / name).is_dir() else 0o666) & ~umask, name


def test_cache_of_a_group_is_open_to_the_group(group_cache: Path) -> None:
    """Whatever the umask: folders can be written by the group, files of a store only read, locks be taken."""
    before = os.umask(0o077)
    try:
        embedhub.load("wordnet-ppmi", 25)
        _atomic.publish_text(group_cache / "hashes" / "some", "")
        _atomic.publish_text(group_cache / "hashes" / "private", "", private=True)
        with _cache_files.create(cache_folder.ensure_folder(cache_folder.downloads_folder()) / "some.part"):
            pass
    finally:
        os.umask(before)
    for name, mode in modes(group_cache).items():
        path = group_cache / name
        assert path.stat().st_gid == GROUP
        if path.is_dir():
            assert mode == 0o2770, name
        else:
            expected = {"vectors": 0o640, "hashes/private": 0o600}
            assert mode == expected.get(name, expected.get(name.split("/", maxsplit=1)[0], 0o660)), name


def test_sticky_folder_keeps_its_write_access(cache: Path) -> None:
    """In a folder such as /tmp the umask decides."""
    cache.mkdir()
    cache.chmod(0o1777)
    embedhub.load("wordnet-ppmi", 25)
    assert not any(mode & 0o022 for mode in modes(cache).values())


def test_unfinished_store_is_private(group_cache: Path) -> None:
    """No one else can put a link into a store that is being written."""
    with _atomic.publish(cache_folder.ensure_folder(group_cache / "vectors") / "some") as temporary:
        assert stat.S_IMODE(temporary.stat().st_mode) & 0o777 == 0o700


def test_umask_is_never_changed() -> None:
    """No module calls os.umask, which would change the files of all threads."""
    for folder in (Path(embedhub.__file__).parent, Path(sys.modules["embedhub_text"].__file__ or "").parent):
        for path in folder.rglob("*.py"):
            assert "os.umask" not in path.read_text("utf-8"), path


# ---- The store of a private file


@pytest.mark.slow
@only_root
@pytest.mark.parametrize(
    ("mode", "above", "expected"),
    [(0o644, 0o755, 0o640), (0o640, 0o755, 0o640), (0o600, 0o755, 0o600), (0o644, 0o700, 0o600)],
)
def test_store_is_no_more_open_than_its_file(
    as_user: AsUser, group_cache: Path, open_folder: Path, mode: int, above: int, expected: int
) -> None:
    """Who cannot read the file, by its mode or a folder above it, cannot read its store or its record."""
    mine = open_folder / f"{mode:o}-{above:o}" / "mine.txt"
    mine.parent.mkdir()
    mine.write_bytes(TEXT)
    os.utime(mine, (0, 0))
    for path, bits in ((mine, mode), (mine.parent, above)):
        os.chown(path, OWNER, GROUP)
        path.chmod(bits)
    load = f"print(embedhub.load({str(mine)!r}).words[0])\n"
    assert as_user(OWNER, load, group_cache) == "rain\n"
    for folder in (group_cache / "vectors").glob("*/*"):
        assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {expected}
        assert (stat.S_IMODE(folder.stat().st_mode) & 0o777 == 0o700) is (expected == 0o600)
    shown = as_user(MEMBER, "print(open(stores.list_stores()[0].folder / 'words.utf8').read())", group_cache)
    assert shown.startswith("rain") is (expected != 0o600), shown


# ---- What one user can do to another


@pytest.mark.slow
@only_root
def test_members_of_a_group_repair_and_remove_stores(as_user: AsUser, group_cache: Path) -> None:
    """Two users with a private umask share downloads, stores and locks."""
    for first, second in ((OWNER, MEMBER), (MEMBER, OWNER)):
        assert as_user(first, LOAD, group_cache, umask=0o077) == "the\n"
        assert as_user(second, LOAD.replace("25", "50"), group_cache, umask=0o077) == "the\n"
        assert as_user(second, DAMAGE + LOAD, group_cache, umask=0o077) == "the\n"
        assert as_user(first, LOAD + REMOVE + "print(stores.list_stores())", group_cache) == "the\n[]\n"


@only_root
def test_others_cannot_use_the_cache_of_a_group(as_user: AsUser, group_cache: Path) -> None:
    """A store that they cannot read is not said to be damaged; what is in the package is held in memory."""
    as_user(OWNER, LOAD, group_cache)
    assert as_user(STRANGER, LOAD, group_cache) == "the\n"
    shown = as_user(STRANGER, "embedhub.load('glove-6b', 50)", group_cache)
    assert "cannot be read (Permission denied)" in shown
    assert "damaged" not in shown


@only_root
def test_cache_of_root_is_read_by_all_and_written_by_root(as_user: AsUser, cache: Path) -> None:
    """Others open its stores; they cannot build, remove, or hold a lock."""
    embedhub.load("wordnet-ppmi", 25)
    assert as_user(STRANGER, LOAD, cache) == "the\n"
    assert "this lock cannot be taken (Permission denied)" in as_user(STRANGER, REMOVE, cache)
    for lock in (cache / "locks").iterdir():
        shown = as_user(STRANGER, f"fcntl.flock(os.open({str(lock)!r}, os.O_RDONLY), fcntl.LOCK_EX)", cache)
        assert shown.startswith("PermissionError"), shown
    shown = as_user(STRANGER, "embedhub.load('glove-6b', 50)", cache)
    assert "this lock cannot be taken (Permission denied)" in shown


@only_root
def test_links_of_others_are_not_followed(
    as_user: AsUser, group_cache: Path, open_folder: Path, tmp_path: Path
) -> None:
    """A link in the place of a part, a note, a hash, a leftover or a folder changes nothing elsewhere."""
    letter = open_folder / "letter"
    letter.write_text("dear", "utf-8")
    os.chown(letter, OWNER, GROUP)
    letter.chmod(0o660)  # a file that the member may link, too
    mirror = open_folder / "mirror" / HOST
    mirror.mkdir(parents=True)
    (mirror / "some.txt").write_bytes(TEXT)
    place = hashlib.sha256(str(mirror / "some.txt").encode()).hexdigest()[:8]
    part = group_cache / "downloads" / HOST / f"some.txt.{place}.part"
    fetch = f"""
file = RemoteFile(url="https://{HOST}/some.txt", format="glove")
print(fetch_first([file], label="some").path.read_bytes())
"""
    for how in ("symlink", "link"):
        plant = f"_cache.ensure_folder(_cache.downloads_folder() / {HOST!r})\n"
        for name in (str(part), f"{part}.json"):
            plant += f"os.{how}({str(letter)!r}, {name!r})\n"
        assert as_user(MEMBER, plant, group_cache) == ""
        shown = as_user(OWNER, fetch, group_cache, EMBEDHUB_MIRROR=str(mirror.parent))
        assert shown == f"{TEXT!r}\n"
        assert letter.read_text("utf-8") == "dear"
        (group_cache / "downloads" / HOST / "some.txt").unlink()


@only_root
def test_linked_folder_of_another_user_is_refused(
    as_user: AsUser, group_cache: Path, open_folder: Path
) -> None:
    """Nothing is written through such a link; one of the owner of the cache is followed."""
    elsewhere = open_folder / "elsewhere"
    elsewhere.mkdir()
    elsewhere.chmod(0o777)
    for user, expected in ((MEMBER, f"it is a link that user {MEMBER} has made"), (0, "")):
        (group_cache / "hashes").symlink_to(elsewhere)
        os.lchown(group_cache / "hashes", user, GROUP)
        shown = as_user(
            OWNER, "_atomic.publish_text(_cache.settings.cache_folder() / 'hashes' / 'some', '')", group_cache
        )
        assert expected in shown
        assert bool(list(elsewhere.iterdir())) is not bool(expected)
        (group_cache / "hashes").unlink()


def test_small_file_is_not_written_through_a_link(cache: Path, tmp_path: Path) -> None:
    """A link in the place of its temporary file, or of itself, is replaced and not followed."""
    letter = tmp_path / "letter"
    letter.write_text("dear", "utf-8")
    (cache / "hashes").mkdir(parents=True)
    (cache / "hashes" / f"some.{os.getpid()}.tmp").symlink_to(letter)
    (cache / "hashes" / "some").symlink_to(letter)
    _atomic.publish_text(cache / "hashes" / "some", "1")
    assert letter.read_text("utf-8") == "dear"
    assert not (cache / "hashes" / "some").is_symlink()


def test_lock_is_not_taken_through_a_link(cache: Path, tmp_path: Path) -> None:
    """The file that a link names is not opened, which would empty it."""
    letter = tmp_path / "letter"
    letter.write_text("dear", "utf-8")
    (cache / "locks").mkdir(parents=True)
    (cache / "locks" / "some.lock").symlink_to(letter)
    with (
        pytest.raises(StoreError, match=r"some\.lock: this lock cannot be taken"),
        cache_folder.lock("some", ""),
    ):
        pass
    assert letter.read_text("utf-8") == "dear"


# ---- Waiting for a lock


HOLD = """
import sys
from embedhub import _cache
with _cache.lock("some", "busy"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.slow
def test_long_wait_for_a_lock_is_logged(
    cache: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a terminal, and with progress hidden, a warning names the lock; by default after a minute."""
    assert cache_folder._PATIENT_WAIT == 60  # noqa: SLF001 - the limit itself is too long for a test
    monkeypatch.setattr(cache_folder, "_PATIENT_WAIT", 0.1)
    with child(sys.executable, "-c", HOLD) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        caplog.handler.addFilter(lambda _: bool(process.communicate("", timeout=PATIENCE)) or True)
        with cache_folder.lock("some", "building some 2d"):
            pass
    warned = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    lock = cache / "locks" / "some.lock"
    assert warned == [
        f"Still waiting for another process or thread that is building some 2d. It holds {lock}."
    ]
