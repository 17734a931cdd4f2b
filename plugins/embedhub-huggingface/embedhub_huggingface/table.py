"""The table of the tokens of a model: one tensor of a safetensors file, and the tokens of its rows."""

import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from embedhub import Block, ExtraFile
from embedhub._compression import read_small
from embedhub._json import CONTENT_ERRORS
from embedhub._names import shown_names
from embedhub.errors import FormatError
from embedhub.formats._byte_stream import ByteStream
from embedhub.formats._rows import MAX_DIM
from embedhub.formats._safetensors import DTYPES, FLOATS, Tensor, TensorInfo, read_header
from embedhub.formats.static_embeddings import TOKENIZER, read_tokenizer

VOCABULARY = "vocab.txt"
_OF_TOKENS = re.compile(
    r"(?:.*[._/])?(?:embed_tokens|word_embeddings?|wte|tok_embeddings|token_embd|embed_in|embeddings?|shared)"
    r"\.weight"
)
_OF_OTHERS = re.compile(r"position|token_type|segment")
_MAX_SHOWN = 3
_BLOCK = 8192  # rows


class Table(NamedTuple):
    """A tensor of a safetensors file.

    Args:
        name: Its name.
        dtype: Type of its numbers, as the file names it.
        rows: Number of rows.
        dim: Number of columns.
        start: Offset of its first byte in the file.
        stop: Offset of the byte after its last one.
    """

    name: str
    dtype: str
    rows: int
    dim: int
    start: int
    stop: int


def parse_header(data: bytes, path: Path) -> tuple[dict[str, TensorInfo], dict[str, Any]]:
    """Return the tensors and the metadata in the header of a safetensors file.

    Args:
        data: The bytes of the header, with its length before it.
        path: The file, for messages.

    Raises:
        FormatError: It is malformed.
    """
    return read_header(ByteStream(io.BytesIO(data), path))


def find_table(tensors: Mapping[str, TensorInfo], name: str, place: str) -> Table:
    """Return the tensor of a name.

    Args:
        tensors: The tensors of the file.
        name: The name.
        place: The file, for messages.

    Raises:
        FormatError: The file does not have it, or it is not a table of numbers.
    """
    if name not in tensors:
        names = suggested(tensors) or shown_names(sorted(tensors)) or "none"
        raise FormatError(f"{place}: there is no tensor {name!r}. Tensors of the file: {names}.")
    dtype, shape, start, stop = tensors[name]
    if dtype not in FLOATS or len(shape) != 2 or 0 in shape or shape[1] > MAX_DIM:  # noqa: PLR2004
        raise FormatError(
            f"{place}: the tensor {name!r} is {dtype} {list(shape)}; expected rows of at most {MAX_DIM} "
            f"columns of {', '.join(sorted(FLOATS))}."
        )
    expected = shape[0] * shape[1] * np.dtype(DTYPES[dtype]).itemsize
    if stop - start != expected:
        raise FormatError(
            f"{place}: the tensor {name!r} has {stop - start} bytes, which is not the size of {dtype} "
            f"{list(shape)}."
        )
    return Table(name, dtype, *shape, start, stop)


def suggested(names: Iterable[str]) -> str:
    """Return those names that look like the table of the tokens of a model, for a message."""
    found = [name for name in sorted(names) if _OF_TOKENS.fullmatch(name) and not _OF_OTHERS.search(name)]
    return ", ".join(found[:_MAX_SHOWN])


@dataclass(frozen=True)
class TableReader:
    """The reader of a table: a file with the bytes of a tensor, and the tokenizer of the model.

    Args:
        table: The tensor.
        offset: Offset of its first byte in the file that is read.
    """

    table: Table
    offset: int

    def __call__(self, path: Path, dim: int, tokenizer: Path) -> Iterator[Block | ExtraFile]:
        """Yield tokens and their rows, in the order of the ids.

        Raises:
            FormatError: The tokenizer is malformed, or belongs to another model.
        """
        table = self.table
        ids, tokens = _tokens(tokenizer, table.rows, path)
        data: Any = np.memmap(
            path, DTYPES[table.dtype], "r", offset=self.offset, shape=(table.rows, table.dim)
        )
        tensor = Tensor(table.dtype, self.offset, data)
        for start in range(0, len(tokens), _BLOCK):
            chunk = slice(start, start + _BLOCK)
            with np.errstate(over="ignore", invalid="ignore"):  # the store rejects infinity
                vectors = tensor.floats(ids[chunk]).astype(np.float32)
            yield Block(tokens[chunk], vectors.reshape(-1, dim))
        if tokenizer.name.endswith(TOKENIZER):
            yield ExtraFile(TOKENIZER, tokenizer, {"saved_by": "transformers"})


def _tokens(tokenizer: Path, rows: int, path: Path) -> tuple[np.ndarray[Any, Any], list[str]]:
    """Return the ids of tokens that have a row, and the tokens.

    A table may have more rows than there are tokens, since its size is often rounded up. Tokens that were
    added to the vocabulary may have no row; others must have one.
    """
    added: dict[int, str] = {}
    try:
        if tokenizer.name.endswith(VOCABULARY):
            lines = read_small(tokenizer).decode("utf-8").removesuffix("\n").split("\n")
            vocabulary = {number: line.removesuffix("\r") for number, line in enumerate(lines)}
        else:
            vocabulary, added = read_tokenizer(tokenizer)
        if not all(type(number) is int for number in (*vocabulary, *added)):
            raise TypeError("an id is not a whole number")
    except FormatError:
        raise
    except CONTENT_ERRORS as error:
        raise FormatError(f"{tokenizer}: expected the tokens of a model by id ({error!r:.200}).") from error
    by_id = vocabulary | added
    if not all(0 <= number < rows for number in by_id.keys() - added.keys()):
        raise FormatError(
            f"{tokenizer}: the tokenizer has {len(by_id)} tokens, but {path} has {rows} rows. They belong to "
            "different models."
        )
    ids = sorted(number for number in by_id if 0 <= number < rows)
    return np.array(ids, np.int64), [by_id[number] for number in ids]
