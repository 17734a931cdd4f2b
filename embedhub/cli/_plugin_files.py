"""The files of a plugin distribution, and a TOML table, written from a source."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import islice
from typing import Any

from embedhub import __version__
from embedhub.cli.app import format_bytes
from embedhub.download.remote_file import RemoteFile
from embedhub.registry.remote_source import RemoteSource

_SHOWN_NUMBERS = 3
_DEFAULTS = {field.name: field.default for field in fields(RemoteSource)}
_FILE_KEYS = ("known_hash", "size", "member", "archive_hash", "archive_size", "format")


def plugin_files(
    source: RemoteSource,
    samples: Mapping[int, Mapping[str, bytes]],
    expected: Mapping[int, Mapping[str, Iterable[float]]],
) -> dict[str, bytes]:
    """Return the files of a distribution that provides a source, by their paths in its folder.

    Args:
        source: The source.
        samples: For each dimension the contents of the sample files by name, in the order of the contract.
        expected: For each dimension the words of the samples with their vectors.
    """
    module = f"embedhub_{source.name.replace('-', '_')}"
    texts = {
        "pyproject.toml": _pyproject(source, module),
        f"{module}.py": f'"""The source {source.name}."""\n\n{source_code(source)}',
        f"tests/test_{module}.py": _tests(module, samples, expected),
        "README.md": _readme(source),
    }
    files = {path: text.encode() for path, text in texts.items()}
    return files | {f"tests/{name}": data for by_name in samples.values() for name, data in by_name.items()}


def source_code(source: RemoteSource) -> str:
    """Return Python that defines a source as ``SOURCE``."""
    lines = [
        *("from embedhub import RemoteFile, RemoteSource", "", "SOURCE = RemoteSource("),
        *(f"    {key}={_literal(value)}," for key, value in _metadata(source).items()),
        "    files={",
    ]
    for dim in source.dims:
        candidates = source.candidates(dim)
        if len(candidates) == 1:
            lines += _file_code(candidates[0], f"        {dim}: ")
        else:
            lines.append(f"        {dim}: (  # the same vectors; the first that can be downloaded is used")
            for file in candidates:
                lines += _file_code(file, 12 * " ")
            lines.append("        ),")
    return "\n".join([*lines, "    },", ")", ""])


def toml_table(source: RemoteSource) -> str:
    """Return a source as a TOML table, which `embedhub.load` takes as a path."""
    lines = [f"{key} = {_toml(value)}" for key, value in _metadata(source).items()]
    for dim in source.dims:
        for file in source.candidates(dim):
            lines += ["", "[[files]]", f"dim = {dim}", *_file_table(file)]
            for companion in file.companions:
                lines += ["", "[[files.companions]]", *_file_table(companion)]
    return "\n".join([*lines, ""])


def _metadata(source: RemoteSource) -> dict[str, Any]:
    """Return the metadata that differ from their defaults."""
    values = {key: getattr(source, key) for key in _DEFAULTS if key not in {"files", "version"}}
    return {key: value for key, value in values.items() if value != _DEFAULTS[key]}


def _file_code(file: RemoteFile, start: str) -> Iterator[str]:
    indent = (len(start) - len(start.lstrip()) + 4) * " "
    yield f"{start}RemoteFile("
    yield f"{indent}{_literal(file.url)},"
    for key in _FILE_KEYS:
        if getattr(file, key) is not None:
            yield f"{indent}{key}={_literal(getattr(file, key))},"
    if file.companions:
        yield f"{indent}companions=("
        for companion in file.companions:
            yield from _file_code(companion, f"{indent}    ")
        yield f"{indent}),"
    yield f"{indent[4:]}),"


def _file_table(file: RemoteFile) -> list[str]:
    values = {key: getattr(file, key) for key in ("url", *_FILE_KEYS)}
    return [f"{key} = {_toml(value)}" for key, value in values.items() if value is not None]


def _literal(value: object) -> str:
    """Return a value as Python, strings in double quotes."""
    if isinstance(value, str) and value.isprintable():
        return json.dumps(value, ensure_ascii=False)
    return f"({', '.join(map(_literal, value))},)" if isinstance(value, tuple) else repr(value)


def _toml(value: object) -> str:
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007F")


def _tests(
    module: str,
    samples: Mapping[int, Mapping[str, bytes]],
    expected: Mapping[int, Mapping[str, Iterable[float]]],
) -> str:
    lines = [
        *('"""Tests that the source keeps embedhub\'s contract."""', "", "from pathlib import Path", ""),
        *(f"import {module}", "", "from embedhub.testing import SourceContract", ""),
        *("HERE = Path(__file__).parent", "", "", "class TestContract(SourceContract):"),
        '    """Each sample has the first vectors of its file; the numbers are the first of each vector."""',
        *("", f"    sources = [{module}.SOURCE]", "    samples = {"),
    ]
    for dim, names in samples.items():
        contents = [f"(HERE / {_literal(name)}).read_bytes()" for name in names]
        lines.append(f"        {dim}: [{', '.join(contents)}],")
    lines += ["    }", "    expected = {"]
    for dim, vectors in expected.items():
        lines.append(f"        {dim}: {{")
        for word, vector in vectors.items():
            numbers = [float(str(number)) for number in islice(vector, _SHOWN_NUMBERS)]
            lines.append(f"            {_literal(word)}: {numbers},")
        lines.append("        },")
    return "\n".join([*lines, "    }", ""])


def _pyproject(source: RemoteSource, module: str) -> str:
    return f"""\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "embedhub-{source.name}"
version = "0.1.0"
description = "The word vectors {source.name} as a source of embedhub."
readme = "README.md"
requires-python = ">=3.11"
license = {_toml(spdx_expression(source.license))}
dependencies = ["{_requirement(__version__)}"]

[project.entry-points.embedhub]
{source.name} = "{module}:SOURCE"

[dependency-groups]
test = ["pytest>=8"]

[tool.pytest.ini_options]
addopts = ["--import-mode=importlib"]  # the installed module is tested, not the one in this folder
"""


def _requirement(version: str) -> str:
    """Return the versions of embedhub with the same interface: of 0.x those of one x, else of one major."""
    major, minor = version.split(".")[:2]
    following = f"0.{int(minor) + 1}" if major == "0" else str(int(major) + 1)
    return f"embedhub>={major}.{minor},<{following}"


def spdx_expression(text: str) -> str:
    """Return a license as an SPDX expression, which the metadata of a distribution must have.

    A name that is not one, such as "my own terms", becomes "LicenseRef-my-own-terms".
    """
    try:
        from packaging.licenses import canonicalize_license_expression

        return canonicalize_license_expression(text)
    except (ImportError, ValueError):  # packaging before 24.2; a text of another form
        return f"LicenseRef-{re.sub(r'[^A-Za-z0-9.]+', '-', text).strip('-') or 'unnamed'}"


def _readme(source: RemoteSource) -> str:
    rows = "\n".join(
        f"| {dim} | {'?' if source.vocab_size is None else f'{source.vocab_size:,}'} "
        f"| {format_bytes(source.download_size(dim))} |"
        for dim in source.dims
    )
    return f"""\
# embedhub-{source.name}

The word vectors `{source.name}` as a source of embedhub: {source.description}.

    python -m pip install embedhub-{source.name}

```python
import embedhub

word_index = {{"the": 1, "rain": 2}}
layer = embedhub.keras_embedding("{source.name}", {source.dims[0]}, word_index, input_length=40)
```

| dim | words | download |
|---|---|---|
{rows}

## License and citation

The vectors are under this license: {source.license}. Please cite: {source.citation}

More information: <{source.homepage}>
"""
