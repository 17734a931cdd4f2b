"""Hints for names that no source has."""

import os
from pathlib import Path

from embedhub.errors import SourceNotFoundError

DISTRIBUTIONS = {
    "embedhub-glove": ("glove-2024", "glove-42b", "glove-840b", "glove-twitter"),
    "embedhub-word2vec": ("word2vec",),
    "embedhub-fasttext": ("fasttext",),
    "embedhub-numberbatch": ("numberbatch", "conceptnet"),
    "embedhub-static": ("potion", "static"),
}
"""The distributions of this project that provide sources, and the prefixes of their names."""


def plugin_hint(name: str, *, is_misspelled: bool) -> str:
    """Return a sentence, after a space, on how to install more sources; empty if that would not help.

    Args:
        name: The name that no source has.
        is_misspelled: Whether a source has a similar name.
    """
    for distribution, prefixes in DISTRIBUTIONS.items():
        if name.lower().startswith(prefixes):
            return f" Sources with such names come with a plugin: pip install {distribution}."
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
            f"{text!r}: there is no such file. If it is a model of the Hugging Face Hub, download its "
            "model.safetensors and tokenizer.json into one folder, and pass the path of the folder."
        )
