"""Which files of a repository are opened, with the real client, against a small Hub on this machine."""

import bz2
import gzip
import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hub_samples import (
    LIMIT,
    OTHER,
    TABLE,
    TEXT,
    TOKENS,
    add,
    bert,
    model2vec,
    rows,
    safetensors,
    tokenizer,
    zipped,
)
from hub_server import Hub

import embedhub
from embedhub import errors
from embedhub.registry.inventory import list_stores
from embedhub.registry.loading import get_source

pytest_plugins = ["hub_fixtures"]


def test_model2vec_repository_is_its_folder(hub: Hub, tmp_path: Path) -> None:
    """The vectors are those of a clone; only the needed files are downloaded, once, and verified."""
    add(hub, "acme/tiny", model2vec(), card={"license": "mit", "language": ["en"]}, tags=["arxiv:2401.00001"])
    for name, data in model2vec().items():
        (tmp_path / name).write_bytes(data)
    clone = embedhub.load(tmp_path)
    vectors = embedhub.load("hf://acme/tiny")
    assert (list(vectors.words), vectors.unit) == (TOKENS, "token") == (list(clone.words), clone.unit)
    assert np.array_equal(vectors.matrix, clone.matrix)
    assert vectors.files["tokenizer.json"].read_bytes() == tokenizer()
    assert not [path for path in hub.asked if "config.json" in path]
    source = get_source("hf://acme/tiny")
    assert (source.license, source.language, source.vocab_size) == ("mit", "en", 5)
    assert "arXiv:2401.00001" in source.citation
    commit = hub.repos["acme/tiny"].names["main"]
    manifest = vectors.manifest
    assert (manifest["repository"], manifest["commit"]) == ("acme/tiny", commit)
    assert manifest["handle"] == "hf://acme/tiny"
    sha256 = hashlib.sha256(model2vec()["model.safetensors"]).hexdigest()
    assert (manifest["hash"], f"/resolve/{commit}/" in manifest["url"]) == (f"sha256:{sha256}", True)
    sent = hub.sent
    assert embedhub.load("hf://acme/tiny").matrix[1, 0] == 4
    assert hub.sent == sent


def test_sentence_transformers_repository_is_that_of_its_first_module(hub: Hub) -> None:
    """modules.json names the folder of the vectors and their tokenizer."""
    module = {"idx": 0, "path": "0_StaticEmbedding", "type": "sentence_transformers.models.StaticEmbedding"}
    files = {
        "modules.json": json.dumps([module]).encode(),
        "0_StaticEmbedding/model.safetensors": safetensors({"embedding.weight": rows()}),
        "0_StaticEmbedding/tokenizer.json": tokenizer(),
    }
    repo = add(hub, "acme/static", files)
    assert embedhub.load("hf://acme/static")["rain"].tolist() == [8, 9, 10, 11]
    repo.commit(files | {"modules.json": json.dumps([module | {"type": "a.Transformer"}]).encode()})
    with pytest.raises(
        errors.FormatError, match=r"hf://acme/static: .*first module is StaticEmbedding, got T"
    ):
        embedhub.load("hf://acme/static")
    repo.commit(files | {"modules.json": json.dumps([module | {"path": "../.."}]).encode()})
    with pytest.raises(errors.FormatError, match="expected a folder below"):
        embedhub.load("hf://acme/static")


BINARY = b"2 2\n" + b"".join(
    word + b" " + np.array(numbers, "<f4").tobytes() + b"\n"
    for word, numbers in ((b"rain", [0.5, 1]), (b"snow", [2, 3]))
)
PACKED = {
    "vectors/cc.vec": b"2 2\n" + TEXT,
    "v.txt": TEXT,
    "a/b c/v+é.vec": TEXT,
    "v.vec.gz": gzip.compress(TEXT, mtime=0),
    "v.vec.bz2": bz2.compress(TEXT),
    "v.zip": zipped(**{"v.txt": TEXT}),
    "model.bin": BINARY,
}


@pytest.mark.parametrize("path", PACKED)
def test_only_file_of_vectors_is_found(hub: Hub, path: str) -> None:
    """It is recognized by its name, in any folder and compression, and the handle may name it too."""
    files = {
        path: PACKED[path],
        "README.md": b"# Vectors",
        "vocab.txt": b"rain\nsnow\n",
        ".gitattributes": b"",
    }
    add(hub, "acme/words", files)
    vectors = embedhub.load("hf://acme/words")
    assert (list(vectors), vectors["snow"].tolist(), vectors.unit) == (["rain", "snow"], [2, 3], "word")
    assert embedhub.load(f"hf://acme/words/{path}:2")["rain"].tolist() == [0.5, 1]
    assert not [asked for asked in hub.asked if "vocab.txt" in asked]


def test_several_files_of_vectors_are_named_as_handles(hub: Hub) -> None:
    """The error has a handle for each, which opens it."""
    repo = add(hub, "acme/words", {"en.vec": TEXT, "de/de.vec.gz": gzip.compress(OTHER, mtime=0)})
    with pytest.raises(errors.FormatError, match=r"'hf://acme/words/de/de.vec.gz', 'hf://acme/words/en.vec'"):
        embedhub.load("hf://acme/words")
    assert "hail" in embedhub.load("hf://acme/words/de/de.vec.gz")
    repo.commit({f"{number}.vec": TEXT for number in range(5000)})
    with pytest.raises(errors.FormatError, match="and 4,990 more") as error:
        embedhub.load("hf://acme/words")
    assert len(str(error.value)) < 1000
    repo.commit({"README.md": b"#", "config.json": b"{}"})
    with pytest.raises(errors.FormatError, match=r"expected a file of vectors.* README\.md, config\.json"):
        embedhub.load("hf://acme/words")
    with pytest.raises(errors.SourceNotFoundError, match=r"vectors\.vec is not in the repository, which has"):
        embedhub.load("hf://acme/words/vectors.vec")


def test_member_of_an_archive(hub: Hub) -> None:
    """What follows # is a file in a zip archive, of which only the bytes are downloaded."""
    data = zipped(**{"big.txt": os.urandom(1 << 20), "small.txt": TEXT})
    add(hub, "acme/zips", {"v.zip": data})
    with pytest.warns(errors.UnverifiedWarning, match=r"v\.zip#small\.txt"):
        assert list(embedhub.load("hf://acme/zips/v.zip#small.txt")) == ["rain", "snow"]
    assert hub.sent < len(data) / 2
    with pytest.raises(errors.DownloadError, match=r"has no member 'none\.txt'"):
        embedhub.load("hf://acme/zips/v.zip#none.txt")


def test_tensor_is_the_table_of_tokens(hub: Hub) -> None:
    """Of the model only the header and the tensor are downloaded; the words are the tokenizer's."""
    files = bert()
    add(hub, "acme/bert", files)
    with pytest.warns(errors.UnverifiedWarning, match=r"model\.safetensors#bytes="):
        vectors = embedhub.load(f"hf://acme/bert{TABLE}")
    assert (list(vectors.words), vectors.unit, vectors.dim) == (TOKENS, "token", 4)
    assert np.array_equal(vectors.matrix, rows(8)[: len(TOKENS)])
    header = 8 + int.from_bytes(files["model.safetensors"][:8], "little")
    needed = header + rows(8).nbytes + len(tokenizer())
    assert needed < hub.sent <= needed + 4  # one byte each, to learn the size of a file
    assert "tokenizer.json" in vectors.files
    asked = len(hub.asked)
    assert embedhub.load(f"hf://acme/bert{TABLE}:4")["rain"].tolist() == [8, 9, 10, 11]
    assert len(hub.asked) == asked + 1  # for the commit


def test_tensor_is_verified_as_a_part_of_the_whole_where_hashes_are_required(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EMBEDHUB_REQUIRE_HASH downloads the whole file, whose checksum is published."""
    files = bert()
    add(hub, "acme/bert", files)
    monkeypatch.setenv("EMBEDHUB_REQUIRE_HASH", "1")
    vectors = embedhub.load(f"hf://acme/bert{TABLE}")
    assert np.array_equal(vectors.matrix, rows(8)[: len(TOKENS)])
    assert hub.sent > len(files["model.safetensors"])
    assert embedhub.load(f"hf://acme/bert{TABLE}").manifest["hash"].startswith("sha256:")


def test_host_without_ranges_sends_the_whole(hub: Hub) -> None:
    """The vectors are the same."""
    add(hub, "acme/bert", bert())
    hub.ranges = False
    with pytest.warns(errors.UnverifiedWarning):
        assert np.array_equal(embedhub.load(f"hf://acme/bert{TABLE}").matrix, rows(8)[: len(TOKENS)])


@pytest.mark.parametrize("dtype", [np.float16, np.uint16])
def test_table_of_half_precision(hub: Hub, dtype: type[Any]) -> None:
    """float16 and bfloat16 have the values of their bits; a vocab.txt has the tokens too."""
    table = rows().astype(np.float16) if dtype is np.float16 else (rows().view(np.uint32) >> 16).astype("u2")
    files = {"model.safetensors": safetensors({"wte.weight": table}), "vocab.txt": "\n".join(TOKENS).encode()}
    add(hub, "acme/half", files)
    with pytest.warns(errors.UnverifiedWarning):
        vectors = embedhub.load("hf://acme/half#wte.weight")
    assert np.array_equal(vectors.matrix, rows())
    assert list(vectors.words) == TOKENS


def test_tensor_of_a_model_in_parts(hub: Hub) -> None:
    """The index names the file that has it, and only that one is asked."""
    index = {
        "weight_map": {
            "model.embed_tokens.weight": "model-2.safetensors",
            "lm_head.weight": "model-1.safetensors",
        }
    }
    files = {
        "model.safetensors.index.json": json.dumps(index).encode(),
        "model-1.safetensors": safetensors({"lm_head.weight": rows()}),
        "model-2.safetensors": safetensors({"model.embed_tokens.weight": rows(start=7)}),
        "tokenizer.json": tokenizer(TOKENS[:3], (TOKENS[3], TOKENS[4], "<image>")),
    }
    repo = add(hub, "acme/large", files)
    with pytest.warns(errors.UnverifiedWarning):
        vectors = embedhub.load("hf://acme/large#model.embed_tokens.weight")
    assert (list(vectors.words), vectors.matrix[0, 0]) == (TOKENS, 7)  # <image> has no row
    assert not [path for path in hub.asked if "model-1" in path]
    with pytest.raises(errors.FormatError, match=r"as in 'hf://acme/large#model.embed_tokens.weight'"):
        embedhub.load("hf://acme/large")
    with pytest.raises(
        errors.FormatError, match=r"no tensor 'x'. Tensors of the model: model.embed_tokens.weight"
    ):
        embedhub.load("hf://acme/large#x")
    for weight_map in ({"x": "../../secret"}, {"x": 3}, [1], None):
        repo.commit(files | {"model.safetensors.index.json": json.dumps({"weight_map": weight_map}).encode()})
        with pytest.raises(errors.FormatError, match=r"index\.json"):
            embedhub.load("hf://acme/large#x")


@pytest.mark.parametrize(
    ("handle", "message"),
    [
        ("", r"Name the table of its tokens, as in 'hf://acme/bert#bert\.embeddings\.word_embeddings\."),
        ("#none.weight", r"no tensor 'none\.weight'\. Tensors of the file: bert\.embeddings\.word"),
        ("#bias", r"the tensor 'bias' is F32 \[3\]; expected rows"),
        ("#ids", r"the tensor 'ids' is I64 \[3, 2\]; expected rows"),
        ("#bert.encoder.weight", r"8 tokens, but .* has 3 rows|has 5 tokens"),
        ("/config.json#x", r"config\.json is neither"),
    ],
)  # fmt: skip
def test_tensor_that_is_no_table_is_an_error(hub: Hub, handle: str, message: str) -> None:
    """The message names the tensors that may be meant."""
    ids = np.zeros((3, 2), np.int64)
    add(hub, "acme/bert", bert(ids=ids, small=rows(3)))
    handle = "#small" if handle == "#bert.encoder.weight" else handle
    with pytest.raises(errors.FormatError, match=message):
        embedhub.load(f"hf://acme/bert{handle}")
    assert list_stores() == []


def test_file_that_is_not_safetensors_is_an_error(hub: Hub) -> None:
    """Neither a text, nor a header that is cut, nor a model without its tokenizer is read."""
    cases = {
        b"this is not a header": "is not a safetensors file",
        b"": "is not a safetensors file|empty",
        b"\x05": "safetensors|byte",
        (20).to_bytes(8, "little") + b"{" + 19 * b" ": "expected a JSON header",
        safetensors({"embeddings": rows()}): r"has no tokenizer\.json",
    }
    for number, (data, message) in enumerate(cases.items()):
        add(hub, f"acme/broken{number}", {"model.safetensors": data})
        with pytest.raises(errors.EmbedhubError, match=message):
            embedhub.load(f"hf://acme/broken{number}")


def test_lfs_pointer_is_refused(hub: Hub) -> None:
    """A pointer that was committed as text, and one that is sent in place of a file, are named as such."""
    data = b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n"
    add(hub, "acme/pointer", {"v.vec": data})
    with pytest.raises(errors.FormatError, match=r"git-lfs pointer.*only the owner of the repository"):
        embedhub.load("hf://acme/pointer")
    add(hub, "acme/sent", {"v.vec.gz": gzip.compress(TEXT, mtime=0)})
    hub.faults = 9 * [{"data": data}]
    with pytest.raises(errors.ChecksumError, match="git-lfs pointer"):
        embedhub.load("hf://acme/sent")
    assert list_stores() == []


def test_pickle_is_never_opened(hub: Hub) -> None:
    """Neither by its name nor by its content, and little of it is downloaded."""
    add(hub, "acme/pickle", {"pytorch_model.bin": b"\x80\x02", "config.json": b"{}"})
    for handle in ("hf://acme/pickle", "hf://acme/pickle/pytorch_model.bin"):
        with pytest.raises(errors.FormatError, match=r"pytorch_model.bin is a pickle, which is never opened"):
            embedhub.load(handle)
    assert hub.sent == 0
    checkpoint = zipped(**{"archive/data.pkl": b"\x80\x02", "archive/data/0": os.urandom(3 << 20)})
    for name, data in {"torch": checkpoint, "gensim": b"\x80\x04" + os.urandom(3 << 20)}.items():
        add(hub, f"acme/{name}", {"model.bin": data})
        hub.sent = 0
        with pytest.raises(errors.FormatError, match=r"hf://acme/.*pickle.*never opened"):
            embedhub.load(f"hf://acme/{name}")
        assert hub.sent <= (1 << 20) + 1


def test_dimension_and_limit(hub: Hub) -> None:
    """They follow a handle as any other; a wrong dimension is an error, and tokens have no limit."""
    text = b"".join(b"word%d %d 0.5\n" % (number, number) for number in range(200_000))
    add(hub, "acme/words", {"v.vec": text})
    add(hub, "acme/tiny", model2vec())
    with pytest.warns(errors.UnverifiedWarning):
        assert len(embedhub.load("hf://acme/words:2 | limit(1000)")) == 1000
    assert hub.sent < len(text) / 2
    with pytest.raises(errors.DimNotFoundError, match="its only dim is 2"):
        embedhub.load("hf://acme/words:3")
    with pytest.raises(errors.VocabularyError, match="needs the vectors of all its tokens"):
        embedhub.load("hf://acme/tiny | limit(2)")
    assert embedhub.embedding_matrix("hf://acme/tiny:4", ["", "rain"]).matrix.tolist()[1] == [8, 9, 10, 11]


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("gpt2", "expected hf://owner/repo"),
        ("a/../b", "expected hf://owner/repo"),
        ("a/b/../../c", "the path has an empty part"),
        ("a/b//v.vec", "the path has an empty part"),
        ("a/b/", "the path has an empty part"),
        (r"a/b/c\d", "a backslash"),
        ("a/b--c", "expected hf://owner/repo"),
        ("a/.b", "expected hf://owner/repo"),
        ("a/b.git", "expected hf://owner/repo"),
        ("é/b", "expected hf://owner/repo"),
        (f"{100 * 'a'}/b", "expected hf://owner/repo"),
        ("a/b@", "the revision is not"),
        ("a/b@..%2F..", "the revision is not"),
        ("a/b@-x", "the revision is not"),
        ("a/b@x y", "the revision is not"),
        ("a/b#", "name of a tensor after the #"),
        ("datasets/a/b", "datasets/ is not supported; only repositories of models"),
        ("spaces/a/b/v.vec", "spaces/ is not supported"),
        ("models/a/b", "write it as hf://owner/repo"),
        ("me:secret@host/b", "expected hf://owner/repo"),
    ],
)  # fmt: skip
def test_malformed_handle_is_an_error(hub: Hub, location: str, message: str) -> None:
    """The Hub is not asked, and a password is not shown."""
    with pytest.raises(errors.SourceNotFoundError, match=message) as error:
        embedhub.load(f"hf://{location}")
    assert "secret" not in str(error.value)
    assert hub.asked == []


@pytest.mark.parametrize(
    ("card", "license_name", "language"),
    [
        ({}, "", "und"),
        ({"license": "other", "license_name": "acme-1.0"}, "acme-1.0", "und"),
        ({"license": ["mit"], "language": {"en": 1}}, "", "und"),
        ({"license": 3 * "long" * 100, "language": ["en", "de"]}, "", "mul"),
        ({"license": None, "language": [3, "fr"]}, "", "fr"),
        ({"license": "mit\n", "language": "not a code"}, "", "und"),
        ({"language": "multilingual", "model-index": 3}, "", "mul"),
        ("text", "", "und"),
    ],
)  # fmt: skip
def test_card_may_have_anything(hub: Hub, card: Any, license_name: str, language: str) -> None:
    """Only a license and languages of the right form are taken from it."""
    files = {"v.vec": TEXT, "README.md": b"# V\n```\n@misc{v, title={V {2}}, year=2026}\n```\n@misc{ open"}
    add(hub, "acme/words", files, card=card, tags=["doi:10.1/2", "arxiv:1.2", 3])
    source = get_source("hf://acme/words")
    assert (source.license, source.language) == (license_name, language)
    assert source.citation.endswith("Hugging Face Hub, doi:10.1/2, arXiv:1.2.")
    assert source.bibtex == "@misc{v, title={V {2}}, year=2026}"
    assert "rain" in embedhub.load("hf://acme/words")


def test_long_list_of_files(hub: Hub) -> None:
    """A repository may have very many."""
    add(hub, "acme/words", {f"pages/{number}.html": b"x" for number in range(20_000)} | {"v.vec": TEXT})
    assert "rain" in embedhub.load("hf://acme/words")


def test_import_is_light() -> None:
    """Importing the package, or opening other sources, does not import huggingface_hub."""
    code = (
        "import sys, embedhub, embedhub_huggingface; embedhub.load('wordnet-ppmi:25');"
        "print('huggingface_hub' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True, timeout=LIMIT
    )
    assert done.stdout.strip() == "False"
