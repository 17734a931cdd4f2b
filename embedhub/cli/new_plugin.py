"""The command new-plugin: a small distribution whose own tests pass, for its author to fill in."""

import re
from importlib import resources
from pathlib import Path
from typing import Annotated

import typer

import embedhub
from embedhub.cli.app import app

_NAME = re.compile(r"embedhub-[a-z0-9]+(-[a-z0-9]+)*")

_TEMPLATE = (
    "pyproject.toml",
    "embedhub_my_corpus.py",
    "tests/test_embedhub_my_corpus.py",
    "tests/sample.txt",
    "README.md",
)
"""Files of the distribution embedhub-my-corpus, in embedhub/testing/template."""


@app.command()
def new_plugin(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the distribution: embedhub-<source>.")],
    folder: Annotated[
        Path | None, typer.Option(help="Folder to write to; by default one of that name in this folder.")
    ] = None,
) -> None:
    """Write a distribution that provides a source of your own, with passing tests.

    Examples:
      embedhub new-plugin embedhub-my-corpus
      embedhub new-plugin embedhub-my-corpus --folder .
    """
    if _NAME.fullmatch(name) is None:
        raise typer.BadParameter(
            f"The name is {name!r}; expected 'embedhub-' and lowercase letters, digits and single "
            "hyphens, like 'embedhub-my-corpus'."
        )
    source = name.removeprefix("embedhub-")
    if source in embedhub.sources():
        provider = embedhub.sources().provider(source)
        raise typer.BadParameter(f"{provider} provides {source!r} already. Choose another name.")
    folder = folder or Path(name)

    def renamed(text: str) -> str:
        return text.replace("my-corpus", source).replace("my_corpus", source.replace("-", "_"))

    template = resources.files("embedhub") / "testing" / "template"
    contents = {folder / renamed(path): renamed((template / path).read_text("utf-8")) for path in _TEMPLATE}
    for path in contents:
        if path.exists():
            raise typer.BadParameter(f"{path} exists already; nothing was written. Choose another --folder.")
    for path, content in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8", newline="\n")
        typer.echo(path)
    typer.echo(f"Install and test it: cd {folder} && python -m pip install . pytest && python -m pytest")
