"""`embedhub list`, `info` and `download`, and the facts behind them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import add_plugin, in_terminal, run, seeing, without_styles

import embedhub
from embedhub import Block, ComputedSource, RemoteFile, RemoteSource
from embedhub.registry.catalog import bibtex, describe, list_sources


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with plugins: one that is broken, two that give one name, one whose source fails."""
    site = tmp_path_factory.mktemp("site")
    add_plugin(site, "embedhub-broken", "1 / 0")
    add_plugin(site, "embedhub-one", "source('same', license='MIT')")
    add_plugin(site, "embedhub-two", "source('same', license='CC0-1.0')")
    add_plugin(
        site,
        "embedhub-fails",
        "type('Odd', (RemoteSource,), {'dims': property(lambda self: 1 / 0)})(name='odd', "
        "files={2: RemoteFile('https://example.org/a.bin')}, "
        "description='', language='en', cased=True, license='', citation='', homepage='')",
    )
    return site


def test_list_has_a_line_for_each_source(cache: Path) -> None:
    """It says what a source is, its dimensions, the sizes of their downloads, and which are in the cache."""
    assert run("download", "wordnet-ppmi:25").returncode == 0
    done = run("list")
    assert (done.returncode, done.stderr) == (0, "")
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert re.search(
        r"50, 100, 200, 300 +400,000 +en +69\.2 MB to 394\.4 MB +no  +GloVe on ",
        lines["glove-6b"],
    )
    assert re.search(r"25, 50, 100 +78,781 +en +none +25  +Positive PMI ", lines["wordnet-ppmi"])


@pytest.mark.posix
@pytest.mark.slow
def test_lines_of_a_pipe_are_stable() -> None:
    """A pipe gets the same columns however wide the terminal is, at least two spaces apart."""
    header, *lines = run("list", "--all", COLUMNS="40").stdout.splitlines()
    columns = ["name", "dims", "words", "language", "download", "cached", "description"]
    assert header.split() == columns
    for line in lines:
        assert len(re.split(" {2,}", line)) == len(columns)
    shown = without_styles(in_terminal("list", COLUMNS="250"))
    assert {"license", "provider"} <= set(shown.splitlines()[0].split())


@pytest.mark.posix
@pytest.mark.slow
def test_a_terminal_shows_the_plugins_with_more_sources(tmp_path: Path) -> None:
    """Its last line names the plugins that are not installed; a pipe has sources only."""
    add_plugin(tmp_path, "embedhub-numberbatch", "source('mine')")
    shown = " ".join(without_styles(in_terminal("list", **seeing(tmp_path))).split())
    _, mark, last = shown.partition(" More: plugins ")
    assert mark
    assert last.endswith(" (docs/catalog.md)")
    assert "embedhub-static" in last
    assert "embedhub-numberbatch" not in last
    assert "More: plugins" not in run("list").stdout


@pytest.mark.slow
def test_sources_that_differ_in_language_are_one_line(tmp_path: Path) -> None:
    """A family is one line, unless --all is given or a filter leaves few of it; JSON has all."""
    languages = {"de": "German", "fr": "French", "en-GB": "British English", "tlh": "Klingon"}
    sources = ", ".join(
        f"source({f'rivers-{code[:2]}-small'!r}, language={code!r}, description='Texts in {name}, cased')"
        for code, name in languages.items()
    )
    others = ", ".join(f"source({f'rivers-{size}'!r})" for size in ("s", "m", "l"))
    news = "source('rivers-news-small', citation='Another publication')"
    add_plugin(tmp_path, "embedhub-rivers", f"{sources}, {others}, {news}")
    seen = seeing(tmp_path)
    shown = run("list", "rivers", **seen).stdout.splitlines()[1:]
    assert [line.split()[0] for line in shown] == [
        "rivers-*-small",
        "rivers-l",
        "rivers-m",
        "rivers-news-small",
        "rivers-s",
    ]
    assert re.search(r" 4 of them +- +0 of 4 .* Texts in \.\.\., cased$", shown[0])
    assert len(run("list", "rivers", "--all", **seen).stdout.splitlines()) == 9
    assert len(json.loads(run("list", "rivers", "--json", **seen).stdout)) == 8
    (line,) = run("list", "rivers", "--language", "fr", **seen).stdout.splitlines()[1:]
    assert line.split()[0] == "rivers-fr-small"


@pytest.mark.slow
def test_list_is_filtered_and_is_json(site: Path) -> None:
    """A language and words filter the list; JSON has all details."""
    (entry,) = json.loads(run("list", "princeton", "--json", EMBEDHUB_DISABLE_PLUGINS="1").stdout)
    assert entry["name"] == "wordnet-ppmi"
    assert [dim["dim"] for dim in entry["dims"]] == [25, 50, 100]
    entries = json.loads(run("list", "--language", "TLH", "--json", **seeing(site)).stdout)
    assert [(entry["name"], entry["license"], entry["clash"]) for entry in entries] == [
        ("same", "MIT", True),
        ("same", "CC0-1.0", True),
    ]
    done = run("list", "nothing", "of", "the", "kind")
    assert done.returncode == 0
    assert "No source matches" in done.stderr


def test_broken_plugins_do_not_affect_other_sources(site: Path) -> None:
    """A broken plugin is one line of warning; a clash and a failing source are shown in the list."""
    done = run("list", **seeing(site))
    assert done.returncode == 0
    (warning,) = done.stderr.splitlines()
    assert warning.startswith("Warning: The embedhub plugin embedhub-broken (embedhub-broken) is skipped")
    assert "ZeroDivisionError" in warning
    assert done.stdout.count("(a clash: see embedhub info)") == 2
    assert re.search(r"odd .*broken: ZeroDivisionError: .*\(plugin embedhub-fails", done.stdout)
    assert "wordnet-ppmi" in done.stdout


def test_info_shows_all_details_of_a_source() -> None:
    """Hashes, URLs, sizes, license, citation and provider are shown, for each dimension and candidate."""
    shown = run("info", "glove-6b").stdout
    for fact in (
        "https://nlp.stanford.edu/data/glove.6B.zip#glove.6B.300d.txt",
        "1,037,962,819 bytes, sha256:91125602f730fea7ca768736c6f442e668b49db095682bf2aad375db061c21ed",
        "glove-wiki-gigaword-200.gz",
        "md5:59652db361b7a87ee73834a6c391dfc1",
        "PDDL-1.0",
        "EMNLP 2014, 1532-1543.",
        "provider   embedhub.registry.builtin.glove",
        "dim 50: download 69.2 MB, on disk ~ 92.8 MB, not in the cache",
        "fallbacks  lower",
    ):
        assert fact in shown


def test_info_shows_the_fingerprint_of_vectors_in_the_cache() -> None:
    """A dimension without a store has none."""
    fingerprint = embedhub.load("wordnet-ppmi", 25).fingerprint
    assert run("info", "wordnet-ppmi").stdout.count(f"    fingerprint {fingerprint}\n") == 1
    described = json.loads(run("info", "wordnet-ppmi", "--json").stdout)
    assert [dim["fingerprint"] for dim in described["dims"]] == [fingerprint, None, None]


def test_info_of_a_clash_shows_both(site: Path) -> None:
    """A name that two plugins provide is shown twice, and is an error as everywhere else."""
    done = run("info", "same", **seeing(site))
    assert done.returncode == 1
    assert "license    MIT" in done.stdout
    assert "license    CC0-1.0" in done.stdout
    error = done.stderr.splitlines()[-1]
    assert error.startswith("Error: The source name 'same' is provided by embedhub-one (embedhub-one) and by")


@pytest.mark.slow
def test_info_accepts_the_path_of_a_file(tmp_path: Path) -> None:
    """The path of a file is a source, without a provider."""
    (tmp_path / "my.vec").write_text("2 3\nmusic 1 2 3\nrain 4 5 6\n", "utf-8")
    entry = json.loads(run("info", tmp_path / "my.vec", "--json").stdout)
    assert (entry["name"], entry["provider"]) == ("my-vec", None)
    assert [(dim["dim"], dim["download_bytes"], dim["store"]) for dim in entry["dims"]] == [(3, 0, None)]
    done = run("info", tmp_path / "absent.vec")
    assert done.returncode == 1
    assert done.stderr == f"Error: {tmp_path / 'absent.vec'}: there is no such file.\n"


def test_bibtex_is_an_entry() -> None:
    """The entry of a source is printed, and nothing else."""
    done = run("info", "wordnet-ppmi", "--bibtex")
    assert done.stdout.startswith("@book{fellbaum1998wordnet,\n  editor = {Fellbaum, Christiane},\n")
    assert done.stdout.endswith("\n}\n")


def test_plain_citation_is_a_note() -> None:
    """Without an entry of its own a source has its citation as a note, with the year as a field."""
    assert bibtex(source_of(citation="Me, ed. (1998). Press.", homepage="https://example.org/")) == (
        "@misc{made-up,\n"
        "  title = {{made-up: 100 \\% made \\& up}},\n"
        "  note = {Me, ed. (1998). Press.},\n"
        "  year = {1998},\n"
        "  howpublished = {\\url{https://example.org/}},\n"
        "}"
    )


def source_of(**options: Any) -> RemoteSource:
    """Return a source with some of its metadata."""
    plain: dict[str, Any] = {
        "files": {2: RemoteFile("https://example.org/a.txt")},
        "language": "en",
        "cased": True,
        "license": "",
        "citation": "",
        "homepage": "",
    }
    return RemoteSource(name="made-up", description="100 % made & up", **(plain | options))


def test_bibtex_escapes_plain_citations() -> None:
    """Special characters of TeX are escaped; the BibTeX of a source is returned unchanged."""
    entry = bibtex(source_of(citation="A_B {2020}, 2021: 50 % & more # ~ ^ \\ $"))
    assert r"  title = {{made-up: 100 \% made \& up}}," in entry
    note = r"A\_B \{2020\}, 2021: 50 \% \& more \# \textasciitilde{} \textasciicircum{} \textbackslash{} \$"
    assert f"  note = {{{note}}},\n" in entry
    assert "year" not in entry
    assert "howpublished" not in entry
    assert bibtex(source_of(citation="Me", bibtex="@article{me,\n}\n")) == "@article{me,\n}"
    assert bibtex(source_of(citation="@me (2020)")).startswith("@misc{made-up,")
    assert bibtex(source_of()).count("\n") == 2


def test_an_unknown_size_stays_unknown() -> None:
    """The download of a zip member has only an upper limit, its inflated size; without a size it is None."""
    url = "https://example.org/a.zip"
    member = RemoteFile(url=url, member="a.txt", size=1000, format="glove")
    unknown = RemoteFile(url=url, format="glove")
    small, large = describe(source_of(files={2: (member,), 3: (unknown,)}))["dims"]
    assert (small["download_bytes"], small["download_bytes_at_most"], small["store_bytes"]) == (
        None,
        1000,
        None,
    )
    assert (large["download_bytes"], large["download_bytes_at_most"]) == (None, None)


@pytest.mark.parametrize(
    ("size", "archive_size", "at_most"),
    [(1000, 300, 300), (1000, 3000, 1000), (None, 300, 300), (1000, None, 1000)],
)
def test_download_is_at_most_the_archive(size: int | None, archive_size: int | None, at_most: int) -> None:
    """The upper limit of a download is the size of the archive, where that is smaller."""
    url = "https://example.org/a.zip"
    file = RemoteFile(url, member="a.txt", size=size, archive_size=archive_size, format="glove")
    (dim,) = describe(source_of(files={2: file}))["dims"]
    assert (dim["download_bytes"], dim["download_bytes_at_most"]) == (None, at_most)


def test_words_are_those_of_the_store() -> None:
    """The number of words is the declared one until there is a store, and then what the store has."""

    def compute(dim: int) -> Iterator[Block]:
        yield Block(["rain", "storm", "rain"], np.ones((3, dim), np.float32))

    facts: dict[str, Any] = {
        "description": "",
        "language": "en",
        "license": "",
        "citation": "",
        "homepage": "",
    }
    source = ComputedSource(
        name="miscounted", dims=(2, 3), version=1, compute=compute, cased=True, vocab_size=5, **facts
    )
    assert [describe(source)["words"], *(dim["words"] for dim in describe(source)["dims"])] == [5, 5, 5]
    words = len(source.vectors(3))
    assert [describe(source)["words"], *(dim["words"] for dim in describe(source)["dims"])] == [
        words,
        5,
        words,
    ]
    assert (describe(source)["unit"], describe(source)["bibtex"]) == ("word", "")


def test_the_catalog_has_what_the_command_lists() -> None:
    """A function returns the entries that the command prints as JSON."""
    entries = list_sources(language="en")
    assert {entry["name"] for entry in entries} >= {"glove-6b", "wordnet-ppmi"}
    assert json.loads(json.dumps(entries)) == entries
    (entry,) = (entry for entry in list_sources(text="Stanford PDDL") if entry["name"] == "glove-6b")
    assert entry == describe("glove-6b") | {"clash": False}


@pytest.mark.slow
def test_download_builds_and_reports_the_place(cache: Path) -> None:
    """Each dimension is built, with its place, size and time printed; the second time nothing is built."""
    done = run("download", "wordnet-ppmi:25", "wordnet-ppmi:50", EMBEDHUB_PROGRESS="1")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert re.fullmatch(r"wordnet-ppmi 25d: 78,781 words, 10\.4 MB, built in [\d.]+ s: (.+)", first)
    assert Path(first.rpartition(": ")[2], "matrix.npy").is_file()
    assert second.startswith("wordnet-ppmi 50d: ")
    assert "Building wordnet-ppmi 50d" in done.stderr
    again = run("download", "wordnet-ppmi:25")
    assert again.stdout.startswith("wordnet-ppmi 25d: 78,781 words, 10.4 MB, in the cache already: ")
    (entry,) = json.loads(run("download", "wordnet-ppmi:50", "--json").stdout)
    assert (entry["words"], entry["built"]) == (78_781, False)
    assert entry["bytes"] == sum(file.stat().st_size for file in Path(entry["store"]).iterdir())


@pytest.mark.slow
def test_download_checks_all_dims_first(cache: Path) -> None:
    """An unknown dimension, or none where there are several, is an error before anything is built."""
    done = run("download", "wordnet-ppmi:25", "wordnet-ppmi:26")
    assert done.returncode == 1
    assert done.stderr == "Error: 'wordnet-ppmi' has no dim 26; its dims are 25, 50, 100.\n"
    done = run("download", "wordnet-ppmi")
    assert done.returncode == 1
    assert "several dims: 25, 50, 100. Name one, as in 'wordnet-ppmi:25'" in done.stderr
    assert not (cache / "vectors").exists()


@pytest.mark.slow
def test_download_downloads_once(small_plugin: dict[str, str], cache: Path) -> None:
    """A source is downloaded and built by the first `download`; the second one needs no mirror."""
    first, second = (
        run("download", "small-glove-6b:50", **small_plugin, **more)
        for more in ({}, {"EMBEDHUB_OFFLINE": "1"})
    )
    assert re.match(r"small-glove-6b 50d: 20,000 words, 4\.6 MB, built in [\d.]+ s: ", first.stdout), (
        first.stderr
    )
    assert re.match(r"small-glove-6b 50d: 20,000 words, 4\.6 MB, in the cache already: ", second.stdout), (
        second.stderr
    )
    entry = json.loads(run("list", "small-glove-6b", "--json", **small_plugin).stdout)[0]
    assert [dim["store"] is not None for dim in entry["dims"]] == [True]


@pytest.mark.slow
def test_download_of_a_file_needs_no_dim(tmp_path: Path) -> None:
    """The dimension of a file is known from the file."""
    (tmp_path / "my.bin").write_bytes(b"1 2\nrain " + bytes(8) + b"\n")
    done = run("download", tmp_path / "my.bin")
    assert done.stdout.startswith("my-bin 2d: 1 words, "), done.stderr
