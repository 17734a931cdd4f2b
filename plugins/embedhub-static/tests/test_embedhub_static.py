"""The sources keep embedhub's contract, and give a layer with the tokenizer that belongs to it."""

import json
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import embedhub_static
import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from embedhub import RemoteFile, RemoteSource
from embedhub.testing import SourceContract

SOURCES = {source.name: source for source in embedhub_static.SOURCES}
POTION = [source for name, source in SOURCES.items() if name.startswith("potion-")]
MATRYOSHKA = [source for source in SOURCES.values() if source not in POTION]
TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "it", "rain", "##s", "."]


def tokenizer() -> bytes:
    """Return a tokenizer that lower-cases, and gives the ends of a text numbers it has no tokens for."""
    made = Tokenizer(models.WordPiece({token: i for i, token in enumerate(TOKENS)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=True)
    made.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    described: dict[str, Any] = json.loads(made.to_str())
    described["post_processor"] = {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
        "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [101], "tokens": ["[CLS]"]}},
    }
    return json.dumps(described).encode()


def safetensors(tensor: str, width: int) -> bytes:
    """Return a file with a row for each token: its number, -0.5, 0.25, 0.25, ..."""
    rows = np.full((len(TOKENS), width), 0.25, "<f4")
    rows[:, 0] = range(len(TOKENS))
    rows[:, 1] = -0.5
    described = {"dtype": "F32", "shape": rows.shape, "data_offsets": [0, rows.nbytes]}
    header = json.dumps({tensor: described}).encode()
    return len(header).to_bytes(8, "little") + header + rows.tobytes()


class TestPotion(SourceContract):
    """The words are the tokenizer's, in the order of their numbers."""

    sources = POTION
    samples = {dim: [safetensors("embeddings", dim), tokenizer()] for dim in (64, 128, 256, 512)}
    expected = {dim: {token: [number, -0.5] for number, token in enumerate(TOKENS)} for dim in samples}


class TestMatryoshka(SourceContract):
    """Any dim is the first columns of the same file."""

    sources = MATRYOSHKA
    samples = {dim: [safetensors("embedding.weight", 1024), tokenizer()] for dim in (32, 1024)}
    expected = {dim: {token: [number, -0.5, 0.25] for number, token in enumerate(TOKENS)} for dim in samples}


def test_all_is_pinned() -> None:
    """Vectors and tokenizers have a sha256, and an address that names a revision."""
    for source in SOURCES.values():
        for dim in source.dims:
            for part in source.candidates(dim)[0].all_files:
                assert str(part.known_hash).startswith("sha256:")
                _, _, revision = part.url.partition("/resolve/")
                assert len(revision.partition("/")[0]) == 40


def test_rows_are_tokens() -> None:
    """Evaluation and the hints about coverage treat the rows as tokens, in a store as in the source."""
    assert {source.unit for source in SOURCES.values()} == {"token"}


def placed(file: RemoteFile, content: bytes, mirror: Path) -> RemoteFile:
    """Put other bytes at a file's address in a mirror, and return the file pinned to them."""
    parts = urlsplit(file.url)
    path = mirror / parts.netloc / parts.path[1:]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return replace(file, known_hash=f"sha256:{sha256(content).hexdigest()}", size=len(content))


@pytest.fixture(
    params=[
        ("potion-base-8m", 256, "embeddings", 256),
        ("static-retrieval-mrl-en", 32, "embedding.weight", 1024),
    ],
    ids=["potion", "matryoshka"],
)
def source(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RemoteSource:
    """Return a source in one dim, pinned to a sample in a mirror, offline."""
    name, dim, tensor, width = request.param
    monkeypatch.setenv("EMBEDHUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    [file] = SOURCES[name].candidates(dim)
    companion = placed(file.companions[0], tokenizer(), tmp_path / "mirror")
    file = replace(placed(file, safetensors(tensor, width), tmp_path / "mirror"), companions=(companion,))
    return replace(SOURCES[name], files={dim: file}, vocab_size=len(TOKENS))


def test_layer_and_tokenizer_fit(source: RemoteSource) -> None:
    """What the tokenizer makes of a text, the layer turns into the vectors of just those tokens."""
    assert source.vectors(source.dims[0]).unit == "token"
    layer, tokens = embedhub_static.layer_and_tokenizer(source)
    numbers = tokens.encode("It rains, it").ids
    assert [TOKENS[number] for number in numbers] == ["it", "rain", "##s", "[UNK]", "it"]
    rows = np.asarray(layer(np.array([numbers])))
    assert rows.shape == (1, 5, source.dims[0])
    assert rows[0, :, 0].tolist() == numbers
    matrix = layer.get_weights()[0]
    assert matrix[1:, 0].tolist() == list(range(1, len(TOKENS)))
    assert not matrix[0].any()
    assert tokens.encode("it", "rain").ids == [4, 5]


def test_the_caller_has_the_last_word(source: RemoteSource) -> None:
    """An ``oov`` of the caller goes before the model's own row, and other options reach the layer."""
    layer, _ = embedhub_static.layer_and_tokenizer(source, oov="zeros", name="tokens", trainable=True)
    assert not layer.get_weights()[0][1].any()
    assert layer.name == "tokens"
    assert layer.trainable
