"""Progress: bars in terminals and notebooks, lines elsewhere."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from children import PATIENCE, child, read_until
from remote import HOST

from embedhub import _progress
from embedhub._progress import progress_bar

LABEL = "Downloading glove-6b 50d (glove.6B.50d.txt)"


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[str], str]:
    """Write lines at once; return a function that waits for a text on stderr, and returns all up to it."""
    monkeypatch.delenv("EMBEDHUB_PROGRESS")
    monkeypatch.setattr(_progress, "SECONDS_BETWEEN_LINES", 0.01)

    def shown(text: str) -> str:
        until, seen = time.monotonic() + PATIENCE, ""
        while text not in seen:
            assert time.monotonic() < until, seen
            seen += capsys.readouterr().err
        return seen

    return shown


@pytest.mark.parametrize(
    ("total", "in_bytes", "steps", "line"),
    [
        (400_000, False, 100_000, "100,000 of 400,000 (25%), "),
        (69_182_535, True, 1_500_000, "1.5 of 69.2 MB (2%), "),
        (None, True, 1_500_000, "1.5 MB, "),
        (None, False, 1_500, "1,500, "),
        (None, False, 0, ""),
    ],
)
def test_lines_without_a_terminal_say_how_far_the_work_is(
    total: int | None, in_bytes: bool, steps: int, line: str, shown: Callable[[str], str]
) -> None:
    """Each has the label, the amount, the total if it is known, and the seconds."""
    with progress_bar(LABEL, total, in_bytes=in_bytes) as advance:
        advance(steps)
        text = shown(f"{LABEL}: {line}")
    assert text.splitlines()[-1].endswith(" s")


def test_last_line_is_the_end_of_the_work(shown: Callable[[str], str]) -> None:
    """A log that has lines of some work shows how it ended; a total may be found out on the way."""
    with progress_bar("Building", 90, in_bytes=False) as advance:
        shown("Building: 0 of 90 (0%)")
        advance(100, 100)
    assert shown("100 of 100").splitlines()[-1].startswith("Building: 100 of 100 (100%), ")


def test_line_has_no_control_sequence(shown: Callable[[str], str]) -> None:
    """The name of a file cannot clear a terminal in which a log is read."""
    with progress_bar("Reading \x1b[2J.txt", None, in_bytes=True):
        assert "\x1b" not in shown("Reading \\x1b[2J.txt: ")


def test_short_work_writes_no_line(
    shown: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Work that ends before the first line is due leaves none, and does not wait for it."""
    monkeypatch.setattr(_progress, "SECONDS_BETWEEN_LINES", 10 * PATIENCE)
    with progress_bar("Building", 100, in_bytes=False) as advance:
        advance(100)
    assert capsys.readouterr() == ("", "")


def test_setting_hides_lines(shown: Callable[[str], str], monkeypatch: pytest.MonkeyPatch) -> None:
    """EMBEDHUB_PROGRESS=0 hides them; other work is still shown."""
    monkeypatch.setenv("EMBEDHUB_PROGRESS", "0")
    with progress_bar("Hidden", 100, in_bytes=False):
        monkeypatch.delenv("EMBEDHUB_PROGRESS")
        with progress_bar("Shown", 100, in_bytes=False):
            assert "Hidden" not in shown("Shown: 0 of 100")


def test_program_without_stderr_has_no_lines(
    shown: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under pythonw there is no stderr; nothing goes to stdout instead."""
    monkeypatch.setattr(sys, "stderr", None)
    with progress_bar("Building", 100, in_bytes=False) as advance:
        advance(100)
    assert capsys.readouterr().out == ""


def test_bar_fits_into_80_columns(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    """A long label is shortened; the counters stay."""
    monkeypatch.setenv("EMBEDHUB_PROGRESS", "1")
    monkeypatch.setenv("COLUMNS", "80")
    with progress_bar(LABEL, 69_182_535, in_bytes=True) as advance:
        advance(69_182_535)
    (line,) = capfd.readouterr().err.splitlines()
    assert line.startswith("Downloading glove-6b 50d (")
    assert "69.2/69.2 MB" in line


SLOW = f"""
import hashlib
from embedhub import RemoteFile, RemoteSource
file = RemoteFile("https://{HOST}/some.txt", size=1_000_000, known_hash="md5:" + 32 * "0", format="glove")
facts = dict.fromkeys(("description", "license", "citation", "homepage"), "")
RemoteSource(name="some", files={{2: file}}, language="en", cased=True, **facts).vectors(2)
"""


@pytest.mark.slow
def test_log_of_a_slow_download_has_lines(tmp_path: Path, serve: Callable[..., Any]) -> None:
    """A program without a terminal writes them, and nothing to stdout."""
    (tmp_path / HOST).mkdir()
    (tmp_path / HOST / "some.txt").write_bytes(bytes(1_000_000))
    env = os.environ | {"EMBEDHUB_MIRROR": serve(tmp_path, rate=10_000).base}
    del env["EMBEDHUB_PROGRESS"]
    with child(sys.executable, "-c", SLOW, env=env) as process:
        text = read_until(process, "Downloading some 2d (some.txt): ", "stderr")
        process.kill()
        assert process.communicate(timeout=PATIENCE)[0] == ""
    assert text.splitlines()[-1].endswith(" s")
    assert " of 1.0 MB (" in text


KERNEL = f"""
import json, sys
from jupyter_client.manager import run_kernel
code = '''
import time
from IPython import display
import embedhub.download.fetch
from embedhub import _progress
shown = []
real = display.display
display.display = lambda *data, **options: (real(*data, **options), shown.append(data))[0]
_progress._SECONDS_BETWEEN_BARS = 0.01
with _progress.progress_bar("Building", 100, in_bytes=False) as advance:
    advance(40)
    while not shown:
        time.sleep(0.01)
    advance(60)
'''
with run_kernel() as client:
    client.execute_interactive(
        code, timeout={PATIENCE}, output_hook=lambda message: print(json.dumps(message, default=str))
    )
"""


def printed_by(code: str, folder: Path) -> list[Any]:
    """Return what code prints, a line of JSON each; IPython's files lie in a folder."""
    env = os.environ | {"IPYTHONDIR": str(folder)}
    del env["EMBEDHUB_PROGRESS"]
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=PATIENCE, check=True
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.slow
@pytest.mark.skipif(find_spec("ipykernel") is None, reason="needs ipykernel")
def test_notebook_has_one_bar(tmp_path: Path) -> None:
    """It is updated in place, without ipywidgets; nothing is written to the streams, not by pooch either."""
    messages = printed_by(KERNEL, tmp_path)
    kinds = [message["msg_type"] for message in messages]
    assert kinds.count("display_data") == 1
    assert not {"stream", "error"} & set(kinds)
    last = [message for message in messages if message["msg_type"] == "update_display_data"][-1]["content"]
    assert last["data"]["text/plain"].startswith("Building: 100 of 100 (100%), ")
    assert last["data"]["text/html"].startswith('<progress value="100" max="100"></progress> Building: ')


SHELL = """
import json, time
from IPython.core.displaypub import CapturingDisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.kernel = "as in a notebook"
shell.display_pub = CapturingDisplayPublisher()
from embedhub import _progress
_progress._SECONDS_BETWEEN_BARS = 0.01
for total in (100, None):
    with _progress.progress_bar("Reading <a>", total, in_bytes=False) as advance:
        advance(40)
        while not any("40" in shown["data"]["text/plain"] for shown in shell.display_pub.outputs):
            time.sleep(0.01)
        advance(60)
    print(json.dumps([[shown["update"], shown["data"]] for shown in shell.display_pub.outputs]))
    shell.display_pub.outputs.clear()
"""


@pytest.mark.skipif(find_spec("IPython") is None, reason="needs IPython")
def test_cell_of_a_notebook_has_text_and_a_bar(tmp_path: Path) -> None:
    """The label is escaped in HTML; work of unknown size has no bar, but its numbers."""
    known, unknown = printed_by(SHELL, tmp_path)
    for outputs in (known, unknown):
        assert [update for update, _ in outputs] == [False] + [True] * (len(outputs) - 1)
    last = known[-1][1]
    assert last["text/plain"].startswith("Reading <a>: 100 of 100 (100%), ")
    assert last["text/html"].startswith('<progress value="100" max="100"></progress> Reading &lt;a&gt;: 100')
    assert unknown[-1][1]["text/html"].startswith("Reading &lt;a&gt;: 100, ")
