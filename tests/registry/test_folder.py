"""Folders as sources: models on disk, clones of repositories, exports."""

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import embedhub
from embedhub.errors import FormatError, LocalFileError
from embedhub.registry.inventory import list_stores
from embedhub.registry.stored_handles import find_stores

MODEL = Path(__file__).parents[1] / "golden" / "model2vec"
POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"
README = "# A model\n\n1 2 3\n"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Return the folder of a model2vec model, as a clone of its repository has it."""
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / ".git").mkdir()
    (folder / ".gitattributes").write_text("*.safetensors filter=lfs\n")
    (folder / "README.md").write_text(README)
    (folder / "config.json").write_text('{"normalize": true}')
    for name in ("model.safetensors", "tokenizer.json"):
        shutil.copy(MODEL / name, folder)
    return folder


def modules(folder: Path, path: str, kind: str = "sentence_transformers.models.StaticEmbedding") -> None:
    """Write the list of modules of a sentence-transformers model."""
    listed: list[dict[str, Any]] = [
        {"idx": 1, "name": "1", "path": "1_Normalize", "type": "sentence_transformers.models.Normalize"},
        {"idx": 0, "name": "0", "path": path, "type": kind},
    ]
    (folder / "modules.json").write_text(json.dumps(listed))


def same_as_file(folder: Path, file: Path) -> None:
    """Check that a folder has the vectors and the store of its file."""
    vectors, expected = embedhub.load(folder), embedhub.load(file)
    assert list(vectors) == list(expected)
    assert (vectors.matrix == expected.matrix).all()
    assert (np.asarray(pickle.loads(pickle.dumps(vectors))) == expected.matrix).all()  # noqa: S301 - our own
    assert len(list_stores()) == len(find_stores(str(folder))) == 1


def test_model2vec_folder_is_a_source(model: Path) -> None:
    """The folder has the vectors of its `model.safetensors`, in the same store."""
    same_as_file(model, model / "model.safetensors")


@pytest.mark.parametrize("place", [".", "", "0_StaticEmbedding"])
def test_sentence_transformers_folder_is_a_source(place: str, model: Path) -> None:
    """The first module, wherever it is, has the vectors."""
    inner = model / place
    inner.mkdir(exist_ok=True)
    if place == "0_StaticEmbedding":
        for name in ("model.safetensors", "tokenizer.json"):
            shutil.move(model / name, inner)
    modules(model, place)
    same_as_file(model, inner / "model.safetensors")


def test_folder_may_be_named_bare(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of the working folder needs no `./`, and takes a dimension as a file does."""
    monkeypatch.chdir(model.parent)
    dim = embedhub.load("model").dim
    assert embedhub.load(f"./model/:{dim}").dim == dim


@pytest.mark.parametrize("suffix", ["safetensors", "npz", "txt", "bin"])
def test_exported_folder_is_a_source(suffix: str, tmp_path: Path) -> None:
    """A folder with one file of vectors, whatever its name, has these vectors."""
    folder = tmp_path / "exported"
    file = folder / f"mine.{suffix}"
    embedhub.export("wordnet-ppmi", 25, file, topn=100)
    (folder / "README.md").write_text(README)
    (folder / "weights.json").write_text("[1, 2]")
    vectors = embedhub.load(folder)
    assert (len(vectors), vectors.dim) == (100, 25)
    assert (vectors.matrix == embedhub.load("wordnet-ppmi", 25).matrix[:100]).all()


def test_folder_of_several_files_is_an_error(tmp_path: Path) -> None:
    """The message names them, and one of them to pass."""
    for name in ("a.vec", "b.vec"):
        (tmp_path / name).write_text("rain 0.5 1\nsnow 2 3\n")
    with pytest.raises(LocalFileError, match=r"several files in this folder .*: a\.vec, b\.vec\. .*a\.vec'"):
        embedhub.load(tmp_path)


def test_folder_for_the_projector_is_an_error(tmp_path: Path) -> None:
    """Its two files are not read again, and neither is taken for a file of vectors."""
    embedhub.export("wordnet-ppmi", 25, tmp_path / "board", topn=10, format="projector")
    with pytest.raises(LocalFileError, match="Embedding Projector"):
        embedhub.load(tmp_path / "board")


@pytest.mark.parametrize("name", ["model.safetensors", "model.vec"])
def test_pointer_of_git_lfs_is_explained(name: str, model: Path) -> None:
    """A clone without git-lfs has pointers; the message says how to get the files."""
    (model / "model.safetensors").unlink()
    (model / name).write_bytes(POINTER)
    with pytest.raises(FormatError, match=r"git-lfs pointer.*git lfs pull"):
        embedhub.load(model)


def test_contextual_model_is_explained(model: Path) -> None:
    """A transformer has no vectors of tokens without a context."""
    modules(model, "", "sentence_transformers.models.Transformer")
    with pytest.raises(FormatError, match=r"StaticEmbedding, got Transformer"):
        embedhub.load(model)


@pytest.mark.parametrize("path", ["../other", "/etc", "a/../../b"])
def test_module_outside_of_the_folder_is_refused(path: str, model: Path) -> None:
    """A list of modules leads to no file outside of the model."""
    modules(model, path)
    with pytest.raises(FormatError, match="expected a folder below this one"):
        embedhub.load(model)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '[{"idx": 0}]', '[{"idx": "x", "path": 1, "type": 2}]', "[1]"]
)
def test_malformed_list_of_modules_is_an_error(text: str, model: Path) -> None:
    """The message names the file."""
    (model / "modules.json").write_text(text)
    with pytest.raises(FormatError, match=r"modules\.json: expected the list of the modules"):
        embedhub.load(model)
