"""`embedhub new-plugin` makes a distribution or a table of an author's files, whose tests pass at once."""

import gzip
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import writers
from children import PATIENCE
from command import add_distribution, run, seeing
from numpy.typing import NDArray

import embedhub
from embedhub.cli._plugin_files import spdx_expression

WORDS = ["the", "café", "new\u00a0york", "##ing", "1e5", "rain", "sun"]
FACTS = (
    *("--url", "https://quiet-rivers.example/v1/", "--license", "CC-BY-4.0"),
    *("--citation", 'Me, "Quiet rivers" (2026)'),
)


def rows(dim: int) -> NDArray[np.float32]:
    """Return a vector for each word."""
    return np.random.default_rng(dim).normal(size=(len(WORDS), dim)).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an author's folder, which is the current one."""
    folder = tmp_path / "author"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def write_each_format(folder: Path) -> list[str]:
    """Write a file in each format, of dims 2 to 7; the second is another file of the vectors of the first."""
    text = writers.glove(WORDS, rows(2))
    (folder / "rivers 2d.txt.gz").write_bytes(gzip.compress(text, mtime=0))
    (folder / "rivers.2d.vec").write_bytes(writers.word2vec_text(WORDS, rows(2), b" \n"))
    (folder / "rivers.3d.vec").write_bytes(writers.word2vec_text(WORDS, rows(3)))
    (folder / "rivers.4d.bin").write_bytes(writers.word2vec_binary(WORDS, rows(4), b"\n"))
    ngrams = np.ones((9, 5), np.float32)
    (folder / "rivers.5d.bin").write_bytes(writers.fasttext_bin(WORDS, rows(5), ngrams))
    (folder / "model.safetensors").write_bytes(writers.safetensors({"embeddings": ("F32", rows(6))}))
    (folder / "tokenizer.json").write_bytes(writers.tokenizer(WORDS))
    with zipfile.ZipFile(folder / "all.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("README", "")
        archive.writestr("rivers.7d.txt", writers.glove(WORDS, rows(7)))
    names = ("rivers 2d.txt.gz", "rivers.2d.vec", "rivers.3d.vec", "rivers.4d.bin", "rivers.5d.bin")
    return [*names, "model.safetensors", "all.zip#rivers.7d.txt"]


def run_tests(folder: Path, site: Path) -> tuple[int, str]:
    """Run the tests of a distribution that is installed, and return the exit code and what pytest prints."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"],
        cwd=folder,
        env=os.environ | seeing(site) | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    return done.returncode, done.stdout


def serve(folder: Path, names: list[str]) -> Path:
    """Copy files into a mirror as the command advises, and return it."""
    place = folder / "mirror" / "quiet-rivers.example" / "v1"
    place.mkdir(parents=True)
    for name in (*names, "tokenizer.json"):
        file = folder / name.partition("#")[0]
        (place / file.name.replace(" ", "%20")).write_bytes(file.read_bytes())
    return folder / "mirror"


@pytest.mark.slow
def test_a_plugin_of_each_format_passes_its_tests(folder: Path, install: Callable[..., None]) -> None:
    """The distribution made of files can be installed unchanged, its tests pass, and it is checked."""
    names = write_each_format(folder)
    done = run("new-plugin", "quiet-rivers", *names, *FACTS, "--language", "en")
    assert (done.returncode, done.stderr) == (0, "")
    made = folder / "embedhub-quiet-rivers"
    site = folder / "site"
    install(site, made)
    code, printed = run_tests(made, site)
    assert code == 0, printed
    assert "rivers 2d.txt.gz -> mirror/quiet-rivers.example/v1/rivers%202d.txt.gz\n" in done.stdout
    mirror = serve(folder, names)
    checked = run("check", "quiet-rivers", **seeing(site), EMBEDHUB_MIRROR=str(mirror), EMBEDHUB_OFFLINE="1")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.endswith("quiet-rivers: Everything matches the table.\n")


@pytest.mark.slow
def test_what_is_written_is_small_and_complete(folder: Path) -> None:
    """The module is one table; the metadata have the data's entry point, the license, a capped version."""
    (folder / "rivers.txt").write_bytes(writers.glove(WORDS, rows(3)))
    assert run("new-plugin", "embedhub-quiet-rivers", "rivers.txt", *FACTS).returncode == 0
    made = folder / "embedhub-quiet-rivers"
    assert sorted(str(path.relative_to(made)) for path in made.rglob("*") if path.is_file()) == [
        "README.md",
        "embedhub_quiet_rivers.py",
        "pyproject.toml",
        "tests/sample.3d.txt",
        "tests/test_embedhub_quiet_rivers.py",
    ]
    data = (folder / "rivers.txt").read_bytes()
    assert (
        (made / "embedhub_quiet_rivers.py").read_text("utf-8")
        == f'''\
"""The source quiet-rivers."""

from embedhub import RemoteFile, RemoteSource

SOURCE = RemoteSource(
    name="quiet-rivers",
    description="Vectors of 7 words in 3 dimensions",
    language="und",
    cased=False,
    vocab_size=7,
    license="CC-BY-4.0",
    citation="Me, \\"Quiet rivers\\" (2026)",
    homepage="https://quiet-rivers.example/v1/",
    fallbacks=("lower",),
    files={{
        3: RemoteFile(
            "https://quiet-rivers.example/v1/rivers.txt",
            known_hash="sha256:{sha256(data).hexdigest()}",
            size={len(data)},
            format="glove",
        ),
    }},
)
'''
    )
    project = tomllib.loads((made / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["license"] == "CC-BY-4.0"
    assert project["dependencies"] == ["embedhub>=0.1,<0.2"]
    assert project["entry-points"]["embedhub"] == {"quiet-rivers": "embedhub_quiet_rivers:SOURCE"}
    assert (made / "tests" / "sample.3d.txt").read_bytes() == b"".join(data.splitlines(keepends=True)[:5])
    readme = (made / "README.md").read_text("utf-8")
    for part in (
        "python -m pip install embedhub-quiet-rivers",
        'embedhub.keras_embedding("quiet-rivers", 3, word_index',
        f"| 3 | 7 | {len(data)} B |",
        "license: CC-BY-4.0",
        'cite: Me, "Quiet rivers" (2026)',
    ):
        assert part in readme


@pytest.mark.slow
def test_cased_words_are_noticed(folder: Path) -> None:
    """One word with a capital makes the source cased, without a fallback to lower case."""
    (folder / "rivers.txt").write_bytes(writers.glove([*WORDS[:-1], "Ärger"], rows(3)))
    assert run("new-plugin", "quiet-rivers", "rivers.txt", *FACTS, "--toml").returncode == 0
    table = tomllib.loads(Path("quiet-rivers.toml").read_text("utf-8"))
    assert table["cased"]
    assert "fallbacks" not in table


@pytest.mark.slow
def test_a_table_alone_is_a_source(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With --toml there is one file, the table, which is a source with all dims."""
    names = write_each_format(folder)
    done = run("new-plugin", "quiet-rivers", *names, *FACTS, "--toml", "--description", "Rivers,\n quiet")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("quiet-rivers.toml\n")
    assert "EMBEDHUB_MIRROR=mirror embedhub check quiet-rivers.toml" in done.stdout
    assert not (folder / "embedhub-quiet-rivers").exists()
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(serve(folder, names)))
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    for dim in (2, 3, 4, 6, 7):
        vectors = embedhub.load("quiet-rivers.toml", dim)
        assert list(vectors.words) == WORDS
        assert vectors.matrix.tobytes() == rows(dim).tobytes()
    assert 'description = "Rivers, quiet"' in Path("quiet-rivers.toml").read_text("utf-8")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (FACTS[:4], "--citation must be given with files: what to cite. "),
        (FACTS[2:], "--url must be given with files: where the files are or will be. "),
        ((*FACTS[:2], *FACTS[4:]), "--license must be given with files: the license of the vectors. "),
        ((*FACTS, "--license", " "), "--license must be given with files: the license of the vectors. "),
        (
            FACTS[:2],
            "--license and --citation must be given with files: the license of the vectors, and what to cite",
        ),
    ],
)
def test_facts_that_only_the_author_knows_are_required(
    given: tuple[str, ...], message: str, folder: Path
) -> None:
    """Without an address, a license or a citation nothing is written, and the message explains these."""
    (folder / "rivers.txt").write_bytes(writers.glove(WORDS, rows(3)))
    done = run("new-plugin", "quiet-rivers", "rivers.txt", *given)
    assert done.returncode == 2
    assert message in done.stderr
    assert [path.name for path in folder.iterdir()] == ["rivers.txt"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "given",
    [
        ("--license", "TODO"),
        ("--license", " "),
        ("--citation", "fill in citation"),
        ("--description", "???"),
        ("--url", "https://example.org/v1/"),
        ("--homepage", "https://www.example.com/"),
    ],
)
@pytest.mark.parametrize("files", [["rivers.txt"], []], ids=["files", "skeleton"])
def test_placeholders_are_refused(given: tuple[str, str], files: list[str], folder: Path) -> None:
    """A text that stands for one that is yet to be written is refused, with or without files."""
    (folder / "rivers.txt").write_bytes(writers.glove(WORDS, rows(3)))
    done = run("new-plugin", "quiet-rivers", *files, *(FACTS if files else ()), *given)
    assert done.returncode == 2
    if given[1].strip():
        assert f"{given[0]} is {given[1]!r}, a placeholder; expected " in done.stderr
    assert [path.name for path in folder.iterdir()] == ["rivers.txt"]


@pytest.mark.slow
def test_two_sets_of_vectors_of_one_dim_are_refused(folder: Path) -> None:
    """Two files of one dim must hold the same vectors; the message names both."""
    (folder / "a.txt").write_bytes(writers.glove(WORDS, rows(3)))
    (folder / "b.txt").write_bytes(writers.glove(WORDS, -rows(3)))
    done = run("new-plugin", "quiet-rivers", "a.txt", "b.txt", *FACTS)
    assert done.returncode == 2
    assert "a.txt and b.txt both have dim 3, but different vectors" in done.stderr
    (folder / "c").mkdir()
    (folder / "c" / "a.txt").write_bytes(writers.glove(WORDS, rows(4)))
    done = run("new-plugin", "quiet-rivers", "a.txt", "c/a.txt", *FACTS)
    assert done.returncode == 2
    assert "Two files are named 'a.txt', so both have one URL" in done.stderr


@pytest.mark.slow
def test_files_that_are_no_vectors_are_refused(folder: Path) -> None:
    """A file that is missing or malformed is its error, and nothing is written."""
    (folder / "page.txt").write_text("<!DOCTYPE html>\n<html>", "utf-8")
    for name, words in (("page.txt", "got a web page"), ("gone.txt", "there is no such file")):
        done = run("new-plugin", "quiet-rivers", name, *FACTS)
        assert done.returncode == 1
        assert words in done.stderr
    assert [path.name for path in folder.iterdir()] == ["page.txt"]


@pytest.mark.slow
def test_members_that_are_not_deflated_are_refused(folder: Path) -> None:
    """A member that cannot be downloaded by itself is refused, with what to do."""
    with zipfile.ZipFile(folder / "all.zip", "w", zipfile.ZIP_STORED) as archive:
        archive.writestr("rivers.txt", writers.glove(WORDS, rows(3)))
    done = run("new-plugin", "quiet-rivers", "all.zip#rivers.txt", *FACTS)
    assert done.returncode == 2
    assert "Pack it with deflate" in done.stderr


FORMAT_PLUGIN = """
import numpy as np
from embedhub import Block, Detected, Format

def read(path, dim):
    yield Block(["bread"], np.ones((1, dim), np.float32))

def detect(start, path):
    return Detected(2) if start.startswith(b"BRED") else None

from embedhub import hookimpl

@hookimpl
def embedhub_formats():
    return [Format("bread", read, detect=detect)]
"""


@pytest.mark.slow
def test_formats_of_plugins_are_refused_with_what_to_do(folder: Path, tmp_path: Path) -> None:
    """A file in a format of another plugin has no name in a table; the message says how to name it."""
    add_distribution(tmp_path / "site", "embedhub-bread", FORMAT_PLUGIN)
    (folder / "loaf").write_bytes(b"BRED")
    done = run("new-plugin", "quiet-rivers", "loaf", *FACTS, **seeing(tmp_path / "site"))
    assert done.returncode == 2
    assert "loaf is in the format 'bread', which comes from the plugin embedhub-bread (" in done.stderr
    assert "is written by hand, with RemoteFile(..., format=FORMAT)" in done.stderr


@pytest.mark.slow
def test_a_skeleton_says_what_to_fill_in(folder: Path, install: Callable[..., None]) -> None:
    """Without files it can be installed, and its tests fail for its placeholders alone, by their names."""
    done = run("new-plugin", "embedhub-mycorpus")
    assert done.returncode == 0, done.stderr
    made = folder / "embedhub-mycorpus"
    install(folder / "site", made)
    code, printed = run_tests(made, folder / "site")
    assert code == 1
    assert re.search(r"\n1 failed, \d+ passed in", printed)
    assert "mycorpus: description is 'fill in description', a placeholder. Say what" in printed
    done = run("new-plugin", "mycorpus", "--folder", "other", "--license", "MIT", "--description", "Mine")
    assert done.returncode == 0, done.stderr
    text = (folder / "other" / "embedhub_mycorpus.py").read_text("utf-8")
    assert 'license="MIT"' in text
    assert 'citation="fill in citation"' in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("embedhub-", "expected lowercase letters"),
        ("embedhub-My", "expected lowercase letters"),
        ("embedhub-../up", "expected lowercase letters"),
        ("embedhub-glove-6b", "embedhub.registry.builtin.glove provides 'glove-6b' already"),
        ("glove-6b", "embedhub.registry.builtin.glove provides 'glove-6b' already"),
    ],
)
def test_invalid_names_are_refused(name: str, words: str, folder: Path) -> None:
    """A name of another form, or of an existing source, is wrong usage, and nothing is written."""
    done = run("new-plugin", name)
    assert done.returncode == 2
    assert words in done.stderr
    assert not list(folder.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(("distribution", "code"), [("embedhub-rivers", 0), ("embedhub-others", 2)])
def test_author_makes_the_next_version(distribution: str, code: int, folder: Path, tmp_path: Path) -> None:
    """The name of a source is free to the distribution that provides it, and to no other."""
    (folder / "rivers.txt").write_bytes(writers.glove(WORDS, rows(2)))
    assert run("new-plugin", "rivers", "rivers.txt", *FACTS).returncode == 0
    module = (folder / "embedhub-rivers" / "embedhub_rivers.py").read_text("utf-8")
    site = tmp_path / "site"
    add_distribution(site, distribution, module, attribute="SOURCE")
    done = run("new-plugin", "rivers", "rivers.txt", *FACTS, "--folder", "next", **seeing(site))
    assert done.returncode == code, done.stderr


@pytest.mark.slow
def test_nothing_is_overwritten(folder: Path) -> None:
    """An existing file is wrong usage, and all files stay unchanged; other files do not matter."""
    (folder / "LICENSE").write_text("mine", "utf-8")
    (folder / "README.md").write_text("mine", "utf-8")
    done = run("new-plugin", "embedhub-mycorpus", "--folder", ".")
    assert done.returncode == 2
    assert "README.md exists already; nothing was written." in done.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["LICENSE", "README.md"]
    (folder / "README.md").unlink()
    assert run("new-plugin", "embedhub-mycorpus", "--folder", ".").returncode == 0
    assert (folder / "LICENSE").read_text("utf-8") == "mine"


@pytest.mark.parametrize(
    ("text", "expression"),
    [
        ("cc-by-4.0", "CC-BY-4.0"),
        ("MIT OR Apache-2.0", "MIT OR Apache-2.0"),
        ("LicenseRef-WordNet-3.0", "LicenseRef-WordNet-3.0"),
        ("my own terms (2026)", "LicenseRef-my-own-terms-2026"),
    ],
)
def test_licenses_are_spdx_expressions_in_the_metadata(text: str, expression: str) -> None:
    """What is not an SPDX expression becomes a LicenseRef, since the metadata of a distribution need one."""
    assert spdx_expression(text) == expression
