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
from numpy.typing import NDArray
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from embedhub import RemoteFile, RemoteSource
from embedhub.download.remote_file import Fetched
from embedhub.testing import SourceContract

SOURCES = {source.name: source for source in embedhub_static.SOURCES}
MATRYOSHKA = [source for name, source in SOURCES.items() if name.startswith("static-")]
MODEL2VEC = [source for source in SOURCES.values() if source not in MATRYOSHKA]
UNPINNED = {name for name in SOURCES if name.startswith("pubmedbert-")} | {"potion-science-32m", "blink-8m"}
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


def safetensors(**tensors: NDArray[Any]) -> bytes:
    """Return a file with tensors, whose names have a dot for each double underscore."""
    header: dict[str, Any] = {}
    offset = 0
    for name, values in tensors.items():
        described = {"dtype": "F32" if values.dtype.kind == "f" else "I32", "shape": values.shape}
        header[name.replace("__", ".")] = described | {"data_offsets": [offset, offset + values.nbytes]}
        offset += values.nbytes
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + b"".join(values.tobytes() for values in tensors.values())


def rows_of_tokens(width: int) -> NDArray[np.float32]:
    """Return a row for each token: its number, -0.5, 0.25, 0.25, ..."""
    rows = np.full((len(TOKENS), width), 0.25, "<f4")
    rows[:, 0] = range(len(TOKENS))
    rows[:, 1] = -0.5
    return rows


class TestModel2Vec(SourceContract):
    """The words are the tokenizer's, in the order of their numbers."""

    sources = MODEL2VEC
    samples = {dim: [safetensors(embeddings=rows_of_tokens(dim)), tokenizer()] for dim in (64, 128, 256, 512)}
    expected = {dim: {token: [number, -0.5] for number, token in enumerate(TOKENS)} for dim in samples}


class TestMatryoshka(SourceContract):
    """Any dim is the first columns of the same file."""

    sources = MATRYOSHKA
    samples = {dim: [safetensors(embedding__weight=rows_of_tokens(1024)), tokenizer()] for dim in (32, 1024)}
    expected = {dim: {token: [number, -0.5, 0.25] for number, token in enumerate(TOKENS)} for dim in samples}


def test_known_hashes_are_pins() -> None:
    """Vectors and tokenizers have a sha256, except for those whose hash was not found."""
    for name, source in SOURCES.items():
        for dim in source.dims:
            pins = [part.known_hash for part in source.candidates(dim)[0].all_files]
            assert all(str(pin).startswith("sha256:") for pin in pins) != (name in UNPINNED)
            assert not any(pins) or name not in UNPINNED


def test_addresses_name_a_revision() -> None:
    """An address never holds other bytes, since it names a revision; no revision of one model is known."""
    for name, source in SOURCES.items():
        for part in source.candidates(source.dims[0])[0].all_files:
            revision = part.url.partition("/resolve/")[2].partition("/")[0]
            assert len(revision) == 40 or (name, revision) == ("blink-8m", "main")


def test_presumed_licenses_are_named_as_such() -> None:
    """The license of a model whose card was not seen is not an SPDX expression."""
    presumed = {name for name, source in SOURCES.items() if "presumed" in source.license}
    assert presumed == {"potion-science-32m", "blink-8m"}


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
        ("pubmedbert-base-embeddings-2m", 64, "embeddings", 64),
        ("static-retrieval-mrl-en", 32, "embedding__weight", 1024),
    ],
    ids=["potion", "pubmedbert", "matryoshka"],
)
def source(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RemoteSource:
    """Return a source in one dim, pinned to a sample in a mirror, offline."""
    name, dim, tensor, width = request.param
    monkeypatch.setenv("EMBEDHUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("EMBEDHUB_MIRROR", str(tmp_path / "mirror"))
    monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
    [file] = SOURCES[name].candidates(dim)
    companion = placed(file.companions[0], tokenizer(), tmp_path / "mirror")
    file = replace(
        placed(file, safetensors(**{tensor: rows_of_tokens(width)}), tmp_path / "mirror"),
        companions=(companion,),
    )
    return replace(SOURCES[name], files={dim: file}, vocab_size=len(TOKENS))


def test_quantized_vocabulary_of_code_is_read(tmp_path: Path) -> None:
    """Tokens of potion-code-16m share vectors: each has a row by the mapping, times its weight."""
    rows = np.arange(3 * 256, dtype="<f4").reshape(3, 256)
    mapping = np.array([0, 1, 1, 2, 2, 0, 1, 2], "<i4")
    weights = np.linspace(0.5, 4, len(TOKENS), dtype="<f4")
    (tmp_path / "tokenizer.json").write_bytes(tokenizer())
    content = safetensors(embeddings=rows, mapping=mapping, weights=weights)
    (tmp_path / "model.safetensors").write_bytes(content)
    source = SOURCES["potion-code-16m"]
    fetched = Fetched(
        tmp_path / "model.safetensors",
        source.candidates(256)[0],
        {"tokenizer.json": tmp_path / "tokenizer.json"},
    )
    (block, _) = source.parse(fetched, 256)
    assert isinstance(block, tuple)
    assert block[0] == TOKENS
    assert np.array_equal(block[1], rows[mapping] * weights[:, None])


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
