"""The contract of a source: `SourceContract`, tests that the author of a plugin inherits. Needs pytest."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from hashlib import new
from inspect import signature
from pathlib import Path
from typing import Any, ClassVar, NoReturn

import numpy as np
import pytest
from numpy.typing import NDArray

from embedhub.download.remote_file import Fetched, RemoteFile
from embedhub.errors import DimNotFoundError, FormatError, SourceNotFoundError
from embedhub.registry.plugins import entry_points
from embedhub.registry.registry import sources
from embedhub.registry.remote_source import RemoteSource
from embedhub.registry.source import EmbeddingSource
from embedhub.testing.import_audit import side_effects
from embedhub.vectors.blocks import ExtraFile
from embedhub.vectors.store import open_store
from embedhub.vectors.store_writer import StoreWriter

_CUTS = 50
_GARBLINGS = 50
_WEB_PAGE = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head>\n<body></body></html>\n"
# The parts that RFC 5646 gives a tag, in its recommended case; the irregular tags of old are left out.
_BCP_47 = re.compile(
    r"[a-z]{2,3}(-[a-z]{3})?(-[A-Z][a-z]{3})?(-([A-Z]{2}|[0-9]{3}))?(-([a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*"
    r"(-x(-[a-z0-9]{1,8})+)?"
)


class SourceContract:
    """What holds for every source, as tests; a subclass names some sources and gives samples of their files.

    The sources must be installed, since their entry point is tested too. Nothing is downloaded.

    Example:
        The whole test file of a plugin::

            class TestMyCorpus(SourceContract):
                sources = [embedhub_my_corpus.SOURCE]
                samples = {3: [Path(__file__).with_name("sample.txt").read_bytes()]}
                expected = {"the": [0.25, -0.5, 1.0], "cat": [0.125, 2.0, -0.75]}

    Attributes:
        sources: The sources that this is about; the samples are of all of them.
        samples: For some dim, or several, the bytes of a tiny file in the form of each candidate, in their
            order, with the same words and rows; after each, those of what lies beside it. Each reader of each
            source needs one.
        expected: All words of a sample, in order, and the first numbers of their rows: as many as you like.
    """

    sources: ClassVar[Sequence[EmbeddingSource]]
    samples: ClassVar[Mapping[int, Sequence[bytes]]]
    expected: ClassVar[Mapping[str, Sequence[float]]]

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Run each test for each source; those of samples for one source of all that the same code reads."""
        of_samples = "tmp_path" in signature(metafunc.function).parameters
        tested = self._representatives() if of_samples else self.sources
        metafunc.parametrize("source", tested, ids=lambda source: source.name)

    def _representatives(self) -> list[EmbeddingSource]:
        first: dict[object, EmbeddingSource] = {}
        for source in self.sources:
            formats = [(dim, file.format) for dim in self.samples for file in _candidates(source, dim)]
            first.setdefault((type(source), *formats), source)
        return list(first.values())

    def test_installing_it_makes_its_name_appear(self, source: EmbeddingSource) -> None:
        """The registry has the source under its name, from an installed plugin."""
        try:
            registered = sources()[source.name]
        except SourceNotFoundError:
            _fail(
                f"No installed plugin provides {source.name!r}. Install the distribution (python -m pip "
                "install .). Its pyproject.toml names the module in [project.entry-points.embedhub]; the "
                "module has a function embedhub_sources marked with @hookimpl, which returns the source."
            )
        _expect(registered == source, f"{source.name!r} is registered, but not as the tested source.")

    def test_its_hook_has_no_side_effects(self, source: EmbeddingSource) -> None:
        """To list names is cheap: no file but installed ones, no network, no process, no other package."""
        provider = sources().provider(source.name)
        effects = side_effects(_modules().get(provider, provider))
        _expect(
            not effects,
            f"The plugin {provider} {'; '.join(effects)}. The hook runs whenever anybody lists names: import "
            "what is heavy, and read what is not code, in the function that needs it.",
        )

    def test_its_metadata_is_complete(self, source: EmbeddingSource) -> None:
        """Whoever looks the source up learns what it is, in which language, on which terms, by whom."""
        for field in ("description", "license", "citation"):
            text = getattr(source, field)
            _expect(
                isinstance(text, str) and bool(text) and text == " ".join(text.split()),
                f"{source.name}: {field} is {text!r}; expected one line.",
            )
        _expect(
            re.fullmatch(r"https://[^/\s]+(/\S*)?", source.homepage) is not None,
            f"{source.name}: homepage is {source.homepage!r}; expected 'https://...'.",
        )
        _expect(
            _BCP_47.fullmatch(source.language) is not None,
            f"{source.name}: language is {source.language!r}; expected a BCP 47 tag like 'en', 'zh-Hant', "
            "'de-AT', or 'mul' for several.",
        )
        _expect(type(source.cased) is bool, f"{source.name}: cased is {source.cased!r}; expected a bool.")
        _expect(
            source.vocab_size is None or (type(source.vocab_size) is int and source.vocab_size > 0),
            f"{source.name}: vocab_size is {source.vocab_size!r}; expected a positive int, or None.",
        )

    def test_every_dim_can_be_had_and_no_other(
        self, source: EmbeddingSource, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """There is a dim, each has a file to come from, and one that is not there says so at once."""
        monkeypatch.setenv("EMBEDHUB_OFFLINE", "1")
        dims = source.dims
        _expect(
            bool(dims) and list(dims) == sorted({dim for dim in dims if type(dim) is int and dim > 0}),
            f"{source.name}: dims is {dims!r}; expected positive ints, smallest first.",
        )
        for dim in dims:
            key = source.cache_key(dim)
            _expect(
                isinstance(key, str) and bool(key),
                f"{source.name}: cache_key({dim}) is {key!r}; expected a string.",
            )
        absent = max(dims) + 1
        for method in (source.fetch, source.vectors):
            try:
                method(absent)
            except DimNotFoundError:
                continue
            except Exception as error:  # noqa: BLE001 - whatever else it raises is the finding
                _fail(f"{source.name}: dim {absent} is {_told(error)}; expected DimNotFoundError.")
            _fail(f"{source.name}: dim {absent} is given, but it is not in dims.")

    def test_no_pin_is_a_slip(self, source: EmbeddingSource) -> None:
        """No hash is that of no bytes, stands at two dims' different files, or has a rival at its address."""
        pins: dict[str, set[str | None]] = defaultdict(set)
        dims: dict[str, set[tuple[str, ...]]] = defaultdict(set)
        for dim in source.dims:
            files = _candidates(source, dim)
            locations = tuple(file.location for file in files)
            for file in files:
                if file.known_hash:
                    dims[file.known_hash].add(locations)
            for part in (part for file in files for part in file.all_files):
                pins[part.location].add(part.known_hash)
                for pin in filter(None, (part.known_hash, part.archive_hash)):
                    algorithm, _, value = pin.partition(":")
                    _expect(
                        value != new(algorithm, usedforsecurity=False).hexdigest(),
                        f"{source.name}: {part.location} has the hash of an empty file, {pin}.",
                    )
        for address, rivals in pins.items():
            _expect(len(rivals) == 1, f"{source.name}: {address} is pinned to several hashes: {rivals}.")
        for pin, places in dims.items():
            _expect(len(places) == 1, f"{source.name}: {pin} stands at files of several dims: {places}.")

    def test_the_samples_show_every_reader(self, source: EmbeddingSource) -> None:
        """Each sample has its candidate, and each reader of the source has a sample."""
        for dim, contents in self.samples.items():
            _expect(
                any(dim in other.dims for other in self.sources),
                f"There is a sample of dim {dim}, which none of the sources has.",
            )
            if dim in source.dims:
                wanted = sum(map(len, _names(source, dim)))
                _expect(
                    len(contents) == wanted,
                    f"{source.name}: samples[{dim}] has {len(contents)} files; expected {wanted}: one for "
                    "each candidate, and for each file beside it.",
                )
        shown = [dim for dim in source.dims if dim in self.samples]
        _expect(bool(shown), f"{source.name}: no sample is of one of its dims: {source.dims}.")
        formats = {file.format for dim in shown for file in _candidates(source, dim)}
        missing = {file.format for dim in source.dims for file in _candidates(source, dim)} - formats
        _expect(not missing, f"{source.name}: these formats have no sample: {missing}.")

    def test_a_sample_gives_what_is_expected(self, source: EmbeddingSource, tmp_path: Path) -> None:
        """Every candidate gives the expected words in order, and rows of the dim in float32."""
        for dim, fetched, _ in self._laid_out(source, tmp_path):
            path = fetched.path
            words, rows = _parse(source, fetched, dim)
            first = {word: rows[words.index(word)] for word in words}
            _expect(
                list(first) == list(self.expected),
                f"{source.name}: {path.name} gives the words {list(first)}; expected {list(self.expected)}.",
            )
            for word, numbers in self.expected.items():
                wanted = np.array(numbers, np.float32)
                found = first[word][: len(wanted)]
                _expect(
                    _same(found, wanted),
                    f"{source.name}: the row of {word!r} in {path.name} starts with {found.tolist()}; "
                    f"expected {wanted.tolist()} in float32.",
                )

    def test_all_candidates_hold_the_same_vectors(self, source: EmbeddingSource, tmp_path: Path) -> None:
        """The samples of a dim give the same words and rows, bit for bit."""
        seen: dict[int, tuple[list[str], NDArray[np.float32]]] = {}
        for dim, fetched, _ in self._laid_out(source, tmp_path):
            path = fetched.path
            words, rows = _parse(source, fetched, dim)
            first_words, first_rows = seen.setdefault(dim, (words, rows))
            _expect(
                words == first_words and _same(rows, first_rows),
                f"{source.name}: {path.name} gives other words or rows than the first sample of dim {dim}.",
            )

    def test_the_store_keeps_every_bit(self, source: EmbeddingSource, tmp_path: Path) -> None:
        """What is looked up is what was parsed; of duplicate words, the first."""
        for dim, fetched, _ in self._laid_out(source, tmp_path):
            path = fetched.path
            words, rows = _parse(source, fetched, dim)
            folder = path.with_name(f"{path.name}-store")
            with StoreWriter(folder, name=source.name, dim=dim) as writer:
                for block in source.parse(fetched, dim):
                    writer.write(block)
            vectors = open_store(folder)
            distinct = list(dict.fromkeys(words))
            kept = [words.index(word) for word in distinct]
            _expect(
                list(vectors.words) == distinct
                and _same(vectors.matrix, rows[kept])
                and _same(vectors.lookup(distinct), rows[kept]),
                f"{source.name}: the store of {path.name} has other words or rows than the file.",
            )

    def test_a_cut_file_is_never_taken_for_another(self, source: EmbeddingSource, tmp_path: Path) -> None:
        """Of a file that ends too early come the rows before the cut, or a FormatError."""
        for dim, fetched, content in self._laid_out(source, tmp_path):
            path = fetched.path
            words, rows = _parse(source, fetched, dim)
            for size in sorted({*range(0, len(content), -(-len(content) // _CUTS)), len(content) - 1}):
                path.write_bytes(content[:size])
                what = f"{path.name} cut to {size} of {len(content)} bytes"
                some_words, some_rows = _parse_or_refuse(source, fetched, dim, what) or ([], rows[:0])
                count = len(some_words)
                _expect(
                    some_words == words[:count] and _same(some_rows, rows[:count]),
                    f"{source.name}: {what} gives words or rows that the whole file has not.",
                )

    def test_a_garbled_file_raises_no_foreign_error(self, source: EmbeddingSource, tmp_path: Path) -> None:
        """Of damaged bytes come well-formed blocks, or a FormatError."""
        for dim, fetched, content in self._laid_out(source, tmp_path):
            path = fetched.path
            for seed in range(_GARBLINGS):
                chance = np.random.default_rng(seed)
                garbled = np.frombuffer(content, np.uint8).copy()
                places = chance.integers(len(garbled), size=chance.integers(1, 9))
                garbled[places] = chance.integers(256, size=len(places))
                path.write_bytes(garbled.tobytes())
                _parse_or_refuse(source, fetched, dim, f"{path.name} garbled at the bytes {places.tolist()}")

    def test_a_web_page_is_refused(self, source: EmbeddingSource, tmp_path: Path) -> None:
        """What a server sends in place of a file that has gone is a FormatError."""
        for dim, fetched, _ in self._laid_out(source, tmp_path):
            path = fetched.path
            path.write_bytes(_WEB_PAGE)
            given = _parse_or_refuse(source, fetched, dim, f"a web page in place of {path.name}")
            _expect(given is None, f"{source.name}: a web page in place of {path.name} gives {given}.")

    def _laid_out(self, source: EmbeddingSource, folder: Path) -> Iterator[tuple[int, Fetched, bytes]]:
        """Write each sample of a source; yield the dimension, the fetched file, and its content."""
        for dim in source.dims:
            contents = iter(self.samples.get(dim, ()))
            candidates: Sequence[RemoteFile | None] = _candidates(source, dim) or (None,)
            for number, (file, names) in enumerate(zip(candidates, _names(source, dim), strict=True)):
                paths = [folder / f"{dim}d" / str(number) / name for name in names]
                written = list(zip(paths, contents, strict=False))
                for path, content in written:
                    path.parent.mkdir(parents=True, exist_ok=True)
                    path.write_bytes(content)
                if written:
                    companions = dict(zip(names[1:], paths[1:], strict=True))
                    yield dim, Fetched(paths[0], file, companions), written[0][1]


def _candidates(source: EmbeddingSource, dim: int) -> tuple[RemoteFile, ...]:
    return source.files.get(dim, ()) if isinstance(source, RemoteSource) else ()


def _names(source: EmbeddingSource, dim: int) -> list[list[str]]:
    """Return for each candidate the names of its file and of its companions."""
    files = _candidates(source, dim)
    return [[Path(part.cache_name).name for part in file.all_files] for file in files] or [["sample"]]


@cache
def _modules() -> dict[str, str]:
    """Return what each plugin's entry point names; embedhub's own sources are provided by their modules."""
    return {provider: entry_point.value for provider, entry_point in entry_points("embedhub")}


def _parse(source: EmbeddingSource, fetched: Fetched, dim: int) -> tuple[list[str], NDArray[np.float32]]:
    """Read a file whole; a malformed block fails the test."""
    all_words: list[str] = []
    all_rows = [np.empty((0, dim), np.float32)]
    path = fetched.path
    for block in source.parse(fetched, dim):
        if isinstance(block, ExtraFile):
            continue
        words, rows = block
        _expect(
            isinstance(rows, np.ndarray) and rows.shape == (len(words), dim) and rows.dtype == np.float32,
            f"{source.name}: the reader of {path.name} gave {len(words)} words with {_form(rows)}; expected "
            f"an array of shape {(len(words), dim)} and dtype float32.",
        )
        _expect(
            isinstance(words, list) and all(isinstance(word, str) for word in words),
            f"{source.name}: the reader of {path.name} gave the words {words!r}; expected a list of str.",
        )
        all_words += words
        all_rows.append(rows)
    return all_words, np.concatenate(all_rows)


def _parse_or_refuse(
    source: EmbeddingSource, fetched: Fetched, dim: int, what: str
) -> tuple[list[str], NDArray[np.float32]] | None:
    """Read a file whole, or return None if it is refused as it should be."""
    try:
        return _parse(source, fetched, dim)
    except FormatError:
        return None
    except Exception as error:  # noqa: BLE001 - whatever else it raises is the finding
        _fail(f"{source.name}: {what} is {_told(error)}; expected embedhub's FormatError.")


def _same(left: NDArray[Any], right: NDArray[Any]) -> bool:
    """Tell whether two float32 arrays are equal bit for bit."""
    return left.shape == right.shape and left.tobytes() == right.tobytes()


def _form(rows: object) -> str:
    shape, dtype = getattr(rows, "shape", None), getattr(rows, "dtype", None)
    return f"rows of type {type(rows).__name__}, shape {shape} and dtype {dtype}"


def _told(error: Exception) -> str:
    return f"a {type(error).__name__} ({error})"


def _expect(condition: bool, message: str) -> None:  # noqa: FBT001 - it reads like assert
    __tracebackhide__ = True
    if not condition:
        _fail(message)


def _fail(message: str) -> NoReturn:
    __tracebackhide__ = True
    pytest.fail(message)
