"""Folders of models, such as clones of repositories of the Hugging Face Hub: the file of vectors in them."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path, PurePosixPath

from embedhub._compression import read_small
from embedhub._json import CONTENT_ERRORS, parse_json
from embedhub._names import shown_names
from embedhub._sniff import SNIFF_BYTES, sniff
from embedhub.errors import FormatError, LocalFileError
from embedhub.formats.detect import detect
from embedhub.formats.projector import FILES as PROJECTOR_FILES
from embedhub.vectors.blocks import Format

_MODULES = "modules.json"  # of sentence-transformers
_STATIC = "StaticEmbedding"
_WEIGHTS = "model.safetensors"
_MAX_FILES = 1000


def vectors_file(folder: Path, formats: Callable[[], Iterable[Format]]) -> Path:
    """Return the one file of vectors in a folder.

    Of a sentence-transformers model it is that of its first module, of a model2vec model
    ``model.safetensors``, and of any other folder the only file in a known format.

    Args:
        folder: The folder.
        formats: Returns the formats of plugins.

    Raises:
        LocalFileError: It has no file of vectors, or several.
        FormatError: It is a model of another kind, or its file was not downloaded.
        OSError: The system refuses to read it.
    """
    if (folder / _MODULES).is_file():
        path = folder / _MODULES
        return _downloaded(folder / first_module(read_small(path), str(folder), str(path)) / _WEIGHTS)
    if (folder / _WEIGHTS).is_file():
        return _downloaded(folder / _WEIGHTS)
    files = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    names = shown_names(path.name for path in files)
    if {path.name for path in files}.issuperset(PROJECTOR_FILES):
        raise LocalFileError(
            f"{folder}: expected a file of vectors with their words, but this folder is for TensorBoard's "
            "Embedding Projector. Export to another format, such as safetensors."
        )
    if len(files) > _MAX_FILES:
        raise LocalFileError(
            f"{folder}: this folder has {len(files):,} files. Pass the file of vectors in it."
        )
    found = [path for path in files if _has_vectors(_downloaded(path), formats)]
    if len(found) == 1:
        return found[0]
    if found:
        names = shown_names(path.name for path in found)
        raise LocalFileError(
            f"{folder}: several files in this folder have vectors: {names}. Pass one of them, as in "
            f"{str(found[0])!r}."
        )
    raise LocalFileError(
        f"{folder}: expected a file of vectors in this folder, but it has {names or 'no files'}."
    )


def first_module(modules: bytes, model: str, path: str) -> PurePosixPath:
    """Return the folder of the first module of a sentence-transformers model, relative to that of the model.

    Args:
        modules: The content of its ``modules.json``.
        model: The model, for messages.
        path: The file, for messages.

    Raises:
        FormatError: The file is malformed, or the module does not have one vector for each token.
    """
    try:
        module = min(parse_json(modules), key=lambda module: int(module["idx"]))
        kind, place = str(module["type"]), PurePosixPath(module["path"])
    except CONTENT_ERRORS as error:
        raise FormatError(f"{path}: expected the list of the modules of a model ({error!r}).") from error
    if not kind.endswith(_STATIC):
        raise FormatError(
            f"{model}: expected a model with one vector for each token, whose first module is {_STATIC}, "
            f"got {kind.rpartition('.')[2]}: the vectors of its tokens depend on their context."
        )
    if place.is_absolute() or ".." in place.parts:
        raise FormatError(
            f"{path}: the path of a module is {str(place)!r}; expected a folder below this one."
        )
    return place


def _downloaded(path: Path) -> Path:
    """Return a path unless it is a placeholder for a file."""
    with path.open("rb") as file:
        start = file.read(SNIFF_BYTES)
    identified = sniff(start) if start else None
    if identified and "git-lfs" in identified:
        raise FormatError(f"{path}: this is {identified}. Run `git lfs pull` in its folder.")
    return path


def _has_vectors(path: Path, formats: Callable[[], Iterable[Format]]) -> bool:
    with suppress(FormatError, FileNotFoundError):  # of a companion
        detect(path, formats)
        return True
    return False
