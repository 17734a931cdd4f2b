"""A folder that sentence-transformers and model2vec open as a model of static embeddings.

Its ``tokenizer.json`` splits texts like the source's tokenizer, into words of the vocabulary. The model is
the mean of the vectors of the words that were found, of length 1: model2vec leaves unknown words out of the
mean, sentence-transformers counts their zeros, and the direction of both is the same.
"""

import json
import re
from pathlib import Path
from typing import Any

from embedhub._progress import Advance
from embedhub._text_lines import is_utf8
from embedhub.errors import FormatError
from embedhub.formats.export import ExportWriter
from embedhub.formats.selection import Selection
from embedhub.formats.static_embeddings import TOKENIZER, write_tensor
from embedhub.matrix.tokenizers import PATTERNS

_CARD, _CONFIG, _MODULES, _WEIGHTS = "README.md", "config.json", "modules.json", "model.safetensors"
FILES = (_WEIGHTS, TOKENIZER, _CONFIG, _MODULES, _CARD)

_UNKNOWN = "[UNK]"
_ABOUT = (
    "{count} word vectors of {name}, exported by embedhub. The vector of a text is the mean of the vectors "
    "of its words, of length 1; unknown words do not change its direction. The row after the last word, of "
    "zeros, is that of `{unknown}`."
)
_PACKAGE = "sentence_transformers.models"


def invalid_reason(word: str) -> str | None:
    """Return why a word cannot be written to this format; None if it can."""
    return None if is_utf8(word) else "is not valid UTF-8, which tokenizer.json must be"


def write(path: Path, selection: Selection, advance: Advance) -> None:
    """Write the folder.

    Raises:
        FormatError: The texts of the source are split in a way that a ``tokenizer.json`` cannot express.
    """
    tokenizer = _tokenizer(selection)
    path.mkdir()
    write_tensor(path / _WEIGHTS, selection, advance, zero_rows=1)
    _write_json(path / TOKENIZER, tokenizer)
    _write_json(path / _CONFIG, {"model_type": "model2vec", "normalize": True})
    modules = [("", "StaticEmbedding"), ("1_Normalize", "Normalize")]
    _write_json(
        path / _MODULES,
        [
            {"idx": number, "name": str(number), "path": folder, "type": f"{_PACKAGE}.{kind}"}
            for number, (folder, kind) in enumerate(modules)
        ],
    )
    (path / _CARD).write_text(_card(selection), "utf-8", newline="\n")


def _write_json(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content, ensure_ascii=False), "utf-8", newline="\n")


def _tokenizer(selection: Selection) -> dict[str, Any]:
    """Return the content of ``tokenizer.json``, with an unknown token after all words."""
    vectors = selection.vectors
    words = [word for block in selection.words() for word in block]
    vocabulary = {word: number for number, word in enumerate(words)}
    unknown = _UNKNOWN
    while unknown in vocabulary:
        unknown = f"[{unknown}]"
    vocabulary[unknown] = len(words)
    normalizers: list[dict[str, Any]] = []
    if vectors.tokenization != "whitespace":
        normalizers = [
            {"type": "NFC"},
            {"type": "Replace", "pattern": {"String": "\u2019"}, "content": "'"},
        ]
    if "lower" in vectors.fallbacks and all(word == word.lower() for word in words):
        normalizers.append({"type": "Lowercase"})
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {"type": "Sequence", "normalizers": normalizers},
        "pre_tokenizer": _pre_tokenizer(vectors.name, vectors.tokenization),
        "post_processor": None,
        "decoder": None,
        "model": {"type": "WordLevel", "vocab": vocabulary, "unk_token": unknown},
    }


def _pre_tokenizer(name: str, tokenization: str | None) -> dict[str, Any]:
    if tokenization == "whitespace":
        return {"type": "WhitespaceSplit"}
    pattern = PATTERNS.get(tokenization or "words")
    if pattern is None:
        raise FormatError(
            f"{name} splits texts by {tokenization!r}, which a tokenizer.json of words cannot express; "
            f"expected one of {', '.join(PATTERNS)} or whitespace. Nothing was written. Use "
            "embedhub_text.TextEmbedder, or another format."
        )
    return {
        "type": "Split",
        "pattern": {"Regex": _oniguruma(pattern)},
        "behavior": "Removed",
        "invert": True,  # the matches are the words
    }


def _oniguruma(pattern: str) -> str:
    r"""Return one of `PATTERNS` as the tokenizers package reads it.

    Its ``\w`` has combining marks, but no numbers such as a superscript two, unlike Python's.
    """
    lines = (re.sub(r"(?<!\\)#.*", "", line) for line in pattern.splitlines())
    compact = re.sub(r"\s+", "", "".join(lines))
    word = r"(?:[\w\p{N}]|(?<=[\w\p{N}])[\u200c\u200d](?=\w))"
    return f"(?i){compact.replace('~', word)}".replace(r"[^\w\s]", r"[^\w\p{N}\s]")


def _card(selection: Selection) -> str:
    """Return the model card."""
    vectors = selection.vectors
    manifest = vectors.manifest
    count, dim = selection.shape
    license_, citation = manifest.get("license") or "unknown", manifest.get("citation") or ""
    homepage = manifest.get("homepage") or ""
    lines = [
        "---",
        "library_name: sentence-transformers",
        f"license: {license_.lower() if ' ' not in license_ else 'other'}",
        "pipeline_tag: sentence-similarity",
        "tags:",
        "- sentence-transformers",
        "- static-embeddings",
        "- embedhub",
        "---",
        "",
        f"# {vectors.name}, {dim} dimensions",
        "",
        _ABOUT.format(count=f"{count:,}", name=vectors.name, unknown=_UNKNOWN),
        "",
        f"- License of the vectors: {license_}",
        *([f"- Citation: {citation}"] if citation else []),
        *([f"- More: {homepage}"] if homepage else []),
        "",
    ]
    return "\n".join(lines)


WRITER = ExportWriter(write, invalid_reason, folder_files=FILES)
"""The entry point of the format."""
