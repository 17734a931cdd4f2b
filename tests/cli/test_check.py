"""`embedhub check` compares the files of a source with what its table says."""

import gzip
import json
import re
import zipfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from command import add_distribution, run, seeing

THREE = b"the 0.25 -0.5 1\nrain 0.125 2 -0.75\n"
BASE = "https://quiet-rivers.example/v1"


def digest(data: bytes) -> str:
    """Return the hash of bytes, as a table has it."""
    return f"sha256:{sha256(data).hexdigest()}"


HEAD = """\
name = "quiet-rivers"
description = "GloVe on texts about rivers"
language = "en"
cased = false
license = "CC-BY-4.0"
citation = "Me (2026)"
homepage = "https://quiet-rivers.example/"
"""


def entry(name: str, dim: int, **keys: Any) -> str:
    """Return the table of a file."""
    lines = [f"dim = {dim}", f'url = "{BASE}/{name}"', *(f"{k} = {json.dumps(v)}" for k, v in keys.items())]
    return "\n".join(["[[files]]", *lines, ""])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder that a mirror has for the source's files; the current folder is for its table."""
    folder = tmp_path / "mirror" / "quiet-rivers.example" / "v1"
    folder.mkdir(parents=True)
    (folder / "rivers.3d.txt").write_bytes(THREE)
    (folder / "rivers.3d.vec.gz").write_bytes(gzip.compress(b"2 3\n" + THREE, mtime=0))
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    monkeypatch.chdir(tmp_path)
    return folder


def check(*tables: str, head: str = "vocab_size = 2\n", rc: int = 0) -> list[dict[str, Any]]:
    """Check a table, and return what is found."""
    Path("quiet-rivers.toml").write_text(HEAD + head + "\n".join(tables), "utf-8")
    done = run("check", "quiet-rivers.toml", "--json")
    assert done.returncode == rc, done.stderr
    assert done.stderr == ""
    findings: list[dict[str, Any]] = json.loads(done.stdout)
    return findings


def wrong(findings: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """Return what is wrong, with expected and actual values."""
    return [(found["key"], found["expected"], found["actual"]) for found in findings if not found["ok"]]


@pytest.mark.slow
def test_a_right_table_is_ok(folder: Path, cache: Path) -> None:
    """Hash, size, words and dim of every candidate are compared, and the vectors with the first's."""
    packed = (folder / "rivers.3d.vec.gz").read_bytes()
    findings = check(
        entry("rivers.3d.txt", 3, known_hash=digest(THREE), size=len(THREE), format="glove"),
        entry("rivers.3d.vec.gz", 3, known_hash=digest(packed), size=len(packed)),
    )
    assert all(found["ok"] for found in findings)
    assert [(found["file"].rpartition("/")[2], found["key"]) for found in findings] == [
        ("rivers.3d.txt", "known_hash"),
        ("rivers.3d.txt", "size"),
        ("rivers.3d.txt", "dim"),
        ("rivers.3d.txt", "vocab_size"),
        ("rivers.3d.vec.gz", "known_hash"),
        ("rivers.3d.vec.gz", "size"),
        ("rivers.3d.vec.gz", "dim"),
        ("rivers.3d.vec.gz", "vocab_size"),
        ("rivers.3d.vec.gz", "vectors"),
    ]
    assert not list(cache.glob("vectors/*"))
    assert not list(cache.glob("downloads/**/*.*"))


@pytest.mark.slow
def test_wrong_values_have_what_to_write(folder: Path, cache: Path) -> None:
    """A wrong value has a line with expected, got, and what to write; the exit code is 1; nothing stays."""
    table = entry("rivers.3d.txt", 3, known_hash=digest(b"other"), size=99, format="glove")
    Path("quiet-rivers.toml").write_text(f"{HEAD}vocab_size = 3\n{table}", "utf-8")
    done = run("check", "quiet-rivers.toml")
    assert done.returncode == 1
    place = f"WRONG  3d {BASE}/rivers.3d.txt: "
    assert f"{place}known_hash: expected {digest(b'other')}, got {digest(THREE)}" in done.stdout
    assert f'write known_hash = "{digest(THREE)}"' in done.stdout
    assert f"{place}size: expected 99, got {len(THREE)}. " in done.stdout
    assert f"write size = {len(THREE)}" in done.stdout
    assert f"{place}vocab_size: expected 3, got 2. Write vocab_size = 2" in done.stdout
    assert done.stdout.endswith("quiet-rivers: 3 wrong, 1 right.\n")
    assert not list(cache.glob("vectors/*"))
    assert not list(cache.glob("hashes/*"))


@pytest.mark.slow
def test_missing_values_are_named_and_not_wrong(folder: Path) -> None:
    """A value that the table lacks is not wrong, and the line has what to write."""
    findings = check(entry("rivers.3d.txt", 3), head="")
    assert all(found["ok"] for found in findings)
    assert [found["advice"].partition(". Write ")[0] for found in findings] == [
        "The table has no known_hash",
        "The table has no size",
        "",
        "The table has no vocab_size",
    ]


@pytest.mark.slow
def test_a_wrong_dim_or_format_is_named(folder: Path) -> None:
    """A file of another dim, or in another format, is wrong, and the other files are checked."""
    findings = check(
        entry("rivers.3d.txt", 4, format="glove"),
        entry("rivers.3d.txt", 3, format="word2vec-text"),
        entry("rivers.3d.vec.gz", 3),
        rc=1,
    )
    assert [(key, expected) for key, expected, _ in wrong(findings)] == [("vectors", None)] * 2
    right = [found["key"] for found in findings if found["file"].endswith(".gz")]
    assert right == ["known_hash", "size", "dim", "vocab_size"]


@pytest.mark.slow
def test_candidates_with_other_vectors_are_wrong(folder: Path) -> None:
    """The files of one dim hold the same vectors, or the second is wrong."""
    (folder / "other.txt").write_bytes(THREE.replace(b"0.125", b"0.126"))
    findings = check(entry("rivers.3d.txt", 3), entry("other.txt", 3), rc=1)
    assert wrong(findings) == [("vectors", f"those of {BASE}/rivers.3d.txt", "other vectors")]


@pytest.mark.slow
def test_a_missing_file_is_wrong(folder: Path) -> None:
    """A file that cannot be downloaded is wrong, and the others are checked."""
    findings = check(entry("gone.txt", 3), entry("rivers.3d.txt", 3), rc=1)
    assert [key for key, *_ in wrong(findings)] == ["download"]
    (line,) = (line for line in run("check", "quiet-rivers.toml").stdout.splitlines() if "gone" in line)
    assert line == (
        f"WRONG  3d {BASE}/gone.txt: {folder / 'gone.txt'}: No such file or directory. EMBEDHUB_OFFLINE is "
        "set, so nothing was downloaded. Put the file there, or correct the table."
    )
    assert [found["key"] for found in findings][1:] == ["known_hash", "size", "dim", "vocab_size"]


@pytest.mark.slow
def test_a_secret_of_an_address_is_not_shown(folder: Path) -> None:
    """Neither the URL nor its place in the mirror is shown with its token."""
    (finding,) = check(entry("gone.txt?id=1&token=hunter3", 3), head="", rc=1)
    assert finding["file"] == f"{BASE}/gone.txt?id=1&token=..."
    assert f"{folder / 'gone.txt'}?id=1&token=...: No such file" in finding["actual"]


@pytest.mark.slow
def test_members_and_companions_are_checked(folder: Path) -> None:
    """Of a member, the bytes inside of the archive are hashed, and the archive itself where it is stated."""
    with zipfile.ZipFile(folder / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rivers.txt", THREE)
    packed = (folder / "all.zip").read_bytes()
    keys = {"member": "rivers.txt", "known_hash": digest(THREE), "size": len(THREE)}
    assert wrong(check(entry("all.zip", 3, **keys))) == []
    archive_keys = {"archive_hash": digest(packed), "archive_size": len(packed) + 1}
    findings = check(entry("all.zip", 3, **keys, **archive_keys), rc=1)
    assert wrong(findings) == [("archive_size", len(packed) + 1, len(packed))]


@pytest.mark.slow
def test_downloaded_files_are_used_and_kept(folder: Path, cache: Path) -> None:
    """A file in the downloads folder is checked there, without a mirror or a network, and stays."""
    (folder / "rivers.3d.txt").unlink()
    place = cache / "downloads" / "quiet-rivers.example" / "v1" / "rivers.3d.txt"
    place.parent.mkdir(parents=True)
    place.write_bytes(THREE)
    assert wrong(check(entry("rivers.3d.txt", 3, known_hash=digest(THREE), size=len(THREE)))) == []
    assert place.read_bytes() == THREE


@pytest.mark.slow
def test_files_without_a_hash_are_checked_where_a_hash_is_required(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EMBEDHUB_REQUIRE_HASH does not keep an author from finding out the hash."""
    monkeypatch.setenv("EMBEDHUB_REQUIRE_HASH", "1")
    assert wrong(check(entry("rivers.3d.txt", 3))) == []


COMPUTED = """
import numpy as np
from embedhub import ComputedSource, hookimpl


def compute(dim):
    yield ["a", "b"], np.ones((2, dim), np.float32)


@hookimpl
def embedhub_sources():
    return [
        ComputedSource(
            name="ones", dims=(2, 3), version=1, compute=compute, description="Ones", language="und",
            cased=False, vocab_size=3, license="CC0-1.0", citation="Me", homepage="https://a.example/",
        )
    ]
"""


@pytest.mark.slow
def test_sources_of_plugins_are_checked(tmp_path: Path) -> None:
    """A source is named as for other commands; one that computes its vectors has no files to compare."""
    add_distribution(tmp_path, "embedhub-ones", COMPUTED)
    done = run("check", "ones:3", "--json", **seeing(tmp_path))
    assert done.returncode == 1
    assert wrong(json.loads(done.stdout)) == [("vocab_size", 3, 2)]
    done = run("check", "ones:4", **seeing(tmp_path))
    assert done.returncode == 1
    assert "'ones' has no dim 4" in done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("body", "line"),
    [
        ("return None", "the source returned None; expected an iterator of blocks. Does its function yield"),
        (
            "yield [b'a'], np.ones((1, dim), np.float32)",
            "after 0 vectors: word 0 of a block is b'a' of type bytes",
        ),
        ("yield ['a'], [[1.0] * dim]", "after 0 vectors: the vectors of a block are [[1.0, 1.0, 1.0]]"),
        (
            "return Block(['a'], np.ones((1, dim), np.float32))",
            "after 0 vectors: the source yielded ['a'] of type list; expected",
        ),
        ("raise KeyError('boo.')", "its code raised KeyError: 'boo.' (embedhub_ones.py, line 7)."),
        ("yield 1 / 0", "its code raised ZeroDivisionError: division by zero (embedhub_ones.py, line 7)."),
        ("open('/gone/x')\n    yield", "the input of the store cannot be read: [Errno 2] No such file"),
        ("yield from ()", "the source yielded no vectors."),
        (
            "yield np.array(['a']), np.ones((1, dim), np.float32)",
            "after 0 vectors: the words of a block are array([",
        ),
        (
            "yield ['a'], np.ones((1, dim), np.float32)\n    yield ExtraFile('../x', np.ones(1), {})",
            "the source yielded an extra file named '../x'; expected the name of a file without a folder",
        ),
    ],
)
def test_errors_of_a_function_are_one_line(body: str, line: str, tmp_path: Path, cache: Path) -> None:
    """What a computed source may yield is what a store takes; else one line says so, and no other errors."""
    code = COMPUTED.replace('yield ["a", "b"], np.ones((2, dim), np.float32)', body)
    code = code.replace("import ComputedSource", "import Block, ComputedSource, ExtraFile")
    add_distribution(tmp_path, "embedhub-ones", code)
    done = run("check", "ones:3", **seeing(tmp_path))
    assert (done.returncode, done.stderr) == (1, "")
    first, last = done.stdout.splitlines()
    assert first.startswith(f"WRONG  3d: {line}")
    assert first.endswith(" Correct the function embedhub_ones.compute.")
    assert ".." not in first.replace("'../x'", "")
    assert last == "ones: 1 wrong, 0 right."
    for word in ("reader", "format", "table", "published"):
        assert word not in done.stdout
    assert not list(cache.glob("vectors/*"))


@pytest.mark.slow
def test_composers_are_opened(tmp_path: Path) -> None:
    """A composer that cannot be opened is wrong, as it would be for users."""
    code = COMPUTED.replace("\n@hookimpl", COMPOSING).replace("        ComputedSource(", "        Mine(")
    add_distribution(tmp_path, "embedhub-ones", code)
    done = run("check", "ones:3", **seeing(tmp_path))
    assert done.returncode == 1
    assert done.stdout.splitlines()[0] == (
        "WRONG  3d: the composer of the source cannot be opened: KeyError: 'letters'. The store is intact: "
        "the error is in the source's code. Correct the composer."
    )


COMPOSING = """
class Mine(ComputedSource):
    def composer(self, files, metadata):
        return files["letters"]


@hookimpl"""


@pytest.mark.slow
def test_placeholders_are_wrong(folder: Path) -> None:
    """What was left to be filled in is wrong, as is a URL where no server has anything."""
    head = re.sub('GloVe on.*?"', 'TBD"', HEAD).replace("CC-BY-4.0", "TODO")
    head = head.replace("Me (2026)", "").replace("https://quiet-rivers.example/", "https://example.org/")
    place = folder.parent.parent / "files.example.org"
    place.mkdir()
    (place / "rivers.txt").write_bytes(THREE)
    url = "https://files.example.org/rivers.txt"
    Path("quiet-rivers.toml").write_text(f'{head}[[files]]\ndim = 3\nurl = "{url}"\n', "utf-8")
    done = run("check", "quiet-rivers.toml")
    assert done.returncode == 1
    advice = "a placeholder. No server is at that address. Write your own URL."
    assert [line for line in done.stdout.splitlines() if line.startswith("WRONG")] == [
        "WRONG  description: expected one line on the vectors, got TBD, a placeholder. Fill in description.",
        "WRONG  license: expected the license of the vectors, got TODO, a placeholder. Fill in license.",
        "WRONG  citation: expected whom to cite, got nothing. Fill in citation.",
        f"WRONG  homepage: expected a page about the vectors, got https://example.org/, {advice}",
        f"WRONG  3d: url: expected the place of the file, got {url}, {advice}",
    ]
    assert done.stdout.endswith("quiet-rivers: 5 wrong, 4 right.\n")
