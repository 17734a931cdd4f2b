"""File formats: one module for each, imported when it is used."""

from importlib import import_module

from embedhub.vectors.blocks import Reader

FORMATS = {
    "fasttext": "fasttext.read",
    "glove": "glove.read",
    "numberbatch": "numberbatch.read",
    "static-embeddings": "static_embeddings.read",
    "static-embeddings-prefix": "static_embeddings.read_prefix",
    "word2vec-binary": "word2vec.read_binary",
    "word2vec-text": "word2vec.read_text",
}
"""Names of the formats, and the readers behind them."""

_LANGUAGE = "numberbatch:"


def check_format(name: str | None) -> None:
    """Raise ValueError unless there is a format of this name.

    Args:
        name: One of `FORMATS`, or ``"numberbatch:<code>"`` for one language of a multilingual file.
    """
    if name not in FORMATS and not (name and name.startswith(_LANGUAGE) and name != _LANGUAGE):
        raise ValueError(f"format is {name!r}; expected one of {', '.join(map(repr, FORMATS))}.")


def get_reader(name: str | None) -> Reader:
    """Return the reader of a format; its module is imported now.

    Example:
        >>> reader = get_reader("glove")

    Args:
        name: As for `check_format`.

    Raises:
        ValueError: There is no such format.
    """
    check_format(name)
    if name not in FORMATS:
        from embedhub.formats import numberbatch

        return numberbatch.language(str(name).removeprefix(_LANGUAGE))
    module, _, function = FORMATS[name].partition(".")
    reader: Reader = getattr(import_module(f"{__name__}.{module}"), function)
    return reader
