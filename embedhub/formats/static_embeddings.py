"""Static token embeddings in safetensors, as saved by model2vec, sentence-transformers and `embedhub.export`.

The vectors belong to the tokens of a tokenizer, in a companion file ``tokenizer.json``; the words are these
tokens, in the order of their ids and spelled as in the tokenizer (``##ing``). With a quantized vocabulary,
tokens share vectors: ``mapping`` is the row of each token, ``weights`` a factor for it. int8 values are read
as numbers, since model2vec stores no scale. ``normalize`` in model2vec's ``config.json`` is about the mean of
a text, not about these rows.

Exported files have the words in the metadata instead. A tokenizer would need an unknown token, which most
sources do not have, to accept any text with an out-of-vocabulary word.
"""

import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from embedhub._compression import open_bytes, read_small
from embedhub._json import CONTENT_ERRORS, parse_json
from embedhub._names import shown_names
from embedhub._progress import Advance
from embedhub._text_lines import is_utf8
from embedhub.errors import FormatError
from embedhub.formats._byte_stream import ByteStream
from embedhub.formats._rows import MAX_DIM
from embedhub.formats._safetensors import (
    FLOATS,
    INTEGERS,
    MAX_HEADER_BYTES,
    Tensor,
    TensorInfo,
    read_header,
    read_tensors,
)
from embedhub.formats.selection import Selection
from embedhub.vectors.blocks import Block, ExtraFile

TOKENIZER = "tokenizer.json"
"""Name of the companion file, and of its copy in the store."""

_WORDS = "words"  # key of the metadata
_OF_MODEL2VEC = "embeddings"
_EMBEDDINGS = (_OF_MODEL2VEC, "embedding.weight")  # the second is that of sentence-transformers
_EXPECTED = {
    **dict.fromkeys(_EMBEDDINGS, (2, FLOATS)),
    "weights": (1, FLOATS),
    "mapping": (1, INTEGERS),
}
_BLOCK = 8192  # vectors


class _Tensors(NamedTuple):
    embeddings: Tensor
    weights: Tensor | None
    mapping: Tensor | None


def read(
    path: Path, dim: int, tokenizer: Path | None = None, *, prefix: bool = False
) -> Iterator[Block | ExtraFile]:
    """Read static token embeddings.

    The safetensors file may be compressed (gzip, bzip2, xz, zip).

    Example:
        >>> import embedhub
        >>> from embedhub.formats import static_embeddings
        >>> result = embedhub.export("wordnet-ppmi", 25, "few.safetensors", words=["rain", "sun"])
        >>> [words for words, vectors in static_embeddings.read(Path("few.safetensors"), 25)]
        [['sun', 'rain']]

    Args:
        path: The ``.safetensors`` file.
        dim: Dimension of the vectors.
        tokenizer: The ``tokenizer.json``; by default the one in the same folder.
        prefix: Whether to read the first ``dim`` columns of vectors that were trained to be truncated
            (A. Kusupati et al., "Matryoshka Representation Learning", NeurIPS 2022).

    Yields:
        Tokens, and their vectors as ``(k, dim)`` float32, in the order of the ids; after them
        ``tokenizer.json`` for the store.

    Raises:
        FormatError: The file is malformed, or its tensors do not match each other, the dimension or the
            tokenizer.
    """
    with open_bytes(path) as file:
        stream = ByteStream(file, path)
        header, metadata = read_header(stream)
        name = _embeddings_name(stream, header)
        mapped = read_tensors(stream, header, _EXPECTED)
    tensors = _Tensors(mapped[name], mapped.get("weights"), mapped.get("mapping"))
    count = _check_tensors(stream, name, tensors, dim, prefix=prefix)
    has_words = _WORDS in metadata
    tokenizer = tokenizer or path.with_name(TOKENIZER)
    words = (
        _metadata_words(stream, metadata[_WORDS], count)
        if has_words
        else _read_tokens(tokenizer, count, path)
    )
    embeddings, weights, mapping = tensors
    for start in range(0, count, _BLOCK):
        chunk = slice(start, start + _BLOCK)
        vectors = embeddings.floats(mapping.values[chunk] if mapping else chunk)[:, :dim]
        with np.errstate(over="ignore", invalid="ignore"):  # the store rejects infinity, and names the word
            if weights:
                vectors = vectors * weights.floats(chunk)[:, None]
            vectors = vectors.astype(np.float32)
        yield Block(words[chunk], vectors)
    if not has_words:
        saved_by = "model2vec" if name == _OF_MODEL2VEC else "sentence-transformers"
        yield ExtraFile(TOKENIZER, tokenizer, {"saved_by": saved_by})


read_prefix = partial(read, prefix=True)


def read_dim_and_companions(path: Path) -> tuple[int, tuple[Path, ...]]:
    """Return the dimension in the header, and the tokenizer file unless the words are in the header.

    Raises:
        FormatError: The file is not one of static token embeddings.
    """
    with open_bytes(path) as file:
        stream = ByteStream(file, path)
        tensors, metadata = read_header(stream)
        shape = tensors[_embeddings_name(stream, tensors)].shape
        if len(shape) != 2 or not shape[1]:  # noqa: PLR2004 - rows and columns
            raise stream.error(f"the tensor has shape {list(shape)}; expected rows and columns.", 8)
    return shape[1], () if _WORDS in metadata else (path.with_name(TOKENIZER),)


def invalid_reason(word: str) -> str | None:
    """Return why a word cannot be written to this format; None if it can."""
    return None if is_utf8(word) else "is not valid UTF-8, which the metadata must be"


def write(path: Path, selection: Selection, advance: Advance) -> None:
    """Write the header and the matrix.

    Raises:
        FormatError: The words need a larger header than the format permits.
    """
    words = [word for block in selection.words() for word in block]
    write_tensor(path, selection, advance, {_WORDS: json.dumps(words, ensure_ascii=False)})


def write_tensor(
    path: Path,
    selection: Selection,
    advance: Advance,
    metadata: Mapping[str, str] | None = None,
    *,
    zero_rows: int = 0,
) -> None:
    """Write a safetensors file with the matrix, as model2vec names it.

    Args:
        path: The file.
        selection: The vectors.
        advance: Called with the number of vectors after each block.
        metadata: Of the header.
        zero_rows: Number of rows of zeros after the vectors.

    Raises:
        FormatError: The metadata needs a larger header than the format permits.
    """
    count, dim = selection.shape
    size = 4 * (count + zero_rows) * dim
    tensor = {"dtype": "F32", "shape": [count + zero_rows, dim], "data_offsets": [0, size]}
    header = {"__metadata__": metadata or {}, _OF_MODEL2VEC: tensor}
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)  # aligns the matrix
    if len(text) > MAX_HEADER_BYTES:
        raise FormatError(
            f"{count:,} words need a safetensors header of {len(text):,} bytes; at most "
            f"{MAX_HEADER_BYTES:,} are permitted. Nothing was written. Select fewer words with words= or "
            "topn=, or use another format."
        )
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for vectors in selection.matrix():
            file.write(vectors.data)
            advance(len(vectors))
        file.write(bytes(4 * zero_rows * dim))


def _embeddings_name(stream: ByteStream, tensors: dict[str, TensorInfo]) -> str:
    """Return the name of the tensor with the vectors."""
    name = next((name for name in _EMBEDDINGS if name in tensors), None)
    if name is None:
        names = shown_names(sorted(tensors)) or "none"
        raise stream.error(f"expected a tensor {' or '.join(map(repr, _EMBEDDINGS))}, got {names}.", 8)
    return name


def _check_tensors(stream: ByteStream, name: str, tensors: _Tensors, dim: int, *, prefix: bool) -> int:
    """Return the number of tokens, after checking that the tensors match each other and the dimension."""
    embeddings, weights, mapping = tensors
    rows, width = embeddings.values.shape
    if width < dim or (width > dim and not prefix) or width > MAX_DIM:
        raise stream.error(f"the tensor {name!r} has dimension {width}; expected {dim}.", embeddings.offset)
    count = len(mapping.values) if mapping else rows
    if mapping:
        low, high = mapping.values.min(), mapping.values.max()
        if low < 0 or high >= rows:
            raise stream.error(
                f"'mapping' has values from {low} to {high}; expected 0 to {rows - 1}.", mapping.offset
            )
    if weights and len(weights.values) != count:
        raise stream.error(f"'weights' has {len(weights.values)} factors; expected {count}.", weights.offset)
    return count


def _metadata_words(stream: ByteStream, text: Any, count: int) -> list[str]:
    """Return the words in the metadata."""
    try:
        words: list[str] = list(parse_json(text))
        "\n".join(words).encode()
    except CONTENT_ERRORS as error:
        raise stream.error(f"expected a JSON list of words in the metadata ({error!r}).", 8) from error
    if len(words) != count:
        raise stream.error(f"the metadata has {len(words)} words; expected {count}, one for each vector.", 8)
    return words


def read_tokenizer(tokenizer: Path) -> tuple[dict[int, str], dict[int, str]]:
    """Return the tokens of a tokenizer by id: those of its vocabulary, and those added to it.

    Args:
        tokenizer: The ``tokenizer.json``.

    Raises:
        OSError: It cannot be read.
        FormatError: It is too large.
        ValueError: It is not a tokenizer, as also LookupError, TypeError and AttributeError.
    """
    description = parse_json(read_small(tokenizer))
    vocabulary = description["model"]["vocab"]
    if isinstance(vocabulary, list):  # of a Unigram model: pairs of token and score
        by_id = {number: token for number, (token, _) in enumerate(vocabulary)}
    else:
        by_id = {number: token for token, number in vocabulary.items()}
    added = {token["id"]: token["content"] for token in description.get("added_tokens") or ()}
    "\n".join([*by_id.values(), *added.values()]).encode()
    return by_id, added


def _read_tokens(tokenizer: Path, count: int, path: Path) -> list[str]:
    """Return the tokens of a tokenizer in the order of their ids."""
    try:
        vocabulary, added = read_tokenizer(tokenizer)
        by_id = vocabulary | added
        tokens = [by_id[number] for number in range(len(by_id))]
    except FileNotFoundError as error:
        raise FormatError(
            f"{tokenizer}: no such file; expected the tokenizer of {path}, whose tokens are the words."
        ) from error
    except FormatError:
        raise
    except CONTENT_ERRORS as error:
        raise FormatError(
            f"{tokenizer}: expected a tokenizer with a token for each id from 0 on ({error!r})."
        ) from error
    if len(tokens) != count:
        raise FormatError(
            f"{tokenizer}: the tokenizer has {len(tokens)} tokens, but {path} has vectors for {count}. They "
            "belong to different models."
        )
    return tokens
