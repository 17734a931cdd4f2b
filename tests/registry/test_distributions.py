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
from typing import Any

import bibtex
import numpy as np
import pages
import pytest
from children import PATIENCE
from numpy.typing import NDArray
from safetensors.numpy import save_file
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

import embedhub
from embedhub import RemoteSource
from embedhub.download.remote_file import Fetched
from embedhub.errors import ChecksumError, UnexpectedEndError, UnverifiedWarning
from embedhub.vectors.blocks import Block, ExtraFile

ROOT = Path(__file__).parents[2]
# Those for texts and evaluation are installed with embedhub itself, and tested by this very run.
PLUGINS = sorted(
    path.parent
    for path in (ROOT / "plugins").glob("*/pyproject.toml")
    if path.parent.name not in {"embedhub-text", "embedhub-eval"}
)

# Those that name their sources by a scheme only.
SCHEMES = {"embedhub-bpemb", "embedhub-derive", "embedhub-histwords", "embedhub-huggingface"}


def environment(site: Path) -> dict[str, str]:
    """Return the environment in which the distributions of a folder are installed."""
    bin_folder = str(Path(sys.executable).parent)
    return {
        **os.environ,
        "PATH": os.pathsep.join([bin_folder, os.environ.get("PATH", "")]),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # plugins of pytest take longer to load than most tests
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPATH": str(site),
    }


def run_tests(folder: Path, site: Path) -> str:
    """Run the tests of a distribution that is installed, and return what pytest prints; they must pass."""
    # -P: what is installed is tested, not the files of the folder.
    command = [sys.executable, "-P", "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment(site),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="session")
def bundled(tmp_path_factory: pytest.TempPathFactory, install: Callable[..., None]) -> Path:
    """Install a wheel of every plugin of this project together, and return the place."""
    site = tmp_path_factory.mktemp("bundled")
    install(site, *PLUGINS)
    return site


@pytest.mark.slow
@pytest.mark.parametrize(
    "folder",
    # The smallest one by default; the others take half a minute.
    [
        pytest.param(folder, marks=() if folder.name == "embedhub-word2vec" else pytest.mark.slow)
        for folder in PLUGINS
    ],
    ids=[folder.name for folder in PLUGINS],
)
def test_plugin_passes_its_tests(folder: Path, bundled: Path) -> None:
    """Each plugin, installed from its wheel with all others, passes its own tests."""
    assert " passed" in run_tests(folder, bundled)


# The hundreds of languages of fastText have one row each, for all families.
IN_TABLE_OF_LANGUAGES = re.compile(r"fasttext-(cc|wiki|aligned)-(?!news)(.+?)(-subword)?")
LISTING = "(sources.provider(name), name, source.dims, source.vocab_size, source.citation)"


def listed(site: Path, expression: str, more: str = "") -> list[Any]:
    """Return the values of an expression for each source that is installed in a folder."""
    code = (
        "import json, embedhub\nsources = embedhub.sources()\n"
        f"print(json.dumps([{expression} for name, source in sources.items() {more}]))"
    )
    command = [sys.executable, "-P", "-W", "error", "-c", code]
    done = subprocess.run(
        command, env=environment(site), capture_output=True, text=True, check=True, timeout=PATIENCE
    )
    values: list[Any] = json.loads(done.stdout)
    return values


def test_plugin_readme_lists_every_source(bundled: Path) -> None:
    """The README of a plugin has name, dims, number of words and citation of each of its sources."""
    listing = listed(bundled, LISTING)
    assert {provider.split()[0] for provider, *_ in listing} >= {folder.name for folder in PLUGINS} - SCHEMES
    for folder in PLUGINS:
        readme = " ".join((folder / "README.md").read_text("utf-8").split())
        assert folder.name in (ROOT / "plugins" / "README.md").read_text("utf-8")
        for provider, name, dims, words, citation in listing:
            if provider.startswith(f"{folder.name} "):
                if language := IN_TABLE_OF_LANGUAGES.fullmatch(name):
                    assert f"`fasttext-{language[1]}-<code>{language[3] or ''}`" in readme
                    assert f"| `{language[2]}` | " in readme
                    assert not words or f"{words:,}" in readme
                else:
                    row = f"| `{name}` | {', '.join(map(str, dims))} | {f'{words:,}' if words else ''}"
                    assert row in readme
                assert citation in readme


@pytest.mark.slow
def test_each_source_is_cited_in_bibtex(bundled: Path) -> None:
    """A source has one entry of BibTeX, in ASCII, which names the people, year and title of its citation."""
    by_key: dict[str, set[str]] = {}
    for name, citation, entry in listed(bundled, "(name, source.citation, source.bibtex)"):
        kind, key, fields = bibtex.parse(entry)
        by_key.setdefault(key, set()).add(entry)
        assert entry.isascii(), name
        assert bibtex.REQUIRED[kind] <= fields.keys(), name
        assert fields["year"] in citation, name
        assert fields["title"] in citation, name
        for person in (fields.get("author") or fields["editor"]).split(" and "):
            family, _, given = person.partition(", ")
            assert f"{given} {family}" in citation, name
    assert all(re.fullmatch("[a-z]+[0-9]{4}[a-z0-9]+", key) for key in by_key)
    assert {key for key, entries in by_key.items() if len(entries) > 1} == set()


def test_archive_has_one_hash_and_one_size(bundled: Path) -> None:
    """All members of an archive agree about it, and where its hash is published, its size is known too."""
    found = listed(
        bundled,
        "(file.url, (file.archive_hash, file.archive_size))",
        "if isinstance(source, embedhub.RemoteSource)"
        " for dim in source.dims for file in source.candidates(dim) if file.member",
    )
    archives: dict[str, set[tuple[str | None, int | None]]] = {}
    for url, (known_hash, size) in found:
        archives.setdefault(url, set()).add((known_hash, size))
    assert {url for url, facts in archives.items() if len(facts) > 1} == set()
    assert {url for url, [(known_hash, size)] in archives.items() if known_hash and not size} == set()


def test_catalog_has_every_source(bundled: Path) -> None:
    """Each source is on one page, with citation and addresses; the catalog links to each page once."""
    folder = ROOT / "docs" / "catalog"
    texts = {path.name: path.read_text("utf-8") for path in folder.glob("*.md")}
    catalog = (ROOT / "docs" / "catalog.md").read_text("utf-8")
    assert sorted(re.findall(r"\(catalog/([^)]+)\)", catalog)) == sorted(texts)
    homes: dict[str, str] = {}
    for page, text in texts.items():
        # A family has a table of its sources; the page of one source has its name as the heading.
        names = re.findall(r"(?m)^\| `([^`]+)` \|", text.partition("## Sources")[2])
        for name in names or re.findall(r"(?m)^# (\S+)$", text):
            assert name not in homes
            homes[name] = page
    facts = listed(
        bundled,
        "(name, (source.citation, source.language, [part.url for dim in source.dims for file in "
        "getattr(source, 'candidates', lambda dim: ())(dim) for part in file.all_files]))",
    )
    assert sorted(homes) == sorted(name for name, _ in facts)
    assert len(facts) > 500
    for name, (citation, language, urls) in facts:
        text = texts[homes[name]]
        assert citation in text, name
        assert all(f"<{url}>" in text for url in urls), name
        (row,) = re.findall(rf"(?m)^.*\(catalog/{homes[name]}\).*$", catalog)
        assert language in re.findall(r'data-languages="([^"]+)"', row)[0].split(), name


def blocks_of(source: RemoteSource, path: Path, dim: int) -> list[Block]:
    """Return what a source makes of a file."""
    return [block for block in source.parse(Fetched(path), dim) if not isinstance(block, ExtraFile)]


@pytest.fixture
def glove_sources(bundled: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, RemoteSource]:
    """Return the sources of embedhub-glove by name, from its wheel."""
    monkeypatch.syspath_prepend(bundled)
    module = import_module("embedhub_glove")
    assert module.__file__ == str(bundled / "embedhub_glove.py")
    return {source.name: source for source in module.SOURCES}


@pytest.mark.parametrize("name", ["glove-2024-wikigiga", "glove-twitter-27b"])
def test_glove_plugin_reads_lines_of_glove_6b(
    name: str,
    glove_sources: dict[str, RemoteSource],
    glove_sample: tuple[list[bytes], list[str], NDArray[np.float32]],
    tmp_path: Path,
) -> None:
    """The lines of GloVe 6B have the bits of their text also under the sources of the plugin."""
    lines, words, rows = glove_sample
    path = tmp_path / "vectors.txt"
    path.write_bytes(b"".join(lines))
    blocks = blocks_of(glove_sources[name], path, 50)
    assert [word for part, _ in blocks for word in part] == words
    assert b"".join(part.tobytes() for _, part in blocks) == rows.tobytes()


def test_mirror_with_other_bytes_serves_only_unpinned_members(
    glove_sources: dict[str, RemoteSource], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other bytes of a member are used with a warning where it is unpinned, else refused."""
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path / "mirror"))
    line = b"the" + 300 * b" 0.5" + b"\n"
    for name in ("glove-2024-dolma", "glove-840b"):
        (file,) = glove_sources[name].candidates(300)
        place = tmp_path / "mirror" / file.url.removeprefix("https://")
        place.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(str(file.member), line)
    with pytest.warns(UnverifiedWarning):
        vectors = glove_sources["glove-2024-dolma"].vectors(300)
    assert list(vectors.words) == ["the"]
    with pytest.raises(ChecksumError, match="expected 5,646,236,541 bytes"):
        glove_sources["glove-840b"].vectors(300)


@pytest.fixture
def fasttext_source(bundled: Path, monkeypatch: pytest.MonkeyPatch) -> RemoteSource:
    """Return fasttext-wiki-en of embedhub-fasttext, from its wheel."""
    monkeypatch.syspath_prepend(bundled)
    from embedhub_fasttext import embedhub_sources

    (source,) = (source for source in embedhub_sources() if source.name == "fasttext-wiki-en")
    return source


def parse_cut_file(source: RemoteSource, path: Path, rows: int) -> tuple[list[str], NDArray[np.float32]]:
    """Return what comes of a file with fewer rows than the source has before the error that says so."""
    blocks: list[Block | ExtraFile] = []
    with pytest.raises(UnexpectedEndError, match=f"declares {source.vocab_size} vectors, .* has {rows}"):
        blocks.extend(source.parse(Fetched(path), 300))
    pairs = [block for block in blocks if not isinstance(block, ExtraFile)]
    return [word for words, _ in pairs for word in words], np.concatenate([part for _, part in pairs])


def test_fasttext_plugin_reads_a_truncated_file(
    fasttext_source: RemoteSource,
    glove_sample: tuple[list[bytes], list[str], NDArray[np.float32]],
    tmp_path: Path,
) -> None:
    """Real vectors, joined to 300 numbers as fastText writes them, are read bit for bit; then an error."""
    lines, words, rows = glove_sample
    numbers = [line.split(b" ", 1)[1].strip() for line in lines]
    joined = (b" ".join([word.encode(), *numbers[i : i + 6], b"\n"]) for i, word in enumerate(words[:100]))
    path = tmp_path / "wiki.en.vec"
    path.write_bytes(b"%d 300\n" % (fasttext_source.vocab_size or 0) + b"".join(joined))
    read_words, parsed = parse_cut_file(fasttext_source, path, 100)
    assert read_words == words[:100]
    assert parsed.tobytes() == b"".join(rows[i : i + 6].tobytes() for i in range(100))


def test_static_plugin_builds_a_layer_for_a_tokenizer(
    glove_20k: embedhub.Vectors, bundled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each number of a tokenizer over GloVe's words is the row of its token; padding is zeros."""
    monkeypatch.syspath_prepend(bundled)
    from embedhub_static import layer_and_tokenizer

    tokens = ["[PAD]", "[UNK]", *glove_20k.words]
    made = Tokenizer(models.WordPiece({token: i for i, token in enumerate(tokens)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    made.save(str(tmp_path / "tokenizer.json"))
    ends = np.stack([np.full(50, 0.5, np.float32), np.full(50, -0.5, np.float32)])
    rows = np.concatenate([ends, glove_20k.matrix])
    save_file({"embeddings": rows}, tmp_path / "model.safetensors")
    layer, tokenizer = layer_and_tokenizer(embedhub.load(tmp_path / "model.safetensors"))
    text = tokenizer.encode("It rains, qwxz.")
    assert text.tokens == ["it", "rains", ",", "[UNK]", "."]
    assert np.array_equal(
        layer(np.array([text.ids]))[0], rows[[tokens.index(token) for token in text.tokens]]
    )
    assert np.array_equal(layer.get_weights()[0][1:], rows[1:])
    assert not layer.get_weights()[0][0].any()


def test_plugins_read_the_files_of_publishers(
    real_data: Path,
    glove_sources: dict[str, RemoteSource],
    fasttext_source: RemoteSource,
    tmp_path: Path,
) -> None:
    """Files of GloVe 840B, fastText and potion have the expected words and tokenizer."""
    formats = real_data / "formats"
    if not formats.is_dir():
        pytest.skip("needs the first lines of the publishers' files in ../shared/data/formats")
    with zipfile.ZipFile(formats / "glove" / "glove.840B.300d.first100.zip") as archive:
        archive.extractall(tmp_path)
    source = glove_sources["glove-840b"]
    [(words, rows)] = blocks_of(source, tmp_path / "glove.840B.300d.txt", 300)
    assert words[:4] == [",", ".", "the", "and"]
    assert rows.shape == (100, 300)
    [(words, _)] = blocks_of(source, formats / "glove" / "nbsp.glove.txt", 300)
    assert words == ["topaz", ".\u00a0.\u00a0.", "CentOS"]

    read_words, _ = parse_cut_file(fasttext_source, formats / "fasttext" / "wiki.en.first100.vec", 99)
    assert len(read_words) == 99
    assert read_words[:4] == [",", ".", "the", "</s>"]

    from embedhub_static import layer_and_tokenizer

    vectors = embedhub.load(formats / "static" / "model2vec-float32" / "model.safetensors")
    layer, tokenizer = layer_and_tokenizer(vectors)
    text = tokenizer.encode("It rains, unbelievably.")
    assert text.tokens == ["it", "rains", ",", "un", "##bel", "##ie", "##va", "##bly", "."]
    assert np.array_equal(layer(np.array([text.ids]))[0], vectors.lookup(text.tokens))
    assert np.array_equal(layer.get_weights()[0][1:], vectors.matrix[1:])


@pytest.mark.slow
def test_plugin_guide_prints_the_shown_output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps of the guide for plugin authors have the results that it shows."""
    site = tmp_path / "site"
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    # pip, offline, into a folder of this test instead of the environment that all tests share.
    pip = {"NO_BUILD_ISOLATION": "0", "NO_DEPS": "1", "NO_INDEX": "1", "TARGET": str(site)}
    for name, value in (environment(site) | {f"PIP_{name}": value for name, value in pip.items()}).items():
        monkeypatch.setenv(name, value)
    _, printed = pages.run(ROOT / "docs" / "writing-a-plugin.md", monkeypatch)
    assert re.search(r"\b1[0-9] passed", printed)
