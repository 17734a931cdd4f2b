"""Which file of a repository has the vectors."""

import re
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath

from embedhub._json import CONTENT_ERRORS, parse_json
from embedhub._names import shown_names
from embedhub.errors import FormatError, SourceNotFoundError
from embedhub.registry.folder import first_module
from embedhub_huggingface.address import Address, is_path
from embedhub_huggingface.hub import Repository
from embedhub_huggingface.table import suggested

WEIGHTS = "model.safetensors"
_INDEX = "model.safetensors.index.json"
_MODULES = "modules.json"
_PICKLES = re.compile(
    r"(?:.*/)?(?:pytorch_model|training_args|optimizer|scheduler).*\.bin|.*\.(?:pt|pth|pkl|ckpt)"
)
_VECTORS = re.compile(r".*\.(?:vec|txt|bin|npz|safetensors|w2v|glove)(?:\.(?:gz|bz2|xz|zip))?|.*\.zip")
_OTHERS = re.compile(
    r"(?:.*/)?(?:\..*|vocab|merges|requirements|licen[cs]e|readme|notice|.*tokens)(?:[._-].*)?\.txt"
    r"|(?:.*/)?\..*|(?:adapter_model|sentencepiece).*",
    re.IGNORECASE,
)
_MAX_SHOWN = 10

Reader = Callable[[str], bytes]
"""A function that returns the bytes of a small file of the repository."""


def choose(address: Address, repository: Repository, read: Reader) -> str:
    """Return the path of the file of vectors.

    As in a folder, it is that of the first module of a model of sentence-transformers, ``model.safetensors``,
    or else the only file whose name is one of vectors.

    Args:
        address: What the handle names.
        repository: The repository.
        read: Returns the bytes of a small file.

    Raises:
        SourceNotFoundError: The repository has no such file.
        FormatError: It has no file of vectors, or several, or is a model of another kind.
    """
    files = repository.files
    if address.path is not None:
        if address.path not in files:
            raise _no_file(address, repository)
        _refuse_pickle(address, address.path)
        return address.path
    if address.part is None and _MODULES in files:
        folder = first_module(read(_MODULES), str(address), f"{address}/{_MODULES}")
        path = (folder / WEIGHTS).as_posix()
        if path not in files:
            raise FormatError(f"{address}: {_MODULES} names the folder {str(folder)!r}, without {WEIGHTS}.")
        return path
    if WEIGHTS in files:
        return WEIGHTS
    if _INDEX in files:
        return _shard(address, repository, read(_INDEX))
    return _only_file(address, files)


def _shard(address: Address, repository: Repository, index: bytes) -> str:
    """Return the path of the part of a large model that has a tensor."""
    try:
        by_tensor = dict(parse_json(index)["weight_map"])
    except CONTENT_ERRORS as error:
        raise FormatError(
            f"{address}: {_INDEX} does not name the file of each tensor ({error!r:.100})."
        ) from error
    names = [name for name in by_tensor if isinstance(name, str)]
    if address.part is None:
        raise not_static(address, names)
    path = by_tensor.get(address.part)
    if path is None:
        shown = suggested(names) or shown_names(sorted(names)) or "none"
        raise FormatError(f"{address}: there is no tensor {address.part!r}. Tensors of the model: {shown}.")
    if not is_path(path) or path not in repository.files:
        raise FormatError(
            f"{address}: {_INDEX} names the file {path!r:.100}, which the repository does not have."
        )
    return str(path)


def not_static(address: Address, tensors: list[str]) -> FormatError:
    """Return the error for a model whose table of tokens has to be named."""
    close = suggested(tensors)
    name = close.partition(", ")[0] or "NAME"
    among = (
        f" Names that look like it: {close}." if close else f" Its tensors: {shown_names(sorted(tensors))}."
    )
    return FormatError(
        f"{address}: this is not a model with one vector for each token, as model2vec and StaticEmbedding of "
        f"sentence-transformers save them. Name the table of its tokens, as in '{address}#{name}'.{among}"
    )


def _only_file(address: Address, files: Mapping[str, object]) -> str:
    if address.part is not None:
        raise FormatError(
            f"{address}: the repository has no {WEIGHTS}. Name the file before the #, as in "
            f"'{address._replace(path='folder/file.safetensors')}'."
        )
    found = sorted(
        path
        for path in files
        if _VECTORS.fullmatch(path.lower()) and not _OTHERS.fullmatch(path) and not _PICKLES.fullmatch(path)
    )
    if len(found) == 1:
        return found[0]
    if found:
        handles = ", ".join(f"'{address._replace(path=path)}'" for path in found[:_MAX_SHOWN])
        more = f", and {len(found) - _MAX_SHOWN:,} more" if len(found) > _MAX_SHOWN else ""
        raise FormatError(f"{address}: several files may have vectors. Name one: {handles}{more}.")
    pickles = sorted(path for path in files if _PICKLES.fullmatch(path))
    if pickles:
        _refuse_pickle(address, pickles[0])
    names = shown_names(sorted(files)) or "no files"
    raise FormatError(f"{address}: expected a file of vectors in the repository, but it has {names}.")


def _refuse_pickle(address: Address, path: str) -> None:
    if _PICKLES.fullmatch(path):
        raise FormatError(
            f"{address}: {path} is a pickle, which is never opened, since it can run any program. Ask the "
            f"authors for {WEIGHTS}, or load the model in PyTorch and write its words and vectors as lines "
            "of text."
        )


def _no_file(address: Address, repository: Repository) -> SourceNotFoundError:
    wanted = str(address.path)
    below = sorted(path for path in repository.files if path.startswith(f"{wanted}/"))
    name = PurePosixPath(wanted).name.lower()
    close = [path for path in sorted(repository.files) if PurePosixPath(path).name.lower() == name]
    listed = below or close or sorted(repository.files)
    what = "is a folder; name a file in it" if below else "is not in the repository, which has"
    return SourceNotFoundError(f"{address}: {wanted} {what}: {shown_names(listed) or 'no files'}.")
