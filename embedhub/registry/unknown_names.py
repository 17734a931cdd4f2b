"""What to say about a name that no source has."""

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
"""The distributions of this project that provide sources, and what the names of these start with."""


def plugin_hint(name: str, *, is_misspelled: bool) -> str:
    """Return how to install more sources, as a sentence after a blank; nothing if that would not help.

    Args:
        name: The name that no source has.
        is_misspelled: Whether a source has a similar name.
    """
    for distribution, prefixes in DISTRIBUTIONS.items():
        if name.lower().startswith(prefixes):
            return f" Sources with such names come with a plugin: pip install {distribution}."
    return "" if is_misspelled else f" Plugins have more: {', '.join(DISTRIBUTIONS)}."


def refuse_address(text: str) -> None:
    """Raise SourceNotFoundError for a web address, a model of the Hub, or a dimension without a name."""
    if "://" in text:
        raise SourceNotFoundError(
            f"{text!r} is an address, and expected is a name or a path. Download the file and pass its path, "
            "or describe it once as a RemoteSource."
        )
    if text.isdecimal():
        raise SourceNotFoundError(
            f"No source is named {text!r}. A dimension follows the name of its source after a colon, as in "
            f"'glove-6b:{text}'."
        )
    folder, slash, model = text.partition("/")
    is_id = bool(slash and model) and "/" not in model and not text.startswith((".", "~"))
    if is_id and not Path(model).suffix and not os.path.exists(folder):  # noqa: PTH110 - it raises for no name
        raise SourceNotFoundError(
            f"{text!r}: there is no such file. If it is a model of the Hugging Face Hub, download its "
            "model.safetensors and tokenizer.json into one folder, and pass the path of the first."
        )
