"""Formats of installed plugins, which serve files of the user."""

import bz2
import gzip
import json
import lzma
import os
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from children import PATIENCE
from command import add_distribution, run, seeing

import embedhub
from embedhub import Detected, Format, FormatError
from embedhub.formats.detect import detect
from embedhub.registry.plugin_format import isolated_format
from embedhub.registry.registry import Registry

BREAD = """\
import struct
from pathlib import Path

import numpy as np
from embedhub import Block, Detected, Format, hookimpl, open_bytes


def read(path, dim):
    with open_bytes(path) as file:
        _, count = struct.unpack("<4xII", file.read(12))
        for _ in range(count):
            (length,) = file.read(1)
            word = file.read(length).decode()
            yield Block([word], SCALE * np.frombuffer(file.read(4 * dim), "<f4")[None])


def detect(start, path):
    return Detected(struct.unpack_from("<I", start, 4)[0]) if start.startswith(b"BRED") else None


SCALE = np.float32(1)
BREAD = Format("bread", read, version=1, detect=detect)
"""
HOOK = "\n\n@hookimpl\ndef embedhub_formats():\n    print('formats')\n    return [BREAD]\n"
WORDS = {"rain": (1.0, 2.0), "storm": (0.5, -1.0)}


def bread(words: dict[str, tuple[float, float]]) -> bytes:
    """Return a file in the format of the plugin."""
    rows = (
        bytes([len(word)]) + word.encode() + struct.pack("<2f", *numbers) for word, numbers in words.items()
    )
    return struct.pack("<4sII", b"BRED", 2, len(words)) + b"".join(rows)


LOAD = """
import json, pickle, sys, warnings
import embedhub
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    vectors = embedhub.load(sys.argv[1])
    again = pickle.loads(pickle.dumps(vectors))
messages = [str(warning.message) for warning in caught]
rows = {word: again[word].tolist() for word in vectors}
print(json.dumps([rows, vectors.manifest["cache_key"], messages]))
"""


def load(site: Path, file: str) -> Any:
    """Load and pickle the vectors of a file where the plugins of a folder are installed."""
    done = subprocess.run(
        [sys.executable, "-c", LOAD, file],
        cwd=site,
        env=os.environ | seeing(site),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.slow
@pytest.mark.parametrize("by_hook", [False, True])
def test_file_of_the_user_is_read(by_hook: bool, tmp_path: Path) -> None:
    """A file in a plugin's format is recognized, also in gzip, and its vectors can be pickled."""
    add_distribution(tmp_path, "made-up-bread", BREAD + HOOK, attribute="" if by_hook else "BREAD")
    (tmp_path / "bread.bin").write_bytes(bread(WORDS))
    (tmp_path / "bread.bin.gz").write_bytes(gzip.compress(bread(WORDS)))
    for name in ("./bread.bin", "./bread.bin.gz"):
        vectors, fingerprint, messages = load(tmp_path, name)
        assert vectors == {word: list(numbers) for word, numbers in WORDS.items()}
        assert fingerprint.endswith(", bread 1")
        assert messages == []
    doctor = run("doctor", "--json", **seeing(tmp_path)).stdout
    (finding,) = (f for f in json.loads(doctor) if f["name"] == "made-up-bread (made-up-bread)")
    assert (finding["ok"], finding["value"]) == (True, "1.0, formats: 1")


@pytest.mark.slow
def test_new_version_of_a_format_reads_again(tmp_path: Path) -> None:
    """When the version of a format is increased, the file is read again."""
    add_distribution(tmp_path, "made-up-bread", BREAD, attribute="BREAD")
    (tmp_path / "bread.bin").write_bytes(bread(WORDS))
    assert load(tmp_path, "bread.bin")[0]["storm"] == [0.5, -1]
    code = BREAD.replace("float32(1)", "float32(4)")
    (tmp_path / "made_up_bread.py").write_text(code, "utf-8")
    assert load(tmp_path, "bread.bin")[0]["storm"] == [0.5, -1]
    (tmp_path / "made_up_bread.py").write_text(code.replace("version=1", "version=22"), "utf-8")
    assert load(tmp_path, "bread.bin")[0]["storm"] == [2, -4]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise SystemExit(5)", "it called sys.exit(): 5 (a_made_up_crumbs.py, line 19)"),
        ("return 1 / 0", "ZeroDivisionError"),
        ("return 2", "detect of its format 'crumbs' returned 2 for"),
        ("return Detected(0)", "returned Detected(dim=0, companions=()) for"),
        ("return Detected(True)", "expected None, or a Detected with a positive int and a tuple of paths"),
        ("return Detected(2, [path])", "a tuple of paths"),
        ("return Detected(2, ('a',))", "a tuple of paths"),
        ("return Format", "a tuple of paths"),
    ],
)
def test_failing_recognition_is_named_and_others_go_on(body: str, message: str, tmp_path: Path) -> None:
    """A plugin that fails to recognize a file is named in one warning, and the next one is asked."""
    code = BREAD.replace('"bread"', '"crumbs"')
    code = (
        code[: code.index("    return Detected")]
        + f"    print('here')\n    {body}\n"
        + code[code.index("\n\nSCALE") :]
    )
    add_distribution(tmp_path, "a-made-up-crumbs", code, attribute="BREAD")
    add_distribution(tmp_path, "made-up-bread", BREAD, attribute="BREAD")
    (tmp_path / "bread.bin").write_bytes(bread(WORDS))
    vectors, _, (warning,) = load(tmp_path, "bread.bin")
    assert list(vectors) == list(WORDS)
    assert warning.startswith("The embedhub plugin a-made-up-crumbs (a-made-up-crumbs) is skipped")
    assert message in warning


@pytest.mark.slow
def test_format_name_of_two_plugins_is_a_problem_of_both(tmp_path: Path) -> None:
    """The format of the first plugin is used, and both plugins are named with what to do."""
    for name in ("two", "one"):
        add_distribution(tmp_path, f"made-up-{name}", BREAD, attribute="BREAD")
    (tmp_path / "bread.bin").write_bytes(bread(WORDS))
    vectors, _, messages = load(tmp_path, "bread.bin")
    assert list(vectors) == list(WORDS)
    one, two = (f"made-up-{name} (made-up-{name})" for name in ("one", "two"))
    advice = "Uninstall one of them, or name one in EMBEDHUB_DISABLE_PLUGINS."
    assert messages == [
        f"The embedhub plugin {one} provides the name 'bread', as does {two}; its own is used. {advice}",
        (
            f"The embedhub plugin {two} provides the name 'bread', as does {one}; "
            f"that of {one} is used. {advice}"
        ),
    ]
    doctor = run("doctor", "--json", **seeing(tmp_path))
    assert doctor.returncode == 1
    assert {one: advice, two: advice}.items() <= {
        finding["name"]: finding["advice"] for finding in json.loads(doctor.stdout)
    }.items()


@pytest.mark.slow
def test_plugin_cannot_take_the_name_of_a_format(tmp_path: Path) -> None:
    """A format with the name of one of embedhub's own is skipped, and named."""
    add_distribution(tmp_path, "made-up-bread", BREAD.replace('"bread"', '"glove"'), attribute="BREAD")
    (tmp_path / "words.txt").write_text("rain 1 2\nstorm 3 4\n", "utf-8")
    vectors, _, (message,) = load(tmp_path, "words.txt")
    assert vectors == {"rain": [1, 2], "storm": [3, 4]}
    assert "made-up-bread (made-up-bread) provides the name 'glove', which is embedhub's own" in message


@pytest.mark.slow
def test_file_of_several_formats_is_an_error(tmp_path: Path) -> None:
    """If the formats of several plugins recognize a file, an error names all, and how to choose."""
    for name in ("c", "a", "b"):
        code = BREAD.replace('"bread"', f'"{name}"')
        add_distribution(tmp_path, f"made-up-{name}", code, attribute="BREAD")
    (tmp_path / "bread.bin").write_bytes(bread(WORDS))
    done = run("download", "./bread.bin", cwd=tmp_path, **seeing(tmp_path))
    assert done.returncode == 1
    claims = [f"the format '{name}' of the plugin made-up-{name} (made-up-{name})" for name in "abc"]
    assert f"bread.bin: {' and '.join(claims)} recognize this file, and only one can" in done.stderr
    disabled = {"EMBEDHUB_DISABLE_PLUGINS": "made-up-a,made-up-c"}
    done = run("download", "./bread.bin", cwd=tmp_path, **seeing(tmp_path), **disabled)
    assert done.returncode == 0, done.stderr


TIDE = """\
import numpy as np
from embedhub import Block, Detected, Format


def read(path, dim):
    yield Block(["tide"], np.ones((1, dim), np.float32))


def detect(start, path):
    return Detected(1) if start.startswith(b"tide") else None


TIDE = Format("tide", read, detect=detect)
"""


@pytest.mark.slow
def test_format_that_takes_plain_text_is_named(tmp_path: Path) -> None:
    """If a plugin recognizes a file that is also GloVe text, it reads it, and a warning says so."""
    add_distribution(tmp_path, "made-up-tide", TIDE, attribute="TIDE")
    (tmp_path / "words.txt").write_text("tide 1 2\nrain 3 4\n", "utf-8")
    vectors, _, messages = load(tmp_path, "words.txt")
    assert vectors == {"tide": [1]}
    assert "the format 'tide' of the plugin made-up-tide (made-up-tide) recognizes this file" in messages[0]
    assert "GloVe text of dim 2 too" in messages[0]
    (tmp_path / "words.txt").write_text("tides, and\n1 2 rain;\n", "utf-8")
    assert load(tmp_path, "words.txt")[::2] == [{"tide": [1]}, []]


@pytest.mark.parametrize("size", [0, 3, (1 << 20) - 1, 1 << 20, (1 << 20) + 7])
@pytest.mark.parametrize(
    "compress", [bytes, gzip.compress, bz2.compress, lzma.compress], ids=["plain", "gzip", "bzip2", "xz"]
)
def test_recognition_gets_all_bytes_up_to_a_mebibyte(
    compress: Callable[[bytes], bytes], size: int, tmp_path: Path
) -> None:
    """The first bytes that a format is asked about are all of a smaller file, decompressed."""
    data = (b"TIDE" * (size // 4 + 1))[:size]
    (tmp_path / "x").write_bytes(compress(data))
    given: list[bytes] = []

    def recognize(start: bytes, _: Path) -> Detected:
        given.append(start)
        return Detected(1)

    detect(tmp_path / "x", lambda: [Format("tide", print, detect=recognize)])  # type: ignore[arg-type]  # not read
    assert given == [data[: 1 << 20]]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            bread(WORDS)[:-3],
            "ValueError: buffer size must be a multiple of element size (made_up_bread.py, line 14). ",
        ),
        (bread(WORDS)[:9], "error: unpack requires a buffer of 12 bytes (made_up_bread.py, line 10). "),
    ],
)
def test_error_of_a_reader_names_format_and_plugin(data: bytes, message: str, tmp_path: Path) -> None:
    """What a reader raises for a malformed file is an error with file, format and plugin."""
    add_distribution(tmp_path, "made-up-bread", BREAD, attribute="BREAD")
    (tmp_path / "bread.bin").write_bytes(data)
    done = run("download", "./bread.bin", cwd=tmp_path, **seeing(tmp_path))
    assert done.returncode == 1
    assert f"Error: {tmp_path / 'bread.bin'}: the reader of the format 'bread', of the plugin " in done.stderr
    assert "of the plugin made-up-bread (made-up-bread), failed: " in done.stderr
    assert message in done.stderr


def test_errors_that_name_the_file_are_unchanged(tmp_path: Path) -> None:
    """A FormatError of a reader is raised unchanged; Ctrl-C and a closed reader are not failures."""
    path = tmp_path / "x"

    def read(path: Path, dim: int) -> Any:
        yield ["rain"], None
        if dim == 1:
            raise FormatError("line 1 is wrong")
        if dim == 2:
            raise KeyboardInterrupt
        raise OSError("no disk")

    plugin = isolated_format(
        "made-up (x)", Format("bread", read, detect=lambda *_: Detected(1)), Registry().plugins.isolated
    )
    assert plugin.detect is not None
    assert plugin.detect(b"", path) == Detected(1)
    with pytest.raises(FormatError, match=r"^line 1 is wrong$"):
        list(plugin.read(path, 1))
    with pytest.raises(KeyboardInterrupt):
        list(plugin.read(path, 2))
    with pytest.raises(embedhub.errors.StoreError, match=r"made-up \(x\), failed: OSError: no disk"):
        list(plugin.read(path, 3))
    blocks = plugin.read(path, 1)
    next(blocks)
    blocks.close()  # type: ignore[attr-defined]  # a generator
