"""The plugin distributions, the template and the author's guide, as anybody would use them."""

import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import numpy as np
import pages
import pytest
from children import PATIENCE
from command import run

import embedhub
from embedhub import ChecksumError, EmbeddingSource, UnexpectedEndError, UnpinnedWarning
from embedhub.files import Block, Extra
from embedhub.new_plugin import write

ROOT = Path(__file__).parents[1]
PLUGINS = sorted(path.parent for path in (ROOT / "plugins").glob("*/pyproject.toml"))


@pytest.fixture(scope="session")
def shared_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a cache for all processes of this module, so that the reader is compiled once."""
    return tmp_path_factory.mktemp("shared-cache")


@pytest.fixture
def environment(shared_cache: Path) -> Callable[[Path], dict[str, str]]:
    """Return a function that gives the environment in which what is in a folder is installed."""
    bin_folder = str(Path(sys.executable).parent)
    return lambda site: {
        **os.environ,
        "EMBEDHUB_CACHE": str(shared_cache),
        "PATH": os.pathsep.join([bin_folder, os.environ.get("PATH", "")]),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(site),
    }


def run_tests(folder: Path, environment: dict[str, str]) -> str:
    """Run the tests of a distribution that is installed, and return what pytest prints; they must pass."""
    # -P: what is installed is tested, not the files of the folder.
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="session")
def bundled(tmp_path_factory: pytest.TempPathFactory, install: Callable[..., None]) -> Path:
    """Install a wheel of every plugin of this project together, and return the place."""
    site = tmp_path_factory.mktemp("bundled")
    install(site, *PLUGINS)
    return site


@pytest.mark.parametrize("folder", PLUGINS, ids=lambda folder: folder.name)
def test_a_plugin_passes_its_tests_among_the_others(
    folder: Path, bundled: Path, environment: Callable[[Path], dict[str, str]]
) -> None:
    """Each plugin, installed from its wheel with all others, passes its own tests."""
    assert " passed" in run_tests(folder, environment(bundled))


LISTING = """
import json, embedhub
sources = embedhub.sources()
print(json.dumps([
    (sources.provider(name), name, source.dims, source.words, source.citation)
    for name, source in sources.items()
]))
"""


def test_a_readme_tells_of_every_source(bundled: Path, environment: Callable[[Path], dict[str, str]]) -> None:
    """The README of a plugin has name, dims, number of words and citation of each source that it provides."""
    command = [sys.executable, "-P", "-W", "error", "-c", LISTING]
    done = subprocess.run(
        command, env=environment(bundled), capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    listing = json.loads(done.stdout)
    assert {provider.split()[0] for provider, *_ in listing} >= {folder.name for folder in PLUGINS}
    for folder in PLUGINS:
        readme = " ".join((folder / "README.md").read_text("utf-8").split())
        assert folder.name in (ROOT / "plugins" / "README.md").read_text("utf-8")
        for provider, name, dims, words, citation in listing:
            if provider.startswith(f"{folder.name} "):
                row = f"| `{name}` | {', '.join(map(str, dims))} | {f'{words:,}' if words else ''}"
                assert row in readme
                assert citation in readme


def test_the_catalogue_has_every_source(bundled: Path, environment: Callable[[Path], dict[str, str]]) -> None:
    """The page of sources has one row for each, and comes out the same whatever the order of sets."""
    pages_made = set()
    for seed in ("1", "2"):
        command = [sys.executable, "-P", str(ROOT / "tools" / "docs_hooks.py"), "catalogue"]
        settings = environment(bundled) | {"PYTHONHASHSEED": seed}
        done = subprocess.run(
            command, env=settings, capture_output=True, text=True, check=True, timeout=PATIENCE
        )
        pages_made.add(done.stdout)
    (page,) = pages_made
    done = subprocess.run(
        [sys.executable, "-P", "-c", LISTING],
        env=settings,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    )
    names = [name for _, name, *_ in json.loads(done.stdout)]
    assert sorted(re.findall(r"(?m)^\| `([^`]+)` \|", page)) == sorted(names)
    assert len(names) > 500
    assert re.findall(r"(?m)^## (\S+)$", page) == ["embedhub", *(folder.name for folder in PLUGINS)]


def blocks_of(source: EmbeddingSource, path: Path) -> list[Block]:
    """Return what a source makes of a file of dim 300."""
    return [block for block in source.parse(path, 300) if not isinstance(block, Extra)]


@pytest.fixture
def glove_sources(bundled: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, EmbeddingSource]:
    """Return the sources of embedhub-glove by name, from its wheel."""
    monkeypatch.syspath_prepend(bundled)
    module = import_module("embedhub_glove")
    assert module.__file__ == str(bundled / "embedhub_glove.py")
    return {source.name: source for source in module.SOURCES}


def test_real_lines_of_glove_are_read(
    real_data: Path, glove_sources: dict[str, EmbeddingSource], tmp_path: Path
) -> None:
    """The first lines of the real 840B, and its word with no-break spaces, are what they should be."""
    folder = real_data / "formats" / "glove"
    with zipfile.ZipFile(folder / "glove.840B.300d.first100.zip") as archive:
        archive.extractall(tmp_path)
    source = glove_sources["glove-840b"]
    [(words, rows)] = blocks_of(source, tmp_path / "glove.840B.300d.txt")
    assert words[:4] == [",", ".", "the", "and"]
    assert rows.shape == (100, 300)
    [(words, _)] = blocks_of(source, folder / "nbsp.glove.txt")
    assert words == ["topaz", ".\u00a0.\u00a0.", "CentOS"]


def test_a_mirror_with_other_bytes_serves_only_what_is_not_pinned(
    glove_sources: dict[str, EmbeddingSource], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A member is found in its archive; unpinned it comes with a warning, pinned it does not come."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path / "mirror"))
    line = b"the" + 300 * b" 0.5" + b"\n"
    for name in ("glove-2024-dolma", "glove-840b"):
        (file,) = glove_sources[name].files[300]
        place = tmp_path / "mirror" / file.url.removeprefix("https://")
        place.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(str(file.member), line)
    with pytest.warns(UnpinnedWarning):
        vectors = glove_sources["glove-2024-dolma"].vectors(300)
    assert list(vectors.words) == ["the"]
    with pytest.raises(ChecksumError, match="expected 5,646,236,541 bytes"):
        glove_sources["glove-840b"].vectors(300)


def test_real_lines_of_fasttext_are_read(
    real_data: Path, bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the first lines of the real Wikipedia come all rows, and that most of the file is missing."""
    monkeypatch.syspath_prepend(bundled)
    from embedhub_fasttext import embedhub_sources

    (source,) = (source for source in embedhub_sources() if source.name == "fasttext-wiki-en")
    lines = real_data / "formats" / "fasttext" / "wiki.en.first100.vec"
    blocks: list[Block | Extra] = []
    with pytest.raises(UnexpectedEndError, match=f"promises {source.words} rows, the file has 99"):
        blocks.extend(source.parse(lines, 300))
    words = [word for block in blocks if not isinstance(block, Extra) for word in block[0]]
    assert len(words) == 99
    assert words[:4] == [",", ".", "the", "</s>"]


def test_the_real_tokenizer_of_potion_goes_with_its_layer(
    real_data: Path, bundled: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the real tokenizer each number is the row of its token, and no special token has strayed in."""
    monkeypatch.syspath_prepend(bundled)
    from embedhub_static import layer_and_tokenizer

    vectors = embedhub.load(real_data / "formats" / "static" / "model2vec-float32" / "model.safetensors")
    layer, tokenizer = layer_and_tokenizer(vectors)
    text = tokenizer.encode("It rains, unbelievably.")
    assert text.tokens == ["it", "rains", ",", "un", "##bel", "##ie", "##va", "##bly", "."]
    assert np.array_equal(layer(np.array([text.ids]))[0], vectors.lookup(text.tokens))
    assert np.array_equal(layer.get_weights()[0][1:], vectors.matrix[1:])


def test_a_new_plugin_passes_its_tests_at_once(
    tmp_path: Path, install: Callable[..., None], environment: Callable[[Path], dict[str, str]]
) -> None:
    """What `embedhub new-plugin` writes can be installed as it is, and its tests pass."""
    done = run("new-plugin", "embedhub-mycorpus", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "embedhub-mycorpus"
    assert {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()} == {
        "README.md",
        "embedhub_mycorpus.py",
        "pyproject.toml",
        "tests/sample.txt",
        "tests/test_embedhub_mycorpus.py",
    }
    install(tmp_path / "site", folder)
    assert "12 passed" in run_tests(folder, environment(tmp_path / "site"))


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("mycorpus", "expected 'embedhub-' and lower-case letters"),
        ("embedhub-", "expected 'embedhub-' and lower-case letters"),
        ("embedhub-My", "expected 'embedhub-' and lower-case letters"),
        ("embedhub-../up", "expected 'embedhub-' and lower-case letters"),
        ("embedhub-glove-6b", "embedhub.builtin.glove provides 'glove-6b' already"),
    ],
)
def test_a_new_plugin_needs_a_good_name(name: str, words: str, tmp_path: Path) -> None:
    """A name of another form, or of a source that exists, is wrong usage, and nothing is written."""
    with pytest.raises(ValueError, match=words):
        write(name, tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_new_plugin_overwrites_nothing(tmp_path: Path) -> None:
    """A file that is there is wrong usage, and all stays as it is; other files do not matter."""
    (tmp_path / "LICENSE").write_text("mine", "utf-8")
    (tmp_path / "README.md").write_text("mine", "utf-8")
    done = run("new-plugin", "embedhub-mycorpus", "--folder", ".", cwd=tmp_path)
    assert done.returncode == 2
    assert "README.md is there already; nothing was written." in " ".join(
        re.sub("[│╭╮╰╯─]", "", done.stderr).split()
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["LICENSE", "README.md"]
    (tmp_path / "README.md").unlink()
    assert run("new-plugin", "embedhub-mycorpus", "--folder", ".", cwd=tmp_path).returncode == 0
    assert (tmp_path / "LICENSE").read_text("utf-8") == "mine"


def test_the_guide_leads_from_an_empty_folder_to_a_layer(
    tmp_path: Path, environment: Callable[[Path], dict[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever follows the author's guide to the letter gets what it shows."""
    site = tmp_path / "site"
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    # pip, offline, into a folder of this test instead of the environment that all tests share.
    pip = {"NO_BUILD_ISOLATION": "0", "NO_DEPS": "1", "NO_INDEX": "1", "TARGET": str(site)}
    for name, value in (environment(site) | {f"PIP_{name}": value for name, value in pip.items()}).items():
        monkeypatch.setenv(name, value)
    _, printed = pages.run(ROOT / "docs" / "writing-a-plugin.md", monkeypatch)
    assert "12 passed" in printed
