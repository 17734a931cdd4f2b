"""The pages docs/catalog.md, of all sources of the project, and docs/catalog/, of each of them.

`make_pages.py` writes them. Sources that differ in their language only, a family, have one row and one page.
"""

import re
import sys
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from html import escape
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any

import embedhub
from embedhub import EmbeddingSource, RemoteFile, RemoteSource
from embedhub.cli.app import format_disk, format_download
from embedhub.registry.catalog import bibtex, describe, families, family_description, family_name

ROOT = Path(__file__).parents[1]
PLUGINS = ROOT / "plugins"

Family = list[dict[str, Any]]


def pages() -> dict[str, str]:
    """Return the pages by name, without the mark of generated pages."""
    groups = {
        provider: families([_entry(source, provider) for source in sources])
        for provider, sources in _providers().items()
    }
    made = {"catalog.md": _catalog(groups)}
    for provider, group in groups.items():
        for family in group:
            made[f"catalog/{_page_name(family)}"] = "\n".join(_page(provider, family)).rstrip() + "\n"
    return made


def _catalog(groups: dict[str, list[Family]]) -> str:
    """Return the page with a row for each source or family."""
    count = sum(len(family) for group in groups.values() for family in group)
    lines = [
        "# Catalog of sources",
        "",
        (
            f"{count:,} sources. Sources that differ only in their language are one row. Each name links to "
            "a page with addresses, checksums, the citation and the line of code. `embedhub list` shows the "
            "sources that are installed."
        ),
        "",
        "| name | description | language | dim | words | case | download | license |",
        "|---|---|---|---|---|---|---|---|",
    ]
    lines += [_row(family) for group in groups.values() for family in group]
    lines += [
        "",
        (
            "*Download* is the size of the smallest and of the largest file; `<` marks an upper limit, `?` "
            "an unknown size or number of words."
        ),
        "",
        (
            "More vectors than a table can list have a scheme in place of names: a decade of HistWords is "
            "`histwords://eng-all/1990`, subwords of BPEmb are `bpemb://en/10000:100`. The plugins that "
            "provide them are listed in [Installation](install.md#sources)."
        ),
    ]
    return "\n".join(lines) + "\n"


def _row(family: Family) -> str:
    first = family[0]
    dims = [dim["dim"] for dim in first["dims"]]
    languages = [entry["language"] for entry in family]
    single = len(family) == 1
    downloads = [_download(dim) for dim in first["dims"]] if single else ["?"]
    # What javascripts/catalog.js filters by.
    data = {
        "languages": " ".join(languages),
        "names": ";".join(_languages(family)),
        "dims": " ".join(map(str, dims)),
        "megabytes": " ".join(_megabytes(dim) if single else "" for dim in first["dims"]),
    }
    marks = " ".join(f'data-{name}="{escape(value)}"' for name, value in data.items())
    cells = [
        f"[`{family_name(family)}`](catalog/{_page_name(family)})<span {marks}></span>",
        _text(family_description(family)),
        languages[0] if single else f"{len(set(languages))} languages",
        ", ".join(map(str, dims)),
        _count(first["words"]) if single else "",
        _case(first),
        _range(downloads),
        first["license"],
    ]
    return f"| {' | '.join(cells)} |"


def _page(provider: str, family: Family) -> Iterator[str]:
    """Give the lines of the page of a source or family."""
    first = family[0]
    single = len(family) == 1
    example = next((entry for entry in family if entry["language"] == "en"), first)
    yield from [f"# {_text(family_name(family))}", "", f"{_text(family_description(family))}.", ""]
    if provider != "embedhub":
        yield from ["```sh", f"python -m pip install ./plugins/{provider}", "```", ""]
    dim = example["dims"][0]["dim"]
    yield from [
        "```python",
        "import embedhub",
        "",
        f'embedding = embedhub.keras_embedding("{example["name"]}", {dim}, word_index)',
        "```",
        "",
        (
            "`word_index` is your vocabulary: see the [quick start](../start.md). "
            "All sources are in the [catalog](../catalog.md)."
        ),
        "",
        "| | |",
        "|---|---|",
    ]
    facts = {
        "language": first["language"]
        if single
        else f"{len({entry['language'] for entry in family})} languages",
        "dimensions": ", ".join(str(dim["dim"]) for dim in first["dims"]),
        "words": _count(first["words"]) if single else "",
        "case": _case(first),
        "vectors of": f"{first['unit']}s",
        "fallbacks": ", ".join(f"`{step}`" for step in first["fallbacks"]) or "none",
        "license": first["license"],
        "homepage": f"<{first['homepage']}>",
        "package": provider,
    }
    yield from (f"| {name} | {value} |" for name, value in facts.items() if value)
    yield from ["", "## Citation", "", first["citation"], "", "```bibtex", first["bibtex"], "```", ""]
    yield from _scores(first["name"])
    yield from _files(first) if single else _members(family)


def _files(entry: dict[str, Any]) -> Iterator[str]:
    """Give the part with the files of a source, dimensions of the same files together."""
    yield from ["## Files", ""]
    if not any(_addresses(entry, dim) for dim in entry["dims"]):
        yield from ["The vectors are inside the package.", ""]
        return
    yield from [
        "If there are several addresses, they are tried in this order, and have the same vectors.",
        "",
    ]
    for addresses, group in groupby(entry["dims"], lambda dim: _addresses(entry, dim)):
        dims = list(group)
        disk = [format_disk(dim["store_bytes"], measured=False) for dim in dims]
        yield from [
            f"### {', '.join(str(dim['dim']) for dim in dims)} dimensions",
            "",
            f"Download {_download(dims[0])}, on disk {_range(disk)}.",
            "",
            *(f"1. {address}" for address in addresses),
            "",
        ]


def _members(family: Family) -> Iterator[str]:
    """Give the part with the sources of a family."""
    yield from ["## Sources", "", "| name | language | | words | file |", "|---|---|---|---|---|"]
    for entry, language in zip(family, _languages(family), strict=True):
        files = "<br>".join(address for dim in entry["dims"] for address in _addresses(entry, dim))
        yield f"| `{entry['name']}` | {language} | {entry['language']} | {_count(entry['words'])} | {files} |"


def _addresses(entry: dict[str, Any], dim: dict[str, Any]) -> list[str]:
    """Return the addresses of a dimension, each with its facts, and with those of its companion files."""
    source = entry["source"]
    if not isinstance(source, RemoteSource):
        return []
    return [" with ".join(map(_address, file.all_files)) for file in source.candidates(dim["dim"])]


def _address(file: RemoteFile) -> str:
    facts = [
        f"member `{file.member}`" if file.member else "",
        f"{file.size:,} bytes" if file.size else "",
        f"`{file.known_hash}`" if file.known_hash else "no published checksum",
    ]
    return f"<{file.url}> ({', '.join(fact for fact in facts if fact)})"


@cache
def _measured() -> dict[str, dict[str, dict[int, str]]]:
    """Return the scores in the tables of the pages: source, benchmark and dimension, 0 for the coverage."""
    measured: dict[str, dict[str, dict[int, str]]] = {}
    for table in _tables("evaluation.md", "benchmark"):
        columns = _columns(table[0])
        for benchmark, *cells in table[2:]:
            for (name, dim), cell in zip(columns, cells, strict=True):
                measured.setdefault(name, {}).setdefault(benchmark, {})[dim] = cell
    for table in _tables("choose-a-source.md", "source"):
        tasks = table[0][2::2]
        for name, dims, *cells in table[2:]:
            for task, score, interval in zip(tasks, cells[::2], cells[1::2], strict=True):
                scores = measured.setdefault(name.strip("`"), {}).setdefault(f"accuracy on {task}", {})
                scores[int(dims or 0)] = f"{score} ({interval.replace('%', '')})"
    return measured


def _tables(page: str, first: str) -> Iterator[list[list[str]]]:
    """Give the tables of a page whose first heading is this one, as rows of cells."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    for table in re.findall(rf"(?m)^\| {first} \|.*\n(?:\|.*\n)+", text):
        yield [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def _columns(heading: list[str]) -> list[tuple[str, int]]:
    """Return the source and the dimension of each column, as in "`glove-6b` 50 | 100 | covered"."""
    columns = []
    name = ""
    for cell in heading[1:]:
        *named, dim = cell.split()
        name = named[0].strip("`") if named else name
        columns.append((name, int(dim) if dim.isdecimal() else 0))
    return columns


def _scores(name: str) -> Iterator[str]:
    """Give the part with the measured scores of a source, if there are any."""
    rows = _measured().get(name)
    if not rows:
        return
    dims = sorted({dim for row in rows.values() for dim in row} - {0})
    yield from [
        "## Scores",
        "",
        (
            "With 95 % confidence intervals; `-` was not measured. [Evaluation](../evaluation.md) explains "
            "the benchmarks, [Choose a source](../choose-a-source.md#accuracy-on-your-task) the accuracies."
        ),
        "",
        f"| benchmark | {' | '.join(f'{dim} dimensions' for dim in dims)} | covered |",
        f"|---|{'---|' * len(dims)}---|",
    ]
    for benchmark, row in rows.items():
        cells = [row.get(dim, "-") for dim in dims]
        yield f"| {benchmark} | {' | '.join(cells)} | {row.get(0, '-')} |"
    yield ""


def _languages(family: Family) -> list[str]:
    """Return the names of a family's languages, by which its descriptions differ; of a source alone, none."""
    start, _, end = family_description(family).partition("...")
    return [
        entry["description"].removeprefix(start).removesuffix(end) for entry in family[len(family) == 1 :]
    ]


def _download(dim: dict[str, Any]) -> str:
    return format_download(dim["download_bytes"], dim["download_bytes_at_most"])


def _megabytes(dim: dict[str, Any]) -> str:
    """Return the size of a download, nothing if it is unknown."""
    size = dim["download_bytes"] if dim["download_bytes"] is not None else dim["download_bytes_at_most"]
    return "?" if size is None else f"{size / 1e6:.1f}"


def _range(sizes: list[str]) -> str:
    return " to ".join(dict.fromkeys((sizes[0], sizes[-1])))


def _count(count: int | None) -> str:
    return "?" if count is None else f"{count:,}"


def _case(entry: dict[str, Any]) -> str:
    return "cased" if entry["cased"] else "uncased"


def _page_name(family: Family) -> str:
    return f"{family_name(family).replace('*', 'xx')}.md"


def _text(text: str) -> str:
    """Return text in which Markdown sees no marks."""
    return re.sub(r"[|<*_\[\]]", r"\\\g<0>", text)


def _entry(source: EmbeddingSource, provider: str) -> dict[str, Any]:
    """Return the metadata of a source, the same whatever is in the cache."""
    entry = describe(source, provider)
    entry |= {"words": source.vocab_size, "bibtex": bibtex(source), "source": source}
    for dim in entry["dims"]:
        dim["store_bytes"] = source.store_size(dim["dim"])
    return entry


def _providers() -> dict[str, list[EmbeddingSource]]:
    """Return the sources of each distribution of the project."""
    sources = embedhub.sources()
    own = [
        source
        for name, source in sources.items()
        if sources.provider(name).startswith("embedhub.registry.builtin")
    ]
    return {"embedhub": own} | dict(_plugin_sources())


def _plugin_sources() -> Iterator[tuple[str, list[EmbeddingSource]]]:
    """Give the sources of each distribution in plugins/, which need not be installed."""
    for file in sorted(PLUGINS.glob("*/pyproject.toml")):
        points = tomllib.loads(file.read_text("utf-8"))["project"]["entry-points"].get("embedhub", {})
        with _importable(file.parent):
            sources = [source for target in points.values() for source in _sources(target)]
        if sources:
            yield file.parent.name, sorted(sources, key=lambda source: source.name)


def _sources(target: str) -> list[EmbeddingSource]:
    """Return the sources of an entry point."""
    name, _, attribute = target.partition(":")
    module = import_module(name)
    if attribute:
        return [getattr(module, attribute)]
    return list(module.embedhub_sources()) if hasattr(module, "embedhub_sources") else []


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Make the modules of a folder importable."""
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
