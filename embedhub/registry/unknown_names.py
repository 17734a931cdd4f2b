"""Hints for names that no source has."""

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from embedhub.errors import SourceNotFoundError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from embedhub.registry.source import EmbeddingSource

DISTRIBUTIONS = {
    "embedhub-glove": ("glove-2024", "glove-42b", "glove-840b", "glove-twitter"),
    "embedhub-word2vec": ("word2vec",),
    "embedhub-fasttext": ("fasttext",),
    "embedhub-numberbatch": ("numberbatch", "conceptnet"),
    "embedhub-static": ("potion", "static", "blink", "pubmedbert"),
}
"""The distributions of this project that provide sources, and the prefixes of their names."""

SCHEMES = {"bpemb": "embedhub-bpemb", "hf": "embedhub-huggingface", "histwords": "embedhub-histwords"}
"""The distributions of this project that provide schemes, by scheme."""

_FILES = (".vec", ".txt", ".bin", ".gz", ".bz2", ".xz", ".zip", ".tar", ".npz", ".safetensors")
_OTHER_NAMES = {"glove-wiki-gigaword": "glove-6b"}  # of gensim


def missing_file(name: str) -> str:
    """Return a sentence and a space for a name that looks like one of a file; otherwise an empty string."""
    is_file = name.lower().partition("#")[0].endswith(_FILES)
    return f"There is no file {name!r} in the folder {os.getcwd()}. " if is_file else ""  # noqa: PTH109 - only shown


def translated(name: str, sources: "Mapping[str, EmbeddingSource]") -> list[str]:
    """Return the source and dimension that other tools call by a name such as ``glove.6B.50d``, if any."""
    match = re.fullmatch(r"(.+)[-._](\d{1,4})d?(?:\.txt|\.zip)?", name, re.IGNORECASE)
    if match is None:
        return []
    stem = re.sub(r"[._]", "-", match[1].lower())
    stem, dim = _OTHER_NAMES.get(stem, stem), int(match[2])
    return [f"{stem}:{dim}"] if stem in sources and dim in sources[stem].dims else []


def several(name: str, sources: "Mapping[str, EmbeddingSource]") -> str:
    """Return a sentence, after a space, if a name is several with commas between; else an empty string."""
    names = [part.strip() for part in name.split(",")]
    if len(names) == 1 or not all(part.partition(":")[0] in sources for part in names):
        return ""
    return f" Pass several each by itself, with spaces between on a command line: {' '.join(names)}."


def plugin_hint(name: str, *, is_misspelled: bool) -> str:
    """Return a sentence, after a space, on how to install more sources; empty if that would not help.

    Args:
        name: The name that no source has.
        is_misspelled: Whether a source has a similar name.
    """
    for distribution, prefixes in DISTRIBUTIONS.items():
        if name.lower().startswith(prefixes):
            return f" Sources with such names come with the plugin {distribution} (docs/install.md)."
    for scheme, distribution in SCHEMES.items():
        if name.lower().startswith(scheme):
            return (
                f" Such vectors are named {scheme}://..., with the plugin {distribution} (docs/install.md)."
            )
    return "" if is_misspelled else f" Plugins have more: {', '.join(DISTRIBUTIONS)}."


def refuse_dim(text: str) -> None:
    """Raise SourceNotFoundError for a dimension without a name."""
    if text.isdecimal():
        raise SourceNotFoundError(
            f"No source is named {text!r}. A dimension follows the name of its source after a colon, as in "
            f"'glove-6b:{text}'."
        )


def refuse_model_id(path: Path, text: str) -> None:
    """Raise SourceNotFoundError for a path that looks like the name of a model on the Hub."""
    is_id = len(path.parts) == 2 and not path.is_absolute() and not text.startswith((".", "~"))  # noqa: PLR2004 - owner and model
    if is_id and not path.suffix and not os.path.exists(path.parts[0]):  # noqa: PTH110 - it raises for no name
        raise SourceNotFoundError(
            f"{text!r}: there is no such file. If it is a model of the Hugging Face Hub, write "
            f"'hf://{path.as_posix()}', which the plugin embedhub-huggingface opens (docs/install.md)."
        )
