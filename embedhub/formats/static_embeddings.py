"""Static token embeddings in safetensors, as model2vec, sentence-transformers and embedhub save them.

The rows belong to the tokens of a tokenizer, which ``tokenizer.json`` names; the words of such vectors are
its tokens, in the order of their numbers and spelled as the tokenizer spells them (``##ing``). Vectors whose
vocabulary is quantised share rows: ``mapping`` gives the row of each token, ``weights`` a factor for it.
int8 values are read as the numbers they are, since model2vec keeps no scale. What `embedhub.export` writes
has its words in the metadata, and no tokenizer.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from embedhub._compression import open_bytes
from embedhub.errors import FormatError
from embedhub.formats._byte_stream import ByteStream
from embedhub.formats._header import WIDEST
from embedhub.formats._safetensors import FLOATS, INTEGERS, Shapes, Tensor, read_header, read_tensors
from embedhub.vectors.blocks import Block, ExtraFile

TOKENIZER = "tokenizer.json"
"""Name of the file beside, and of its copy in the store."""

WORDS = "words"
"""Key of the metadata that holds the words as a JSON list."""

_NAMES = ("embeddings", "embedding.weight")  # model2vec's, sentence-transformers'
_WANTED = {
    **dict.fromkeys(_NAMES, (2, FLOATS)),
    "weights": (1, FLOATS),
    "mapping": (1, INTEGERS),
}
_BLOCK = 8192


class _Tensors(NamedTuple):
    embeddings: Tensor
    weights: Tensor | None
    mapping: Tensor | None


def read(path: Path, dim: int, tokenizer: Path | None = None) -> Iterator[Block | ExtraFile]:
    """Read static token embeddings of just this dim.

    The safetensors file may be compressed (gzip, bzip2, xz, zip).

    Example:
        >>> from embedhub import RemoteFile
        >>> file = RemoteFile(
        ...     url="https://example.org/model.safetensors", format="static-embeddings"
        ... )

    Args:
        path: The ``.safetensors`` file.
        dim: Width of a row.
        tokenizer: The ``tokenizer.json``; by default the one in the folder of the file.

    Yields:
        ``(k,)`` tokens and ``(k, dim)`` float32 rows in the order of the tokens' numbers; after them
        ``tokenizer.json`` for `embedhub.Vectors.files`.

    Raises:
        FormatError: With path and byte: this is no such file, its tensors do not fit each other, the dim or
            the tokenizer.
    """
    return _read(path, dim, tokenizer, prefix=False)


def read_prefix(path: Path, dim: int, tokenizer: Path | None = None) -> Iterator[Block | ExtraFile]:
    """Read the first ``dim`` columns of static token embeddings; otherwise as `read`.

    For vectors that were trained for it: A. Kusupati et al., "Matryoshka Representation Learning", NeurIPS
    2022.
    """
    return _read(path, dim, tokenizer, prefix=True)


def dim_of(path: Path) -> int:
    """Return the dim that the header of a file says.

    Raises:
        FormatError: This is no file of static token embeddings.
    """
    with open_bytes(path) as file:
        stream = ByteStream(file, path)
        shapes, _ = read_header(stream)
        _, shape, _, _ = shapes[_name(stream, shapes)]
        if len(shape) != 2 or not shape[1]:  # noqa: PLR2004 - rows and columns
            raise stream.error(f"the tensor is {list(shape)}; expected rows and columns.", 8)
        return shape[1]


def beside(path: Path) -> tuple[Path, ...]:
    """Return the file that the words are in, if they are not in this one.

    Raises:
        FormatError: This is no file of static token embeddings.
    """
    with open_bytes(path) as file:
        _, metadata = read_header(ByteStream(file, path))
    return () if WORDS in metadata else (path.with_name(TOKENIZER),)


def _read(path: Path, dim: int, tokenizer: Path | None, *, prefix: bool) -> Iterator[Block | ExtraFile]:
    with open_bytes(path) as file:
        stream = ByteStream(file, path)
        shapes, metadata = read_header(stream)
        name = _name(stream, shapes)
        found = read_tensors(stream, shapes, _WANTED)
    tensors = _Tensors(found[name], found.get("weights"), found.get("mapping"))
    count = _check(stream, name, tensors, dim, prefix=prefix)
    own = WORDS in metadata
    tokenizer = tokenizer or path.with_name(TOKENIZER)
    tokens = _own_words(stream, metadata[WORDS], count) if own else _tokens(tokenizer, count, path)
    embeddings, weights, mapping = tensors
    for start in range(0, count, _BLOCK):
        part = slice(start, start + _BLOCK)
        rows = embeddings.floats(mapping.values[part] if mapping else part)[:, :dim]
        with np.errstate(over="ignore", invalid="ignore"):  # the store refuses infinity, naming the word
            if weights:
                rows = rows * weights.floats(part)[:, None]
            rows = rows.astype(np.float32)
        yield tokens[part], rows
    if not own:
        yield ExtraFile(TOKENIZER, tokenizer, {})


def _name(stream: ByteStream, shapes: Shapes) -> str:
    """Return the name of the tensor with the rows."""
    name = next((name for name in _NAMES if name in shapes), None)
    if name is None:
        found = ", ".join(sorted(shapes)) or "none"
        raise stream.error(f"expected a tensor {' or '.join(map(repr, _NAMES))}, found {found}.", 8)
    return name


def _check(stream: ByteStream, name: str, tensors: _Tensors, dim: int, *, prefix: bool) -> int:
    """Return the number of tokens, if the tensors fit each other and the dim."""
    embeddings, weights, mapping = tensors
    rows, width = embeddings.values.shape
    if width < dim or (width > dim and not prefix) or width > WIDEST:
        raise stream.error(f"the tensor {name!r} has dim {width}; expected {dim}.", embeddings.at)
    count = len(mapping.values) if mapping else rows
    if mapping:
        low, high = mapping.values.min(), mapping.values.max()
        if low < 0 or high >= rows:
            raise stream.error(f"'mapping' goes from {low} to {high}; expected 0 to {rows - 1}.", mapping.at)
    if weights and len(weights.values) != count:
        raise stream.error(f"'weights' has {len(weights.values)} factors; expected {count}.", weights.at)
    return count


def _own_words(stream: ByteStream, text: Any, count: int) -> list[str]:
    """Return the word of each row, from the metadata."""
    try:
        words: list[str] = list(json.loads(text))
        "\n".join(words).encode()
    except (ValueError, RecursionError, TypeError) as error:
        raise stream.error(f"expected a JSON list of words in the metadata ({error!r}).", 8) from error
    if len(words) != count:
        raise stream.error(f"the metadata has {len(words)} words; expected one for each of {count} rows.", 8)
    return words


def _tokens(tokenizer: Path, count: int, path: Path) -> list[str]:
    """Return the token of each row."""
    try:
        described = json.loads(tokenizer.read_bytes())
        vocabulary = described["model"]["vocab"]
        if isinstance(vocabulary, list):  # of Unigram: pairs of token and score
            numbers = {number: token for number, (token, _) in enumerate(vocabulary)}
        else:
            numbers = {number: token for token, number in vocabulary.items()}
        numbers |= {added["id"]: added["content"] for added in described.get("added_tokens") or ()}
        tokens = [numbers[number] for number in range(len(numbers))]
        "\n".join(tokens).encode()
    except FileNotFoundError as error:
        raise FormatError(
            f"{tokenizer}: no such file; expected the tokenizer of {path} here, which names its rows."
        ) from error
    except (ValueError, RecursionError, LookupError, TypeError, AttributeError) as error:
        raise FormatError(
            f"{tokenizer}: expected a tokenizer with a token for each number from 0 on ({error!r})."
        ) from error
    if len(tokens) != count:
        raise FormatError(
            f"{tokenizer}: the tokenizer has {len(tokens)} tokens, but {path} has rows for {count}. They do "
            "not belong together."
        )
    return tokens
