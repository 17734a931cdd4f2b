"""The reader of text is compiled while bytes arrive, and only where a store is built from text."""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from children import PATIENCE, child, limited, read_until

import embedhub

if TYPE_CHECKING:
    from subprocess import Popen

# Arguments: a file with a pickled source.
LOAD = """
import pathlib, pickle, sys
import embedhub
embedhub.load(pickle.loads(pathlib.Path(sys.argv[1]).read_bytes()), 50)
"""
# The same; says on stderr when the compiler begins, and on stdout when it is done.
ANNOUNCED = """
import os
from numba.core import event

class Announced(event.Listener):
    def on_start(self, event):
        os.write(2, b"compiling\\n")

    def on_end(self, event):
        os.write(1, b"compiled\\n")

event.register("numba:compile", Announced())
"""
# The same; waits in the compiler for the end of stdin.
HELD = """
import os
from embedhub.formats import _parse_loop
from numba.core import event

class Held(event.Listener):
    def on_start(self, event):
        os.read(0, 1)

    def on_end(self, event):
        pass

event.register("numba:run_pass", Held())
"""
# How long a thread waits for the interpreter's lock while three threads prepare the reader, and at the end.
INTERVALS = """
import sys, threading
found = set()

class Noted(event.Listener):
    def on_start(self, event):
        found.add(sys.getswitchinterval())

    def on_end(self, event):
        pass

event.register("numba:run_pass", Noted())
for _ in range(3):
    embedhub.formats.prepare("glove")
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join()
print(found, sys.getswitchinterval())
"""
MODULES = """
import threading
print("numba" in sys.modules, threading.active_count())
"""


@pytest.fixture
def first_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let no machine code be there yet; return the folder for it."""
    folder = tmp_path / "compiled"
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(folder))
    return folder


@pytest.fixture
def load(
    glove_6b_mirror: tuple[Path, embedhub.RemoteSource], tmp_path: Path
) -> Callable[..., tuple[Path, Path]]:
    """Return a function that makes a script which loads glove-6b, cut to 20,000 words, and its argument."""

    def load(*parts: str, source: Any = glove_6b_mirror[1]) -> tuple[Path, Path]:
        (tmp_path / "source").write_bytes(pickle.dumps(source))
        (tmp_path / "load.py").write_text("".join(parts), "utf-8")
        return tmp_path / "load.py", tmp_path / "source"

    return load


def printed(command: tuple[Path, Path], **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run a script to its end."""
    return subprocess.run(
        [sys.executable, *command], capture_output=True, text=True, timeout=PATIENCE, check=False, **options
    )


@pytest.mark.slow
def test_reader_is_compiled_before_the_download_is_complete(
    first_use: Path, load: Callable[..., Any], glove_server: Any, start: Callable[..., "Popen[str]"]
) -> None:
    """It is ready although the download does not go on after its first bytes."""
    process = start(*load(ANNOUNCED, LOAD), at="chunk * 3")  # two chunks are the archive's directory
    assert read_until(process, "compiled") == "compiled\n"
    _, shown = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, shown
    assert list(first_use.rglob("*.nbc"))


@pytest.mark.slow
def test_compiler_does_not_keep_the_download_waiting(first_use: Path, tmp_path: Path) -> None:
    """The interpreter's lock changes hands ten times as often, until the reader is ready."""
    script = tmp_path / "intervals.py"
    script.write_text("import embedhub.formats\nfrom numba.core import event\n" + INTERVALS, "utf-8")
    done = printed((script, tmp_path))
    assert done.stdout == "{0.0005} 0.005\n", done.stderr


@pytest.mark.slow
@pytest.mark.posix
def test_bar_of_a_build_says_that_it_waits_for_the_compiler(
    first_use: Path, load: Callable[..., Any], glove_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On a terminal the label of a bar that stands at 0 has the reason, until the compiler is done."""
    import pty

    ours, theirs = pty.openpty()
    monkeypatch.delenv("EMBEDHUB_PROGRESS")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    shown = b""
    with child(sys.executable, *load(HELD, LOAD), stdout=theirs, stderr=theirs) as process, limited(process):
        os.close(theirs)
        with suppress(OSError):  # how a terminal ends
            while part := os.read(ours, 65536):
                shown += part
                if (
                    b"Building glove-6b 50d, compiling" in shown
                    and process.stdin
                    and not process.stdin.closed
                ):
                    process.stdin.close()
        process.wait(PATIENCE)
    os.close(ours)
    assert process.returncode == 0, shown
    assert b"Building glove-6b 50d, compiling" in shown
    last = shown.decode().split("Building glove-6b 50d")[-1]
    assert "20000/20000" in last
    assert "compiling" not in last


@pytest.mark.slow
def test_log_says_that_the_reader_is_compiled(
    first_use: Path, load: Callable[..., Any], glove_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So do the lines of a program without a terminal."""
    monkeypatch.delenv("EMBEDHUB_PROGRESS")
    often = "from embedhub import _progress\n_progress.SECONDS_BETWEEN_LINES = 0.01\n"
    with child(sys.executable, *load(often, HELD, LOAD)) as process:
        text = read_until(process, "Building glove-6b 50d, compiling: 0 of 20,000 (0%), ", "stderr")
        _, rest = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, text + rest
    assert "compiling" not in rest.splitlines()[-1]


@pytest.mark.slow
def test_broken_installation_is_one_error(
    load: Callable[..., Any], glove_server: Any, tmp_path: Path
) -> None:
    """What fails in the thread is raised by the reader, and the thread writes nothing."""
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "numba.py").write_text("raise ImportError('a broken Numba')", "utf-8")
    done = printed(load(LOAD), env=os.environ | {"PYTHONPATH": str(tmp_path / "broken")})
    assert done.returncode == 1
    assert done.stderr.count("ImportError: a broken Numba") == 1, done.stderr
    assert "Exception in thread" not in done.stderr


@pytest.mark.slow
def test_nothing_is_compiled_without_a_download(
    load: Callable[..., Any], glove_server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that exists is opened without Numba and without a thread; so is one that cannot be built."""
    embedhub.load(pickle.loads(load(LOAD)[1].read_bytes()), 50)  # noqa: S301 - this test's own bytes
    assert printed(load(LOAD, MODULES)).stdout == "False 1\n"
    monkeypatch.setenv("EMBEDHUB_CACHE", f"{os.environ['EMBEDHUB_CACHE']}-empty")
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    failing = LOAD.replace("embedhub.load(", "try: embedhub.load(") + "except embedhub.DownloadError: pass\n"
    assert printed(load(failing, MODULES)).stdout == "False 1\n"


@pytest.mark.slow
def test_nothing_is_compiled_for_a_binary_format(
    load: Callable[..., Any],
    glove_6b_mirror: tuple[Path, embedhub.RemoteSource],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its reader is not compiled, so Numba is not even imported."""
    (tmp_path / "host").mkdir()
    (tmp_path / "host" / "vectors.bin").write_bytes(b"1 50\nrain " + bytes(200))
    file = embedhub.RemoteFile("https://host/vectors.bin", format="word2vec-binary")
    source = replace(glove_6b_mirror[1], files={50: file}, vocab_size=1)
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path))
    assert printed(load(LOAD, MODULES, source=source)).stdout == "False 1\n"


@pytest.mark.slow
@pytest.mark.posix
def test_interrupted_process_ends_while_the_reader_is_compiled(
    first_use: Path, load: Callable[..., Any], glove_server: Any, start: Callable[..., "Popen[str]"]
) -> None:
    """Ctrl-C in a download ends the process; what is being compiled is kept for the next one."""
    process = start(*load(ANNOUNCED, LOAD), at="chunk * 3")
    # A thread that still imports Numba cannot go on: Python refuses some imports at its end.
    assert read_until(process, "compiling", "stderr")
    process.send_signal(signal.SIGINT)
    _, shown = process.communicate(timeout=PATIENCE)
    assert process.returncode, shown
    assert shown.rstrip().endswith("KeyboardInterrupt")
    assert list(first_use.rglob("*.nbc"))
