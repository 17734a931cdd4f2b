"""BPEmb: vectors of subword pieces in 275 languages, with the SentencePiece models that split texts.

``bpemb://en/10000:100`` are the vectors of the 10,000 pieces of English in 100 dimensions. ``languages.tsv``
has a line for each language: Wikipedia's code of it, its BCP 47 tag, its name, and the numbers of pieces that
BPEmb's own package lists. No hash and no size is published: the first download is remembered.
"""

import re
from collections.abc import Iterator
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from embedhub import (
    Block,
    ExtraFile,
    Format,
    FormatError,
    RemoteFile,
    Vectors,
    VocabularyError,
)
from embedhub.errors import SourceNotFoundError
from embedhub.formats.word2vec import read_binary
from embedhub.registry.handle_source import HandleSource

if TYPE_CHECKING:
    from sentencepiece import SentencePieceProcessor

_HOST = "https://bpemb.h-its.org"
_DIMS = (25, 50, 100, 200, 300)
_DIMS_OF_MULTI = (300,)
_MODEL = "sentencepiece.model"
_MAX_MODEL_BYTES = 1 << 26
_DIGIT = re.compile(r"\d")


def read(path: Path, dim: int, model: Path) -> Iterator[Block | ExtraFile]:
    """Read the vectors of pieces, and keep the model that splits texts into them.

    Args:
        path: A file of word2vec, or an archive with one.
        dim: Dimension of the vectors.
        model: The SentencePiece model.

    Raises:
        FormatError: A file is malformed.
    """
    _load(model)
    yield from read_binary(path, dim)
    yield ExtraFile(_MODEL, model, {"preprocessing": "lower case, digits are 0"})


FORMAT = Format("bpemb", read)
"""word2vec's binary format, with a SentencePiece model as a companion file."""


@cache
def languages() -> dict[str, tuple[str, str, tuple[int, ...]]]:
    """Return the BCP 47 tag, the name and the numbers of pieces of each language, by its code."""
    table = resources.files(__name__).joinpath("languages.tsv").read_text("utf-8")
    rows = (line.split("\t") for line in table.splitlines()[1:])
    return {code: (tag, name, tuple(map(int, pieces.split()))) for code, tag, name, pieces in rows}


def open_pieces(location: str, dim: int | None) -> HandleSource:  # noqa: ARG001 - a source has all of them
    """Return the source of ``bpemb://<language>/<pieces>``.

    Args:
        location: Code of a language, a slash, and the number of pieces, as in ``en/10000``.
        dim: The dimension that the caller asks for.

    Raises:
        SourceNotFoundError: There is no such language, or it does not have that number of pieces.
    """
    code, _, pieces = location.partition("/")
    if code not in languages():
        raise SourceNotFoundError(
            f"bpemb://{location}: expected the code of one of {len(languages())} languages, a slash, and the "
            "number of pieces, as in bpemb://en/10000."
        )
    tag, name, counts = languages()[code]
    if pieces not in map(str, counts):
        raise SourceNotFoundError(
            f"bpemb://{location}: {name} has the numbers of pieces {', '.join(map(str, counts))}; expected "
            f"one of them, as in bpemb://{code}/{counts[0]}."
        )
    stem = f"{_HOST}/{code}/{code}.wiki.bpe.vs{pieces}"
    model = RemoteFile(f"{stem}.model")
    return HandleSource(
        handle=f"bpemb://{location}",
        name=f"bpemb-{code}-{pieces}",
        files={
            width: RemoteFile(f"{stem}.d{width}.w2v.bin.tar.gz", format=FORMAT, companions=(model,))
            for width in (_DIMS_OF_MULTI if code == "multi" else _DIMS)
        },
        description=f"BPEmb, {int(pieces):,} pieces of the Wikipedia in {name}, lower-cased",
        language=tag,
        cased=False,
        license="MIT",
        citation=(
            "Benjamin Heinzerling, Michael Strube (2018). BPEmb: Tokenization-free Pre-trained Subword "
            "Embeddings in 275 Languages. LREC 2018."
        ),
        bibtex="""@inproceedings{heinzerling2018bpemb,
  author = {Heinzerling, Benjamin and Strube, Michael},
  title = {{BPEmb}: Tokenization-free Pre-trained Subword Embeddings in 275 Languages},
  booktitle = {Language Resources and Evaluation Conference ({LREC})},
  year = {2018},
}""",
        homepage="https://bpemb.h-its.org/",
        unit="token",
        fallbacks=("lower",),
    )


class PieceTokenizer:
    """Splits texts into pieces, after BPEmb's preprocessing: lower case, and each digit is 0.

    It is a vocabulary for `embedhub.keras_embedding`, and a tokenizer for ``embedhub_text.TextEmbedder``.

    Args:
        model: The bytes of a SentencePiece model.
    """

    pad_token = None
    unk_token = "<unk>"  # noqa: S105 - a piece

    def __init__(self, model: bytes) -> None:
        self._model = model

    def __reduce__(self) -> tuple[Any, ...]:
        return PieceTokenizer, (self._model,)

    @cached_property
    def _processor(self) -> "SentencePieceProcessor":
        from sentencepiece import SentencePieceProcessor

        return SentencePieceProcessor(model_proto=self._model)

    def tokenize(self, text: str) -> list[str]:
        """Return the pieces of a text."""
        pieces: list[str] = self._processor.encode(_prepared(text), out_type=str)
        return pieces

    def encode(self, text: str) -> list[int]:
        """Return the index of each piece of a text; 0 is for padding."""
        return [number + 1 for number in self._processor.encode(_prepared(text), out_type=int)]

    def get_vocab(self) -> dict[str, int]:
        """Return the index of each piece."""
        count = self._processor.get_piece_size()
        return {self._processor.id_to_piece(number): number + 1 for number in range(count)}


def tokenizer_of(vectors: Vectors) -> PieceTokenizer:
    """Return the tokenizer whose pieces have these vectors.

    Args:
        vectors: Vectors of a ``bpemb://`` handle.

    Raises:
        VocabularyError: The vectors are others.
    """
    if _MODEL not in vectors.files:
        raise VocabularyError(
            f"{vectors.name}: these vectors came without a {_MODEL}; expected those of a handle such as "
            "bpemb://en/10000:100."
        )
    return PieceTokenizer(vectors.files[_MODEL].read_bytes())


def _prepared(text: str) -> str:
    # Lone surrogates, which stand for bytes that are not UTF-8, are an error there.
    return _DIGIT.sub("0", text.lower()).encode("utf-8", "ignore").decode()


def _load(path: Path) -> None:
    """Raise FormatError unless SentencePiece can load a model."""
    from sentencepiece import SentencePieceProcessor

    with path.open("rb") as file:
        content = file.read(_MAX_MODEL_BYTES + 1)
    try:
        if not 0 < len(content) <= _MAX_MODEL_BYTES:
            raise ValueError(f"it has {'no' if not content else 'more than 67,108,864'} bytes")
        SentencePieceProcessor(model_proto=content)
    except (RuntimeError, ValueError) as error:
        raise FormatError(f"{path}: expected a SentencePiece model ({error}).") from error
