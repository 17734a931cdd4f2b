"""Samples of the tests: files of models, tokenizers and vectors."""

import io
import json
import zipfile
from typing import Any

import numpy as np
from hub_server import Hub, Repo

TEXT = b"rain 0.5 1\nsnow 2 3\n"
OTHER = b"rain 0.5 2\nhail 4 5\n"
TOKENS = ["[PAD]", "[UNK]", "rain", "##s", "snow"]
TABLE = "#bert.embeddings.word_embeddings.weight"
SECRET = "hf_" + 34 * "s"
LIMIT = 120  # seconds


def tokenizer(tokens: list[str] = TOKENS, added: tuple[str, ...] = ()) -> bytes:
    """Return a tokenizer.json."""
    more = [{"id": len(tokens) + i, "content": token} for i, token in enumerate(added)]
    vocabulary = {token: i for i, token in enumerate(tokens)}
    return json.dumps({"model": {"type": "WordPiece", "vocab": vocabulary}, "added_tokens": more}).encode()


def safetensors(tensors: dict[str, np.ndarray[Any, Any]]) -> bytes:
    """Return a safetensors file."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    kinds = {"float32": "F32", "float16": "F16", "uint16": "BF16", "int64": "I64"}
    data = b""
    for name, values in tensors.items():
        ends = [len(data), len(data) + values.nbytes]
        header[name] = {"dtype": kinds[values.dtype.name], "shape": values.shape, "data_offsets": ends}
        data += values.tobytes()
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def rows(count: int = len(TOKENS), dim: int = 4, start: float = 0) -> np.ndarray[Any, Any]:
    """Return a table of numbers."""
    return (np.arange(count * dim, dtype=np.float32) + start).reshape(count, dim)


def add(hub: Hub, name: str, files: dict[str, bytes], **facts: Any) -> Repo:
    """Add a repository with one commit."""
    repo = hub.repos[name] = Repo(**facts)
    repo.commit(files)
    return repo


def model2vec(start: float = 0) -> dict[str, bytes]:
    """Return the files of a model of model2vec."""
    return {
        "README.md": b"---\nlicense: mit\n---\n# A model\n",
        "config.json": b'{"normalize": true}',
        "model.safetensors": safetensors({"embeddings": rows(start=start)}),
        "tokenizer.json": tokenizer(),
    }


def zipped(**members: bytes) -> bytes:
    """Return a zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def bert(**more: np.ndarray[Any, Any]) -> dict[str, bytes]:
    """Return the files of a model with a table of tokens between larger tensors."""
    before, after = (np.zeros((200, 100), np.float32) for _ in range(2))
    table = {
        "bert.embeddings.word_embeddings.weight": rows(8),
        "bert.embeddings.position_embeddings.weight": after,
    }
    tensors = {"bert.encoder.weight": before} | table | {"bias": np.zeros(3, np.float32)} | more
    return {"model.safetensors": safetensors(tensors), "tokenizer.json": tokenizer(), "config.json": b"{}"}
