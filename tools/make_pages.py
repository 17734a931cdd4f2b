"""Pages of docs/ that are made from the code: the catalog of sources, the API reference, the commands.

    python tools/make_pages.py

writes them. They are committed, so that they can be read without building the site;
`tests/project/test_generated_pages.py` compares them with the code.
"""

import ast
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cache, cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import catalog_pages
import typer

import embedhub
from embedhub.cli.app import app

ROOT = Path(__file__).parents[1]
MARK = "<!-- Made by tools/make_pages.py: change the code, and run it again. -->"
MODULES: dict[str, tuple[str, ...]] = {
    "embedhub.matrix.tokenizers": ("treebank_tokenize", "get_tokenizer", "count_words", "TOKENIZERS"),
    "embedhub.matrix.word_counts": ("read_counts",),
    "embedhub_eval.analogies": ("read",),
    "embedhub_eval.labeled": ("read_labeled",),
    "embedhub_eval.testing": ("BenchmarkContract",),
    "embedhub_eval.word_pairs": ("read",),
    "embedhub.formats.export": ("ExportWriter",),
    "embedhub.formats.selection": ("Selection",),
    "embedhub.formats.glove": ("read",),
    "embedhub.formats.word2vec": ("read_text", "read_binary"),
    "embedhub.formats.fasttext": ("read",),
    "embedhub.formats.static_embeddings": ("read",),
    "embedhub.formats.numberbatch": ("read", "language"),
    "embedhub.vectors.vocabulary": ("Vocabulary",),
    "embedhub.vectors.subwords": ("Subwords",),
    "embedhub.registry.registry": ("Registry",),
    "embedhub.registry.locking": ("write_lock", "check_lock"),
    "embedhub.testing.contract": ("SourceContract",),
    "embedhub.testing.format_contract": ("FormatContract",),
}
"""Modules with public names of their own, beside those of `embedhub` itself."""

# What a user meets first comes first.
_ROOMS = ("layers", "matrix", "registry", "vectors", "formats", "download")
_SECTION = re.compile(r"(?m)^(Args|Returns|Yields|Raises|Warns|Attributes|Examples?):$")
_ENTRY = re.compile(r"(?ms)^(\**\w[\w.]*): (.*?)(?=^\S|\Z)")
_TITLES = {"Args": "Arguments", "Example": "Example", "Examples": "Example"}


def main() -> None:
    """Write the pages, and remove those that the code makes no longer."""
    made = pages()
    for old in (ROOT / "docs" / "catalog").glob("*.md"):
        if f"catalog/{old.name}" not in made:
            old.unlink()
    for name, content in made.items():
        (ROOT / "docs" / name).parent.mkdir(exist_ok=True)
        (ROOT / "docs" / name).write_text(content, "utf-8")


def pages() -> dict[str, str]:
    """Return the pages by name."""
    made = {"commands.md": commands(), "reference.md": reference(), "parts.md": parts()}
    return {name: f"{MARK}\n\n{text}" for name, text in (catalog_pages.pages() | made).items()}


def commands() -> str:
    """Return the page with the help of each command."""
    root = typer.main.get_command(app)
    lines = [
        "# Commands",
        "",
        (
            "`embedhub COMMAND --help` prints the same. Results go to stdout, with `--json`, where a command "
            "has it, as JSON; an error is one paragraph on stderr. The exit status is 0 for success, 1 for a "
            "failed task, 2 for invalid usage, 130 after Ctrl-C."
        ),
        "",
        str(getattr(root, "epilog", "")),
        "",
        *_command(root, typer.Context(root, info_name="embedhub")),
    ]
    return "\n".join(lines).rstrip("\n") + "\n"


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
        lines += ["| argument or option | meaning |", "|---|---|"]
        lines += [f"| `{name}` | {_as_text(' '.join(text.split()))} |" for name, text in shown]
        lines.append("")
    names = command.list_commands(context) if hasattr(command, "list_commands") else ()
    inner = {name: command.get_command(context, name) for name in names}
    if inner:
        paths = {name: f"{context.command_path} {name}" for name in inner}
        lines += ["| command | |", "|---|---|"]
        lines += [
            f"| [`{path}`](#{path.replace(' ', '-')}) | {_as_text(inner[name].help.splitlines()[0])} |"
            for name, path in paths.items()
        ]
        lines.append("")
    for name, part in inner.items():
        lines += _command(part, typer.Context(part, info_name=name, parent=context))
    return lines


def _as_text(text: str) -> str:
    """Return text in which Markdown sees no marks but those of code."""
    return re.sub(r"[|<*_\[\]]", r"\\\g<0>", text)


def reference() -> str:
    """Return the page with the docstrings of the names of each package, and of the errors."""
    lines = [
        "# Python reference",
        "",
        "All names on this page are public, and follow Semantic Versioning.",
        "",
    ]
    for package in ("embedhub", "embedhub.bridges", "embedhub_text", "embedhub_eval"):
        for home, names in sorted(public_names(package).items(), key=_place):
            if home != "embedhub.errors":
                lines += [f"## {_subject(home)}", ""]
                for name in names:
                    lines += _entry(f"{package}.{name}", getattr(import_module(home), name))
    lines += ["## Errors and warnings", "", _text(inspect.getdoc(embedhub.errors) or ""), ""]
    for name, value in vars(embedhub.errors).items():
        if isinstance(value, type) and issubclass(value, Exception) and value.__module__ == "embedhub.errors":
            lines += _entry(f"embedhub.errors.{name}", value)
    return "\n".join(lines).rstrip("\n") + "\n"


def _place(item: tuple[str, list[str]]) -> tuple[int, str]:
    """Return where on the page a module comes."""
    room = item[0].split(".")[1]
    return (_ROOMS.index(room) if room in _ROOMS else len(_ROOMS), item[0])


def public_names(package: str) -> dict[str, list[str]]:
    """Return the public names of a package by the module that each is in, from its stub."""
    stub = Path(str(import_module(package).__file__)).with_suffix(".pyi")
    homes: dict[str, list[str]] = {}
    for node in ast.walk(ast.parse(stub.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            homes.setdefault(f"{package}.{node.module}", []).extend(alias.name for alias in node.names)
    return homes


def parts() -> str:
    """Return the page with the docstrings of the names of other modules."""
    lines = [
        "# Reference for plugin authors",
        "",
        "Modules for plugins, and for single steps. These names are public too.",
        "",
    ]
    for module, names in MODULES.items():
        lines += [f"## {_subject(module)}", ""]
        for name in names:
            lines += _entry(f"{module}.{name}", getattr(import_module(module), name))
    return "\n".join(lines).rstrip("\n") + "\n"


def _subject(module: str) -> str:
    """Return what a module is about: the beginning of its docstring."""
    text = (inspect.getdoc(import_module(module)) or "").split("\n\n")[0]
    return re.split(r"[:.](?= |$)", " ".join(text.split()))[0]


def _entry(path: str, value: Any) -> list[str]:
    """Return the heading, the signature and the docstring of a public name, and of its members."""
    lines = [f"### {path}", ""]
    name = path.rpartition(".")[2]
    if callable(value):
        types = _annotations(value)
        if not (isinstance(value, type) and issubclass(value, Exception)):
            lines += ["```text", _signature(name, value), "```", ""]
        lines += [_text(inspect.getdoc(value) or "", types), ""]
    else:
        module = import_module(path.rpartition(".")[0])
        lines += [_text(_comments(ast.parse(inspect.getsource(module))).get(name, "")), ""]
    if isinstance(value, type) and not issubclass(value, Exception):
        for member, function in _members(value):
            lines += _member(f"{name}.{member}", function)
    return lines


def _member(path: str, value: Any) -> list[str]:
    lines = [f"#### {path}", ""]
    function = (
        getattr(value, "fget", None) or getattr(value, "func", None) or getattr(value, "__func__", value)
    )
    if isinstance(value, str):
        return [*lines, _text(value), ""]
    if not isinstance(value, property | cached_property):
        lines += ["```text", _signature(path.rpartition(".")[2], function), "```", ""]
    return [*lines, _text(inspect.getdoc(function) or "", _annotations(function)), ""]


def _members(owner: type) -> Iterator[tuple[str, Any]]:
    """Give the public members of a class, its own first: functions, properties, described attributes."""
    seen = set()
    for base in owner.__mro__:
        if not base.__module__.startswith("embedhub"):
            continue
        described = _comments(_node(base))
        for name, value in [*vars(base).items(), *described.items()]:
            if name.startswith("_") or name in seen:
                continue
            if inspect.isfunction(value) or isinstance(
                value, property | cached_property | classmethod | staticmethod | str
            ):
                if isinstance(value, str) and name not in described:
                    continue
                seen.add(name)
                yield name, described.get(name, value)


@cache
def _node(value: Any) -> Any:
    """Return the code of a function or class as a tree."""
    return ast.parse(textwrap.dedent(inspect.getsource(value))).body[0]


def _comments(body: Any) -> dict[str, str]:
    """Return the texts that follow assignments in a module or class, by name."""
    found = {}
    for node, after in zip(body.body, body.body[1:], strict=False):
        text = isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant) and after.value.value
        if isinstance(text, str) and isinstance(node, ast.Assign | ast.AnnAssign):
            target = node.targets[0] if isinstance(node, ast.Assign) else node.target
            found[ast.unparse(target)] = inspect.cleandoc(text)
    return found


def _signature(name: str, value: Any) -> str:
    """Return a call with the names of all arguments and their defaults."""
    shown: list[str] = []
    keyword_only = False
    for parameter in inspect.signature(value).parameters.values():
        if parameter.name in {"self", "cls"}:
            continue
        if parameter.kind is parameter.KEYWORD_ONLY and not keyword_only:
            keyword_only = True
            shown.append("*")
        stars = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(parameter.kind.name, "")
        keyword_only |= stars == "*"
        default = parameter.default
        if default is not parameter.empty:
            text = getattr(default, "__name__", None) or repr(default)
            shown.append(f"{parameter.name}={text}")
        else:
            shown.append(stars + parameter.name)
    line = f"{name}({', '.join(shown)})"
    return line if len(line) <= 100 else "\n    ".join([f"{name}(", *(f"{part}," for part in shown)]) + "\n)"


def _annotations(value: Any) -> dict[str, str]:
    """Return the types of the arguments of a function or class as they are written in its code."""
    found: dict[str, str] = {}
    for owner in reversed(getattr(value, "__mro__", (value,))):
        if not owner.__module__.startswith("embedhub"):
            continue
        node = _node(inspect.unwrap(owner))
        nodes = [part for part in node.body if getattr(part, "name", "") == "__init__"] or [node]
        for part in [node, *nodes]:
            if isinstance(part, ast.ClassDef):
                fields = [inner for inner in part.body if isinstance(inner, ast.AnnAssign)]
                found |= {ast.unparse(inner.target): _type(inner.annotation) for inner in fields}
            else:
                every = [*part.args.posonlyargs, *part.args.args, *part.args.kwonlyargs]
                found |= {
                    argument.arg: _type(argument.annotation) for argument in every if argument.annotation
                }
    return found


def _type(node: ast.expr) -> str:
    """Return a type without the quotes of names that are imported late."""
    return ast.unparse(node).strip("'").replace("'", "")


def _text(docstring: str, types: dict[str, str] | None = None) -> str:
    """Return a docstring as Markdown."""
    first, *rest = _SECTION.split(docstring)
    made = [_prose(first)]
    for title, body in zip(rest[::2], rest[1::2], strict=True):
        section = textwrap.dedent(body.lstrip("\n")).rstrip()
        # What follows a section in the first column is text again.
        made.append(f"**{_TITLES.get(title, title)}**")
        if title in {"Example", "Examples"}:
            made.append(f"```pycon\n{section}\n```")
        elif title in {"Returns", "Yields"}:
            made.append(_prose(section))
        else:
            made.append("\n".join(_list(section, types or {})))
    return "\n\n".join(part for part in made if part)


def _list(section: str, types: dict[str, str]) -> Iterator[str]:
    for name, text in _ENTRY.findall(section):
        known = types.get(name.lstrip("*"))
        kind = f" (`{known}`)" if known else ""
        yield f"- `{name}`{kind}: {_prose(' '.join(text.split()))}"


def _prose(text: str) -> str:
    """Return text with code and literal blocks as Markdown has them, and without marks of other kinds."""
    text = re.sub(r"::$", ":", text.strip().replace("``", "`"), flags=re.MULTILINE)
    parts = re.split(r"(`[^`]*`|(?m:^    .*$))", text)
    return "".join(part if i % 2 else re.sub(r"[*_<\[\]]", r"\\\g<0>", part) for i, part in enumerate(parts))


if __name__ == "__main__":
    main()
