"""Pages that MkDocs gets from the code: the catalog of sources, the API reference, the commands.

`mkdocs.yml` names this file in `hooks`. `python tools/docs_hooks.py catalog` prints a page.
"""

import ast
import logging
import re
import sys
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

import embedhub
from embedhub import EmbeddingSource, RemoteSource
from embedhub.cli.app import app

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files

ROOT = Path(__file__).parents[1]
# MkDocs counts the warnings of loggers below its own, and --strict makes them errors.
_log = logging.getLogger("mkdocs.hooks.embedhub")

MODULES: dict[str, tuple[str, ...]] = {
    "embedhub.matrix.tokenizers": ("treebank_tokenize", "get_tokenizer", "count_words", "TOKENIZERS"),
    "embedhub.matrix.word_counts": ("read_counts",),
    "embedhub_eval.analogies": ("read",),
    "embedhub_eval.labeled": ("read_labeled",),
    "embedhub_eval.testing": ("BenchmarkContract",),
    "embedhub_eval.word_pairs": ("read",),
    "embedhub.formats.glove": ("read",),
    "embedhub.formats.word2vec": ("read_text", "read_binary"),
    "embedhub.formats.fasttext": ("read",),
    "embedhub.formats.static_embeddings": ("read",),
    "embedhub.formats.numberbatch": ("read", "language"),
    "embedhub.vectors.vocabulary": ("Vocabulary",),
    "embedhub.vectors.subwords": ("Subwords",),
    "embedhub.registry.registry": ("Registry",),
    "embedhub.testing.contract": ("SourceContract",),
    "embedhub.testing.format_contract": ("FormatContract",),
}
"""Modules with public names of their own, beside those of `embedhub` itself."""

_ON_OTHER_PAGES = {"embedhub.errors"}


def on_files(files: "Files", config: "MkDocsConfig") -> "Files":
    """Add the generated pages to those of docs/."""
    from mkdocs.structure.files import File

    for folder in sorted(ROOT.glob("plugins/*/pyproject.toml")):
        name = folder.parent.name
        try:
            metadata.distribution(name)
        except metadata.PackageNotFoundError:
            _log.warning("The catalog lacks %s: python -m pip install --no-deps ./plugins/%s", name, name)
    files.append(File.generated(config, "catalog.md", content=catalog()))
    files.append(File.generated(config, "reference.md", content=reference()))
    files.append(File.generated(config, "parts.md", content=parts()))
    files.append(File.generated(config, "commands.md", content=commands()))
    for script in _mermaid():
        files.append(File.generated(config, f"mermaid/{script.name}", abs_src_path=str(script)))
    return files


def _mermaid() -> list[Path]:
    """Return the scripts of Mermaid, as nicegui ships them, so that the site loads none from elsewhere."""
    package = find_spec("nicegui")
    if package is None or package.origin is None:
        _log.warning("The drawings need Mermaid: python -m pip install --no-deps nicegui")
        return []
    return sorted(Path(package.origin).with_name("elements").glob("mermaid/dist/*.js"))


def catalog() -> str:
    """Return the page of all sources that are installed, by who provides them."""
    sources = embedhub.sources()
    providers: dict[str, list[EmbeddingSource]] = {}
    for name, source in sources.items():
        # "embedhub-fasttext (fasttext)" is a plugin; embedhub's own are named by their modules.
        provider = sources.provider(name).partition(" (")[0]
        own = provider.startswith("embedhub.")
        providers.setdefault("embedhub" if own else provider, []).append(source)
    lines = [
        "# Catalog of sources",
        "",
        (
            f"{len(sources):,} sources, as their tables say when this page is built; `embedhub.sources()` is "
            "the same in Python. A size is that of the file of vectors; of a member of an archive, that of "
            "the member unpacked, and less is fetched. `-` where it is not published."
        ),
    ]
    for provider in sorted(providers, key=lambda provider: (provider != "embedhub", provider)):
        lines += ["", f"## {provider}", ""]
        if provider != "embedhub":
            lines += [f"    python -m pip install ./plugins/{provider}", ""]
        lines += [
            "| name | description | dims | words | language | cased | size | license |",
            "|---|---|---|---|---|---|---|---|",
            *map(_row, providers[provider]),
        ]
        pages = dict.fromkeys(source.homepage for source in providers[provider])
        cited = dict.fromkeys(source.citation for source in providers[provider])
        lines += ["", *(f"- Cite: {citation}" for citation in cited), *(f"- <{page}>" for page in pages)]
    return "\n".join(lines) + "\n"


def _row(source: EmbeddingSource) -> str:
    sizes = [
        [sum(part.size or 0 for part in file.all_files) for file in source.candidates(dim)[:1]]
        for dim in source.dims
        if isinstance(source, RemoteSource)
    ]
    cells = [
        f"`{source.name}`",
        source.description,
        ", ".join(map(str, source.dims)),
        "-" if source.vocab_size is None else f"{source.vocab_size:,}",
        source.language,
        "yes" if source.cased else "no",
        ", ".join(f"{size / 1e6:,.0f} MB" if size else "-" for (size,) in sizes) or "in the package",
        source.license,
    ]
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


def reference() -> str:
    """Return the page with the docstrings of the names of `embedhub`."""
    lines = ["# Python", "", "What is here is public, and changes only as Semantic Versioning says.", ""]
    for package in ("embedhub", "embedhub_text", "embedhub_eval"):
        for home, names in sorted(_public_names(package).items()):
            if home not in _ON_OTHER_PAGES:
                lines += [f"## {_subject(home)}", "", *_directives(home, tuple(names))]
    return "\n".join(lines)


def _public_names(package: str) -> dict[str, list[str]]:
    """Return the public names of a package by the module that each is in, from its stub."""
    stub = Path(str(import_module(package).__file__)).with_suffix(".pyi")
    homes: dict[str, list[str]] = {}
    for node in ast.walk(ast.parse(stub.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            homes.setdefault(f"{package}.{node.module}", []).extend(alias.name for alias in node.names)
    return homes


def parts() -> str:
    """Return the page with the docstrings of the names of other modules."""
    lines = ["# Parts", "", "For authors of plugins, and for those who take single steps. Also public.", ""]
    for module, names in MODULES.items():
        lines += [f"## {_subject(module)}", "", f"`{module}`", "", *_directives(module, names)]
    return "\n".join(lines)


def commands() -> str:
    """Return the page with the help of each command."""
    root = typer.main.get_command(app)
    lines = [
        "# The command",
        "",
        (
            "What `embedhub --help` and `embedhub COMMAND --help` say. The exit code is 0, 1 for a failed "
            "task, 2 for wrong usage, 130 after Ctrl-C; an error is one paragraph on stderr. Results go to "
            "stdout, with `--json`, where a command has it, as JSON."
        ),
        "",
        str(getattr(root, "epilog", "")),
        "",
        *_command(root, typer.Context(root, info_name="embedhub")),
    ]
    return "\n".join(lines)


def _command(command: Any, context: Any) -> list[str]:
    """Return the part of a command, and those of its own commands."""
    text, _, examples = command.help.partition("Examples:\n")
    # A paragraph that is wrapped for a terminal is one paragraph.
    lines = [f"## {context.command_path}", "", _as_text(text.strip()), ""]
    usage = " ".join(command.get_usage(context).removeprefix("Usage: ").split())
    lines += ["```text", usage, "```", ""]
    if examples:
        lines += ["```sh", *(line.strip() for line in examples.strip().splitlines()), "```", ""]
    records = [param.get_help_record(context) for param in command.get_params(context)]
    shown = [record for record in records if record and record[0] != "--help"]
    if shown:
        lines += ["| argument or option | what it is |", "|---|---|"]
        lines += [f"| `{name}` | {_as_text(' '.join(text.split()))} |" for name, text in shown]
        lines.append("")
    for name in command.list_commands(context) if hasattr(command, "list_commands") else ():
        inner = command.get_command(context, name)
        lines += _command(inner, typer.Context(inner, info_name=name, parent=context))
    return lines


def _as_text(text: str) -> str:
    """Return text in which Markdown sees no marks but those of code."""
    return re.sub(r"[|<*_\[\]]", r"\\\g<0>", text)


def _directives(module: str, names: tuple[str, ...]) -> list[str]:
    return [f"::: {module}.{name}\n" for name in names]


def _subject(module: str) -> str:
    """Return what a module is about: the beginning of its docstring."""
    # Not imported: some want Keras, which the site is built without.
    spec = find_spec(module)
    file = Path(str(spec and spec.origin))
    text = (ast.get_docstring(ast.parse(file.read_text("utf-8"))) or "").split("\n\n")[0]
    return re.split(r"[:.](?= |$)", " ".join(text.split()))[0]


if __name__ == "__main__":
    print(
        {"catalog": catalog, "commands": commands, "reference": reference, "parts": parts}[sys.argv[1]](),
        end="",
    )
