"""What the system refuses of the cache, each provoked: the error says what, where, and what helps."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import embedhub_text
import pytest
from children import PATIENCE, child
from users import MEMBER, OWNER, AsUser, only_root, other_users

import embedhub
from embedhub.cli import doctor
from embedhub.errors import OutputError, StoreError
from embedhub.registry import inventory as stores

pytestmark = pytest.mark.posix

USE = """
def attempt(what, action):
    try:
        print(what, action())
    except embedhub.errors.EmbedhubError as error:
        print(what, type(error).__name__, " ".join(str(error).split()))
attempt("remote", lambda: embedhub.load("glove-6b", 50))
attempt("package", lambda: embedhub.load("wordnet-ppmi", 25).words[0])
attempt("list", stores.list_stores)
attempt("downloads", stores.downloads)
attempt("leftovers", stores.incomplete)
attempt("doctor", lambda: [f"{f.name}: {f.value}: {f.advice}" for f in doctor.examine() if f.advice])
attempt("info", lambda: catalog.describe("glove-6b") and "described")
"""


@pytest.fixture(scope="module")
def as_user() -> Iterator[AsUser]:
    """Return a function that runs code as another user."""
    with other_users() as run:
        yield run


def closed(cache: Path) -> None:
    """Make a cache that only root may enter."""
    cache.mkdir(mode=0o700)


def unreadable(cache: Path) -> None:
    """Make a cache with a folder that only root may enter."""
    cache.mkdir()
    for name in ("vectors", "downloads", "locks"):
        (cache / name).mkdir(mode=0o700)


def not_to_enter(cache: Path) -> None:
    """Make a cache whose files can be listed, and no more."""
    embedhub.load("wordnet-ppmi", 25)
    for folder in (cache, cache / "vectors"):
        folder.chmod(0o744)


def dangling(cache: Path) -> None:
    """Make a link to nowhere."""
    cache.symlink_to(cache.with_name("nowhere"))


def a_file(cache: Path) -> None:
    """Make a file."""
    cache.touch()


def a_folder(cache: Path) -> None:
    """Make a folder that all may write to."""
    cache.mkdir()
    cache.chmod(0o777)


# How the cache is made, what is added to its name, the reason in each error, and what can be said of stores.
REFUSALS = {
    "closed": (closed, "", "Permission denied"),
    "unreadable": (unreadable, "", "Permission denied"),
    "not to enter": (not_to_enter, "", "Permission denied"),
    "dangling link": (dangling, "", "nowhere, which does not exist"),
    "file": (a_file, "", "it is not a folder"),
    "below a file": (a_file, "/cache", "not a "),
    "long name": (a_folder, "/" + 256 * "x", "File name too long"),
}


@pytest.mark.slow
@only_root
@pytest.mark.parametrize("name", REFUSALS)
def test_unusable_cache_is_named_with_its_reason(
    name: str, as_user: AsUser, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Loading, listing and doctor raise no other error; what is in the package is held in memory."""
    make, end, reason = REFUSALS[name]
    cache = open_folder / name.replace(" ", "-")
    monkeypatch.setenv("EMBEDHUB_CACHE", str(cache))
    make(cache)
    shown = as_user(OWNER, USE, Path(f"{cache}{end}")).splitlines()
    outcomes = dict(line.split(" ", 1) for line in shown)
    outcomes["remote"] = outcomes["remote"].replace("Not a", "not a")
    assert outcomes.keys() == {"remote", "package", "list", "downloads", "leftovers", "doctor", "info"}, shown
    assert outcomes["package"] == "the"
    assert reason in outcomes["remote"]
    assert str(cache) in outcomes["remote"]
    for kind in ("list", "downloads", "leftovers", "info"):
        assert outcomes[kind] in {"[]", "described"} or reason in outcomes[kind], outcomes[kind]
    assert reason in outcomes["doctor"] or "is not a folder" in outcomes["doctor"]
    if name in {"closed", "unreadable", "not to enter"}:
        assert reason in outcomes["list"]


def test_home_folder_of_an_unknown_user_is_named(tmp_path: Path) -> None:
    """An output below it is an OutputError."""
    with pytest.raises(OutputError, match=r"~nouser/x\.txt: there is no such user or home folder"):
        embedhub.export("wordnet-ppmi", 25, "~nouser/x.txt")
    with pytest.raises(OutputError, match="~nouser: there is no such user or home folder"):
        embedhub_text.TextEmbedder("wordnet-ppmi", 25, pooling="idf").fit(["a cat"], folder="~nouser")


# ---- Full disks


@pytest.fixture
def mount(tmp_path: Path) -> Iterator[Callable[[str], Path]]:
    """Return a function that mounts a small disk with these options."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def small(options: str) -> Path:
        command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE)
        except (FileNotFoundError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no disk can be mounted here: {error}")
        return folder

    yield small
    umount = shutil.which("umount") or "umount"
    subprocess.run([umount, "--lazy", str(folder)], check=False, capture_output=True, timeout=PATIENCE)


@pytest.mark.linux
@pytest.mark.parametrize("inodes", range(2, 10))
def test_disk_without_inodes_is_named(
    inodes: int, mount: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever they end, the error is that of the disk, and nothing incomplete is left."""
    cache = mount(f"size=64m,nr_inodes={inodes}") / "cache"
    monkeypatch.setenv("EMBEDHUB_CACHE", str(cache))
    mine = tmp_path / "mine.txt"
    mine.write_bytes(b"rain 1 2\nsnow 3 4\n")
    with pytest.raises(StoreError, match=r"No space left on device.* or has no inodes left"):
        embedhub.load(mine)
    assert [path for path in cache.glob("vectors/*/*") if path.name[0] != "."] == []
    assert not stores.incomplete()


@pytest.mark.linux
def test_doctor_finds_a_full_disk(mount: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder in which an empty file can be made, but no byte be written, is not writable."""
    disk = mount("size=1m")
    monkeypatch.setenv("EMBEDHUB_CACHE", str(disk / "cache"))
    (disk / "cache").mkdir()
    with (disk / "full").open("wb", buffering=0) as file:
        os.posix_fallocate(file.fileno(), 0, shutil.disk_usage(disk).free)
    findings = {finding.name: finding for finding in doctor.examine() if finding.topic == "cache"}
    assert findings["writable"].value == f"no ({disk / 'cache'}: No space left on device)"
    assert findings["writable"].advice


@only_root
@pytest.mark.parametrize("name", ["vectors", "vectors/wordnet-ppmi-5ed04421", "locks"])
def test_doctor_finds_a_folder_that_is_not_writable(
    name: str, as_user: AsUser, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cache folder itself may be writable, and a folder in it not."""
    cache = open_folder / name.replace("/", "-")
    monkeypatch.setenv("EMBEDHUB_CACHE", str(cache))
    embedhub.load("wordnet-ppmi", 25)
    for path in (cache, *cache.rglob("*")):
        if path != cache / name:
            os.chown(path, OWNER, -1)
    assert (cache / name).is_dir()
    shown = as_user(OWNER, "print([f.value for f in doctor.examine() if f.name == 'writable'])", cache)
    assert shown.startswith("['no ("), shown
    assert f"{cache / name}" in shown


NO_LOCKS = """
import errno, fcntl
def flock(descriptor, operation):
    raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))
fcntl.flock = flock  # as of a file system of a network whose server does not support locks
"""


@only_root
def test_file_system_without_locks_is_named(as_user: AsUser, open_folder: Path) -> None:
    """The error names the lock, and not the rights of the user; doctor finds it."""
    cache = open_folder / "unlocked"
    cache.mkdir()
    os.chown(cache, OWNER, -1)
    shown = as_user(OWNER, NO_LOCKS + USE, cache)
    assert "this lock cannot be taken (No locks available). Its file system does not support locks." in shown
    assert "read-only" not in shown
    assert "writable: no (" in shown


# ---- Errors of the system are not damages


LIMITS = {
    "Too many open files": """
import resource
free = os.dup(0)
os.close(free)
resource.setrlimit(resource.RLIMIT_NOFILE, (free, free))
""",
    "Cannot allocate memory": """
import re, resource
used = 1024 * int(re.search(r"VmSize:\\s+(\\d+)", open("/proc/self/status").read())[1])
resource.setrlimit(resource.RLIMIT_AS, (used + (4 << 20),) * 2)
""",
}
STORE = """
import sys
import embedhub
from embedhub.registry import inventory as stores
from embedhub.cli import cache, doctor
embedhub.load("wordnet-ppmi", 25)
found = stores.list_stores()
"""
TRY = """
try: print(embedhub.load("wordnet-ppmi", 25))
except Exception as error: print(type(error).__name__, error)
"""
VERIFY = """
for store, damages in stores.verify(found).items():
    print([(str(damage), damage.is_refusal) for damage in damages])
    try: stores.repair(store, damages)
    except Exception as error: print(type(error).__name__, error)
"""


@pytest.mark.linux
@pytest.mark.parametrize("reason", LIMITS)
def test_limit_of_a_process_is_not_a_damage(reason: str, cache: Path) -> None:
    """A store that cannot be read for want of descriptors or memory is not called damaged, or built again."""
    code = f"import os\n{STORE}{LIMITS[reason]}{TRY}"
    if reason.startswith("Too"):
        code += VERIFY
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("StoreError"), done.stdout
    assert reason in done.stdout
    assert "is damaged" not in done.stdout.replace("Whether this store is damaged is unknown", "")
    if reason.startswith("Too"):
        assert "('matrix.npy cannot be read (Too many open files)', True)" in done.stdout
        assert "Whether this store is damaged is unknown, and nothing was changed" in done.stdout
    assert embedhub.load("wordnet-ppmi", 25).words[0] == "the"
    assert not any(stores.verify(stores.list_stores()).values())


@only_root
def test_store_of_another_user_is_unreadable_and_not_damaged(
    as_user: AsUser, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`verify`, `repair` and `doctor` say that the system refuses to read it."""
    cache = open_folder / "theirs"
    monkeypatch.setenv("EMBEDHUB_CACHE", str(cache))
    embedhub.load("wordnet-ppmi", 25)
    (store,) = stores.list_stores()
    (store.folder / "words.utf8").chmod(0o600)
    shown = as_user(MEMBER, "found = stores.list_stores()\n" + VERIFY, cache)
    assert "[('words.utf8 cannot be read (Permission denied)', True)]\nStoreError" in shown
    shown = as_user(MEMBER, "print([f for f in doctor.examine() if f.name == 'wordnet-ppmi 25d'])", cache)
    assert "this file of the store cannot be read (Permission denied)" in shown
    assert "repair" not in shown
    shown = as_user(MEMBER, "embedhub.load('wordnet-ppmi', 25)", cache)
    assert shown.startswith("StoreError"), shown
    assert "damaged" not in shown


# ---- Other processes


SCRIPT = """
import sys, warnings
warnings.simplefilter("error")
import embedhub
print(embedhub.load("wordnet-ppmi", 25).words.index("music"), file=sys.stderr)
"""


@pytest.mark.slow
@pytest.mark.parametrize("at", ["open *manifest.json 1", "open *matrix.npy 1", "open *rows.npy 1"])
@pytest.mark.parametrize("replaced", [True, False])
def test_store_that_vanishes_while_it_is_opened_is_looked_for_again(
    at: str, replaced: bool, tmp_path: Path, cache: Path
) -> None:
    """It was removed or replaced in between: no warning, and the right vectors."""
    (tmp_path / "load.py").write_text(SCRIPT, "utf-8")
    embedhub.load("wordnet-ppmi", 25)
    with child(tmp_path / "load.py", at=at) as process:
        (store,) = stores.list_stores()
        if replaced:
            stores.repair(store, [stores.Damage("")])
        else:
            stores.remove(store)
        _, shown = process.communicate("", timeout=PATIENCE)
    assert (process.returncode, shown) == (0, "253\n")


def test_store_that_is_removed_is_not_verified(cache: Path) -> None:
    """What is gone when `verify` comes to it is skipped."""
    embedhub.load("wordnet-ppmi", 25)
    found = stores.list_stores()
    stores.remove(found[0])
    assert stores.verify(found) == {}


def test_store_that_is_replaced_is_verified_again(cache: Path) -> None:
    """Between the listing and the reading its files may have become others."""
    embedhub.load("wordnet-ppmi", 25)
    (found,) = stores.list_stores()
    content = (found.folder / "manifest.json").read_bytes()
    (found.folder / "manifest.json").write_bytes(b"")
    (empty,) = stores.list_stores()
    (found.folder / "manifest.json").write_bytes(content)
    assert stores.verify([empty]) == {empty: []}
