"""The template of a plugin: a small distribution whose own tests pass, for its author to fill in."""

import re
from pathlib import Path
from string import Template

from embedhub.registry.registry import sources

_NAME = re.compile(r"embedhub-[a-z0-9]+(-[a-z0-9]+)*")

_FILES = {
    "pyproject.toml": """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "$distribution"
version = "0.1.0"
description = "The word vectors $source as a source of embedhub."
readme = "README.md"
requires-python = ">=3.11"
dependencies = ["embedhub>=0.1"]

[project.entry-points.embedhub]
$source = "$module"

[dependency-groups]
test = ["pytest>=8"]

[tool.pytest.ini_options]
addopts = ["--import-mode=importlib"]  # the installed module is tested, not the one beside
""",
    "$module.py": '''\
"""The source $source."""

from collections.abc import Iterable

from embedhub import RemoteFile, RemoteSource, hookimpl

SOURCE = RemoteSource(
    name="$source",
    files={
        # For each dim the addresses of its vectors, in the order in which they are tried.
        3: (
            RemoteFile(
                url="https://example.org/$source.3d.txt",
                known_hash=None,  # "sha256:..." of the file, so that its bytes are verified
                size=None,  # their number
                format="glove",  # embedhub.formats.FORMATS has the names
            ),
        ),
    },
    description="What it is and what it was made from, in one line",
    language="en",
    cased=False,
    vocab_size=None,  # the number of words
    license="CC0-1.0",
    citation="Whom to cite",
    homepage="https://example.org/$source",
    fallbacks=("lower",),  # what is tried for a word that is missing; () if cased
)


@hookimpl
def embedhub_sources() -> Iterable[RemoteSource]:
    """Return the source."""
    return [SOURCE]
''',
    "tests/test_$module.py": '''\
"""The source keeps embedhub's contract."""

from pathlib import Path

import $module
from embedhub.testing import SourceContract


class TestContract(SourceContract):
    """The sample has the first lines of the file; of each word's row some numbers are stated."""

    sources = [$module.SOURCE]
    samples = {3: [Path(__file__).with_name("sample.txt").read_bytes()]}
    expected = {"the": [0.25, -0.5, 1.0], "cat": [0.125, 2.0, -0.75], "sat": [-1.5, 0.0, 0.375]}
''',
    "tests/sample.txt": """\
the 0.25 -0.5 1.0
cat 0.125 2.0 -0.75
sat -1.5 0.0 0.375
""",
    "README.md": """\
# $distribution

The word vectors `$source` as a source of embedhub.

    python -m pip install $distribution

```python
layer = embedhub.keras_embedding("$source", 3, word_index)
```

| name | dims | words | download | pinned |
|---|---|---|---|---|
| `$source` | 3 | ? | ? MB | no |

## Licence and citation

The vectors are under CC0-1.0. Whom to cite.
""",
}


def write(distribution: str, folder: Path) -> list[Path]:
    """Write a new distribution with one source.

    Args:
        distribution: Its name, ``embedhub-<source>``.
        folder: Where it goes. What is there already stays.

    Returns:
        The files, relative to the folder.

    Raises:
        ValueError: The name has another form, or its source exists already.
        FileExistsError: A file is there already; nothing was written.
    """
    if _NAME.fullmatch(distribution) is None:
        raise ValueError(
            f"The name is {distribution!r}; expected 'embedhub-' and lower-case letters, digits and single "
            "hyphens, like 'embedhub-my-corpus'."
        )
    source = distribution.removeprefix("embedhub-")
    if source in sources():
        raise ValueError(f"{sources().provider(source)} provides {source!r} already. Choose another name.")
    names = {"distribution": distribution, "source": source, "module": distribution.replace("-", "_")}
    contents = {
        Path(Template(path).substitute(names)): Template(content).substitute(names)
        for path, content in _FILES.items()
    }
    for path in contents:
        if (folder / path).exists():
            raise FileExistsError(f"{folder / path} is there already; nothing was written.")
    for path, content in contents.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(content, "utf-8", newline="\n")
    return list(contents)
