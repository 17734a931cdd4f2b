"""Windows and macOS: what these systems do otherwise than Linux, as far as Linux can provoke it."""

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path, PureWindowsPath
from typing import Any

import embedhub_text
import numpy as np
import pytest
import writers
from children import PATIENCE
from command import run
from remote import source_of
from systems import refuse_what_is_open, run_while_held

import embedhub
from embedhub import RemoteFile, RemoteSource
from embedhub._compression import split_member
from embedhub._names import folder_name, is_reserved_on_windows
from embedhub.errors import OutputError, StoreError
from embedhub.registry import handle
from embedhub.registry import inventory as stores
from embedhub.registry import local_file as local

ROOT = Path(__file__).parents[2]
ATTRIBUTES = ROOT / ".gitattributes"
GIT = shutil.which("git")
MODULES = sorted(Path(embedhub.__file__).parent.rglob("*.py"))
SOURCE = ("wordnet-ppmi", 25)
WORDS = ["the", "cat", "sat"]
ROWS = np.arange(6, dtype=np.float32).reshape(3, 2)
CLOSE = "close the programs that have it open"


@pytest.fixture
def store(cache: Path) -> Path:
    """Build a store, and return its folder."""
    embedhub.load(*SOURCE)
    (folder,) = (cache / "vectors" / folder_name(SOURCE[0])).iterdir()
    return folder


@pytest.fixture
def strict(monkeypatch: pytest.MonkeyPatch) -> None:
    """Refuse to rename or remove a file that this process has open or mapped: a stand-in for Windows."""
    refuse_what_is_open(monkeypatch)


def contents(folder: Path) -> dict[str, bytes]:
    """Return the bytes of all files below a folder."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def a_source(name: str = "mine", url: str = "https://example.org/mine", form: str = "glove") -> RemoteSource:
    """Return a source of that name, of the file at an address."""
    return source_of(RemoteFile(url=url, format=form), name=name)


def put_into(mirror: Path, name: str, data: bytes) -> None:
    """Put a file of example.org into a mirror."""
    (mirror / "example.org").mkdir(parents=True, exist_ok=True)
    (mirror / "example.org" / name).write_bytes(data)


# ---- Files in use


@pytest.mark.slow
@pytest.mark.linux
@pytest.mark.parametrize(
    ("action", "refused"),
    [
        ("stores.remove(stores.list_stores()[0])", "this folder cannot be removed"),
        ("stores.repair(stores.list_stores()[0], [stores.Damage('')])", "the finished folder"),
    ],
)
def test_store_in_use_is_not_changed(store: Path, cache: Path, action: str, refused: str) -> None:
    """Where the system refuses to rename a store, the error says what to close; the store is unchanged."""
    before = contents(store)
    code = (
        "import embedhub\nfrom embedhub.registry import inventory as stores\n"
        f"try: {action}\nexcept OSError as error: print(error)"
    )
    done = run_while_held(store, code)
    assert done.stdout.startswith(f"{store}: {refused}"), done.stderr
    assert CLOSE in done.stdout
    assert contents(store) == before
    assert not stores.incomplete()


@pytest.mark.slow
@pytest.mark.linux
def test_cache_command_reports_a_store_in_use(store: Path) -> None:
    """`cache remove` and `cache repair` print that error, without a traceback, with exit code 1."""
    data = bytearray((store / "hashes.npy").read_bytes())
    data[-1] ^= 1
    (store / "hashes.npy").write_bytes(data)
    for arguments in (["remove", "--all", "--yes"], ["repair"]):
        code = (
            f"import sys; sys.argv = ['embedhub', 'cache', *{arguments}]; import embedhub.cli as c; c.main()"
        )
        done = run_while_held(store, code)
        assert done.returncode == 1
        assert CLOSE in done.stdout + done.stderr
        assert "Traceback" not in done.stderr


PUBLISH = """
import pathlib, subprocess, sys
from embedhub import _atomic
from embedhub.errors import StoreError
pauses = []
def pause(seconds):
    pauses.append(seconds)
    if {briefly} and len(pauses) == 2:
        subprocess.run(["umount", fresh], check=True)
_atomic.time.sleep = pause
folder = pathlib.Path({folder!r})
held = pathlib.Path({held!r})
with _atomic.publish(folder) as fresh:
    (fresh / "file").touch()
    subprocess.run(["mount", "--bind", fresh, fresh], check=True)
"""


@pytest.mark.linux
@pytest.mark.parametrize("briefly", [True, False])
def test_publishing_waits_for_a_file_in_use(tmp_path: Path, briefly: bool) -> None:
    """A program that opens a new file, such as a virus scanner, is waited for in five pauses."""
    folder = tmp_path / "in" / "folder"
    (tmp_path / "held").mkdir()
    code = PUBLISH.format(folder=str(folder), held=str(tmp_path / "held"), briefly=briefly)
    done = run_while_held(tmp_path / "held", code)
    assert (folder / "file").exists() is briefly
    assert (done.returncode == 0) is briefly, done.stderr
    assert briefly or f"StoreError: {folder}: the finished folder" in done.stderr
    assert briefly or CLOSE in done.stderr


@pytest.mark.slow
@pytest.mark.linux
@pytest.mark.parametrize("name", ["out.bin", "out"])
def test_output_in_use_is_not_changed(tmp_path: Path, make_vectors: Callable[..., Any], name: str) -> None:
    """A file or folder that another program has open keeps its content."""
    out = tmp_path / name
    form: Any = None if out.suffix else "projector"
    embedhub.export(make_vectors(WORDS), None, out, format=form)
    before = contents(tmp_path)
    code = (
        "import embedhub\n"
        f"try: embedhub.export({SOURCE[0]!r}, {SOURCE[1]}, {str(out)!r}, format={form!r}, overwrite=True)\n"
        "except embedhub.errors.OutputError as error: print(error)"
    )
    done = run_while_held(out, code)
    assert f"{out}: it could not be written (" in done.stdout, done.stderr
    assert CLOSE in done.stdout
    assert {name: data for name, data in contents(tmp_path).items() if "cache" not in name} == before


@pytest.mark.linux
def test_released_store_is_repaired_and_removed(store: Path, strict: None) -> None:
    """A store that was opened and released is repaired and removed in the same process."""
    before = contents(store)
    assert len(embedhub.load(*SOURCE)) == 78_781
    (store / "rows.npy").write_bytes(b"")
    for damaged, faults in stores.verify(stores.list_stores()).items():
        stores.repair(damaged, faults)
    after = contents(store)
    assert after.keys() == before.keys()
    assert after["matrix.npy"] == before["matrix.npy"]
    embedhub.load(*SOURCE)
    for entry in stores.list_stores():
        stores.remove(entry)
    assert not store.exists()


@pytest.mark.slow
@pytest.mark.linux
def test_referenced_vectors_block_removal(store: Path, strict: None) -> None:
    """Removing a store whose vectors are referenced is an error, and the vectors go on working."""
    vectors = embedhub.load(*SOURCE)
    before = contents(store)
    (entry,) = stores.list_stores()
    with pytest.raises(StoreError, match=f"Access is denied; {CLOSE}"):
        stores.remove(entry)
    with pytest.raises(StoreError, match=CLOSE):
        stores.repair(entry, [stores.Damage("")])
    assert contents(store) == before
    assert not stores.incomplete()
    assert vectors["music"].any()
    del vectors
    stores.remove(entry)
    assert not store.exists()


FILES = {
    "glove": (writers.glove(WORDS, ROWS), "glove"),
    "duplicates": (writers.glove(["the", *WORDS], np.vstack([ROWS[:1], ROWS])), "glove"),
    "fastText": (writers.fasttext_bin(WORDS, ROWS, ROWS), "fasttext"),
}


@pytest.mark.linux
@pytest.mark.filterwarnings("ignore::embedhub.errors.UnverifiedWarning")
@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("keep", ["0", "1"])
def test_build_closes_files_before_renaming(
    name: str, keep: str, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strict: None
) -> None:
    """Download, two builds, and the user's own file that is removed: all files are closed in time."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("EMBEDHUB_KEEP_DOWNLOADS", keep)
    data, format_name = FILES[name]
    put_into(tmp_path / "mirror", "mine", data)
    source = a_source(form=format_name)
    for _ in range(2):
        assert list(source.vectors(2)) == WORDS
        for entry in stores.list_stores("mine"):
            stores.remove(entry)
    assert sum(path.is_file() for path in (cache / "downloads").rglob("*")) == int(keep)
    (tmp_path / "own").write_bytes(data)
    assert list(embedhub.load(tmp_path / "own")) == WORDS
    (tmp_path / "own").unlink()
    assert not stores.incomplete()


@pytest.mark.linux
@pytest.mark.filterwarnings("ignore::embedhub.errors.UnverifiedWarning")
def test_failed_build_raises_the_error_of_its_reader(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, strict: None
) -> None:
    """A reader that fails with the file mapped does not turn its FormatError into a refused removal."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path))
    bad = ROWS.copy()
    bad[2, 1] = np.nan
    put_into(tmp_path, "mine", writers.fasttext_bin(WORDS, bad, ROWS))
    with pytest.raises(embedhub.FormatError, match="not finite"):
        a_source(form="fasttext").vectors(2)


@pytest.mark.linux
@pytest.mark.parametrize("name", ["out.npy", "out.parquet"])
def test_embed_file_closes_parts_before_removal(tmp_path: Path, name: str, strict: None) -> None:
    """The parts of a run are unmapped before they are removed; an existing output is replaced."""
    (tmp_path / "in.txt").write_text("a cat\na dog\nrain\n", "utf-8")
    for _ in range(2):
        embedhub_text.embed_file(*SOURCE, tmp_path / "in.txt", tmp_path / name, batch_size=1, overwrite=True)
    assert not (tmp_path / f"{name}.partial").exists()


def test_embed_file_reports_a_blocked_folder(tmp_path: Path) -> None:
    """A file in the place of the folder of parts is an error of embedhub, which names it."""
    (tmp_path / "in.txt").write_text("a cat\n", "utf-8")
    (tmp_path / "out.npy.partial").touch()
    with pytest.raises(OutputError, match=r"out\.npy\.partial: expected a folder of parts"):
        embedhub_text.embed_file(*SOURCE, tmp_path / "in.txt", tmp_path / "out.npy")


@pytest.mark.linux
@pytest.mark.parametrize("name", ["out.npz", "out.safetensors", "out.txt", "out.bin", "out"])
def test_export_closes_files_before_replacing(
    tmp_path: Path, name: str, make_vectors: Callable[..., Any], strict: None
) -> None:
    """Each format is written, and written again in its place."""
    form: Any = "projector" if name == "out" else None
    for words in (WORDS, WORDS[:2]):
        embedhub.export(make_vectors(words), None, tmp_path / name, format=form, overwrite=True)
    assert sorted(path.name for path in tmp_path.iterdir() if not path.name.startswith("out")) == []


# ---- Names and paths


@pytest.mark.parametrize("name", ["con", "nul", "aux.2", "com1", "lpt9.x.y"])
def test_device_name_of_windows_is_no_folder(name: str, tmp_path: Path) -> None:
    """A source and a file of the user may have the name of a device: their folders have others."""
    (tmp_path / name).write_bytes(writers.glove(WORDS, ROWS))
    vectors = embedhub.load(tmp_path / name)
    for source in (vectors.name, a_source(name).name):
        assert not is_reserved_on_windows(folder_name(source))


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/" + 300 * "x",
        "https://example.org/a:b<c>|d*.bin?e=f",
        "https://example.org/dots...",
        "https://example.org/nul",
        "https://example.org/nul/mine.txt",
    ],
)
def test_download_names_are_legal_on_every_system(url: str) -> None:
    """Whatever the URL, a download, its part, its note and its lock have short, harmless names."""
    file = RemoteFile(url=url)
    for name in (file.cache_name.removeprefix("example.org/"), file.lock_name.removeprefix("fetch-")):
        assert re.fullmatch(r"[0-9a-f]{12}-[A-Za-z0-9._-]*", name)
        assert not name.endswith(".")
        assert len(f"fetch-{name}.01234567.part.json.lock") < 150


def test_store_paths_fit_into_260_characters(cache: Path) -> None:
    """The longest source name leaves 60 characters for the cache folder where Windows allows 260."""
    from embedhub import _atomic
    from embedhub.vectors.store import store_path

    with _atomic.publish(store_path(80 * "x", 1000, "")) as temporary:
        longest = (temporary / "tokenizer.json").relative_to(cache)
    assert len(str(longest)) < 260 - 60


def test_overlong_name_is_an_unknown_source() -> None:
    """A string too long for a file name is looked up as the name of a source."""
    for name in (300 * "x", f"{300 * 'x'}.zip#member"):
        with pytest.raises(embedhub.errors.SourceNotFoundError):
            embedhub.load(name)


class _Windows(PureWindowsPath):
    """A path of Windows, as far as it is named only."""

    def __fspath__(self) -> str:
        return str(self)


@pytest.mark.parametrize(
    "text", [r"C:\data\mine.vec", r"C:mine.vec", r"data\mine.vec", r"\\host\share\x", "a/b"]
)
def test_windows_paths_are_recognized(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A drive or a backslash makes a string a path on Windows. Its pure paths stand in for real ones."""
    monkeypatch.setattr(local, "Path", _Windows)
    monkeypatch.setattr(handle, "Path", _Windows)
    monkeypatch.setattr(handle, "os", type("os", (), {"sep": "\\"}))
    assert str(local.as_path(text)) == str(PureWindowsPath(text))
    assert local.as_path("glove-6b") is None


def test_archive_member_has_slashes_on_windows() -> None:
    """`archive.zip#folder/member` names the member of the archive, where paths have backslashes."""
    assert split_member(_Windows(r"C:\data\all.zip#folder/one.txt"))[1] == "folder/one.txt"  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore::embedhub.errors.UnverifiedWarning")
def test_mirror_written_by_wget_on_windows_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a name cannot have "?", `wget -x` writes "@" before the query of an address."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path))
    put_into(tmp_path, "get@id=1", writers.glove(WORDS, ROWS))
    assert list(a_source(url="https://example.org/get?id=1").vectors(2)) == WORDS


def test_file_names_are_legal_on_every_system() -> None:
    """No two files differ only in case, and no name has a letter or is a device that Windows refuses."""
    folders = ("embedhub", "tests", "docs", "examples", "plugins", "tools", "benchmarks", ".github")
    names = [str(path.relative_to(ROOT)) for folder in folders for path in (ROOT / folder).rglob("*")]
    assert names
    assert len({name.casefold() for name in names}) == len(names)
    for name in names:
        for part in Path(name).parts:
            assert not re.search(r'[<>:"|?*\\]|[. ]$', part), name
            assert not re.fullmatch(r"(?i)(?:aux|con|nul|prn|(?:com|lpt)[0-9])(?:\..*)?", part), name


@pytest.mark.skipif(not GIT or not ATTRIBUTES.exists(), reason="needs git, and a checkout")
def test_checkout_has_the_same_bytes_on_every_system(tmp_path: Path) -> None:
    """Text is checked out with its own line ends, also with the settings of Git for Windows."""

    def git(*arguments: str) -> None:
        options = ["-c", "core.autocrlf=true", "-c", "user.name=x", "-c", "user.email=x@example.org"]
        subprocess.run(
            [GIT or "", *options, *arguments], cwd=tmp_path, check=True, capture_output=True, timeout=PATIENCE
        )

    git("init")
    shutil.copyfile(ATTRIBUTES, tmp_path / ATTRIBUTES.name)
    text = (ROOT / "embedhub" / "demo_texts.tsv").read_bytes()
    (tmp_path / "text.tsv").write_bytes(text)
    git("add", ".")
    git("commit", "-m", "Add a text")
    (tmp_path / "text.tsv").unlink()
    git("checkout", "text.tsv")
    assert (tmp_path / "text.tsv").read_bytes() == text


# ---- Text


NON_ASCII = ["rain", "naïve", "東京", "Ünïcode", "→"]


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["cp1252", "cp437"])
def test_commands_support_every_console_encoding(tmp_path: Path, encoding: str) -> None:
    """Whatever the console's encoding, commands print the letters that it has, and no traceback."""
    rows = np.random.default_rng(0).normal(size=(len(NON_ASCII), 2)).astype(np.float32)
    (tmp_path / "letters.txt").write_bytes(writers.glove(NON_ASCII, rows))
    console = {"PYTHONIOENCODING": encoding, "PYTHONUTF8": "0", "EMBEDHUB_PROGRESS": "1"}
    for arguments in (
        ("--help",),
        ("download", tmp_path / "letters.txt"),
        ("neighbors", tmp_path / "letters.txt", "rain"),
        ("neighbors", tmp_path / "letters.txt", "rain", "--json"),
        ("info", "gløve"),
    ):
        done = run(*arguments, encoding=encoding, **console)
        assert done.returncode == (1 if "gløve" in arguments else 0), done.stderr
        assert "Traceback" not in done.stderr


ENCODINGS = """
import pathlib, sys, warnings
warnings.filterwarnings("error", category=EncodingWarning, module=r"embedhub(_text)?(\\.|$)")
import embedhub
import embedhub_text
from embedhub.cli import doctor
from embedhub.registry import inventory as stores
from embedhub.testing import SourceContract
from embedhub.testing.import_audit import side_effects
folder = pathlib.Path(sys.argv[1])
mine = folder / "mine.txt"
mine.write_bytes(b"a 1 2\\nb 3 4\\n")
vectors = embedhub.load(mine)
embedhub.embedding_matrix(vectors, 2, {"a": 1, "qwxz": 2})
embedhub.load("wordnet-ppmi", 25)
[stores.repair(entry, [stores.Damage("")]) for entry in stores.list_stores("wordnet-ppmi")]
stores.verify(stores.list_stores())
[entry.state() for entry in stores.list_stores()]
for name in ("out.npz", "out.safetensors", "out.txt", "out.bin"):
    embedhub.export(vectors, None, folder / name)
embedhub.export(vectors, None, folder / "projector", format="projector")
(folder / "in.csv").write_bytes(b"id,text\\n1,a b\\n")
embedhub_text.embed_file(vectors, 2, folder / "in.csv", folder / "out.parquet")
embedhub_text.TextEmbedder(vectors, pooling="sif").fit(["a b", "b"])
doctor.examine()
side_effects("embedhub.registry.builtin.glove")
"""


@pytest.mark.slow
def test_text_files_are_opened_with_an_encoding(tmp_path: Path) -> None:
    """Each text file is opened with its encoding, since the system's default may not be UTF-8."""
    done = subprocess.run(
        [sys.executable, "-X", "warn_default_encoding", "-c", ENCODINGS, tmp_path],
        capture_output=True, text=True, check=False, timeout=PATIENCE,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


# ---- POSIX

ONLY_POSIX = {
    "os": {
        "chown", "chroot", "fchmod", "fchown", "fork", "forkpty", "getegid", "geteuid", "getgid", "getpgid",
        "getuid", "killpg", "lchown", "mkfifo", "mknod", "nice", "openpty", "posix_spawn", "pread", "pwrite",
        "sched_getaffinity", "sendfile", "setgid", "setsid", "setuid", "statvfs", "sync", "sysconf", "uname",
        "wait", "WNOHANG",
    },
    "signal": {"SIGALRM", "SIGCHLD", "SIGCONT", "SIGHUP", "SIGKILL", "SIGPIPE", "SIGQUIT", "SIGSTOP",
               "SIGUSR1", "SIGUSR2", "SIGWINCH", "alarm", "pause", "pthread_kill", "setitimer"},
    "time": {"tzset", "clock_gettime"},
}  # fmt: skip
BEHIND_A_CHECK = {
    ("_machine_code.py", "getuid"),
    ("_cache_files.py", "fchmod"),
    ("_cache_files.py", "getuid"),
}
"""Names that a module uses only after it has looked at sys.platform."""
POSIX_MODULES = {"curses", "fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}


def test_modules_need_no_posix() -> None:
    """No module imports, or takes from os, signal or time, names that Windows' Python lacks."""
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            where = f"{path}, line {getattr(node, 'lineno', 0)}"
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if (path.name, node.attr) not in BEHIND_A_CHECK:
                    assert node.attr not in ONLY_POSIX.get(node.value.id, set()), where
            elif isinstance(node, ast.Import):
                assert not {alias.name for alias in node.names} & POSIX_MODULES, where
            elif isinstance(node, ast.ImportFrom):
                assert node.module not in POSIX_MODULES, where
                assert not {alias.name for alias in node.names} & ONLY_POSIX.get(node.module or "", set()), (
                    where
                )


def test_tests_are_collected_without_posix() -> None:
    """No test module imports a module that Windows lacks before a test runs, where it could be skipped."""
    for path in (ROOT / "tests").rglob("*.py"):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.Import):
                assert not {alias.name for alias in node.names} & POSIX_MODULES, path
            elif isinstance(node, ast.ImportFrom):
                assert node.module not in POSIX_MODULES, path
            for decorator in getattr(node, "decorator_list", ()):
                for part in ast.walk(decorator):
                    assert getattr(part, "attr", "") not in ONLY_POSIX["os"] | ONLY_POSIX["signal"], path


def test_write_text_names_the_line_end() -> None:
    """`write_text` names its line end, which on Windows would be two characters."""
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "write_text":
                assert "newline" in {word.arg for word in node.keywords}, f"{path}, line {node.lineno}"


CLOSED = """
import errno, io, os, sys, types
from embedhub.cli import app, main
app.os = types.SimpleNamespace(**(vars(os) | {"name": "nt"}))
class Gone(io.RawIOBase):
    closed_once = False
    def writable(self): return True
    def fileno(self): return 1
    def write(self, data):
        if not Gone.closed_once:
            Gone.closed_once = True
            raise OSError(errno.EINVAL, "Invalid argument")
        return os.write(1, data)
sys.stdout = io.TextIOWrapper(io.BufferedWriter(Gone()), "utf-8")
sys.argv = ["embedhub", "list"]
main()
"""


def test_closed_pipe_ends_the_command_silently_on_windows() -> None:
    """There, writing to a pipe without reader is EINVAL. A stream that raises it stands in for the pipe."""
    done = subprocess.run(
        [sys.executable, "-c", CLOSED], capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert (done.returncode, done.stderr) == (1, "")
