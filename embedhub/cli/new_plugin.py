"""The command new-plugin: a distribution or a TOML table from an author's files."""

import re
import zipfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import quote

import typer

import embedhub
from embedhub.cli.app import AUTHORS, app, usage_errors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from embedhub import RemoteFile, RemoteSource
    from embedhub.cli._excerpt import Excerpt
    from embedhub.cli._measure import Measured
    from embedhub.formats.detect import DetectedFormat

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_PREFIX = "embedhub-"
_REQUIRED = {
    "--url": "where the files are or will be",
    "--license": "the license of the vectors",
    "--citation": "what to cite",
}
_SAMPLE = b"the 0.25 -0.5 1.0\ncat 0.125 2.0 -0.75\nsat -1.5 0.0 0.375\n"


@dataclass(frozen=True, slots=True)
class _AuthorFile:
    """One of the author's files with its measured content."""

    path: Path
    remote: "RemoteFile"
    detected: "DetectedFormat"
    measured: "Measured"


@app.command(rich_help_panel=AUTHORS)
def new_plugin(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Name of the source, or embedhub-NAME, the distribution.")
    ],
    files: Annotated[
        list[Path] | None,
        typer.Argument(metavar="FILE", help="Files of your vectors, one per dimension."),
    ] = None,
    *,
    url: Annotated[
        str | None, typer.Option(help="https URL of the folder where the files are or will be published.")
    ] = None,
    license_: Annotated[
        str | None, typer.Option("--license", help="License of the vectors: an SPDX expression or a name.")
    ] = None,
    citation: Annotated[str | None, typer.Option(help="Citation in one line.")] = None,
    homepage: Annotated[
        str | None, typer.Option(help="https URL of a page about the vectors; by default --url.")
    ] = None,
    language: Annotated[str, typer.Option(help="BCP 47 code, such as en.")] = "und",
    description: Annotated[str | None, typer.Option(help="Description of the vectors in one line.")] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Folder to write to; by default embedhub-NAME in this folder.")
    ] = None,
    toml: Annotated[
        bool,
        typer.Option(
            "--toml", help="Write only a TOML table, NAME.toml, which embedhub accepts as a source."
        ),
    ] = False,
) -> None:
    r"""Write a distribution that provides your vectors as a source.

    The files are read to determine hashes, sizes, dimensions, formats, number of
    words, case, and samples for the tests, which pass at once. Files with the
    same vectors become alternatives. Without FILE, the command writes a skeleton
    with placeholders.

    Examples:
      embedhub new-plugin quiet-rivers rivers.100d.txt.gz rivers.300d.txt.gz \
        --url https://rivers.example/ --license CC-BY-4.0 \
        --citation "Me (2026). Quiet rivers."
      embedhub new-plugin quiet-rivers rivers.100d.txt --toml --url ... \
        --license ... --citation ...
      embedhub new-plugin quiet-rivers
    """
    source_name = _source_name(name)
    given = {"--url": url, "--license": license_, "--citation": citation}
    _check_facts(given | {"--homepage": homepage, "--description": description}, required=bool(files))
    if toml and not files:
        raise typer.BadParameter("--toml needs files to read. Name them after NAME.")
    if toml and folder:
        raise typer.BadParameter("--toml writes NAME.toml into this folder. Leave --folder out.")
    options = {"license": license_, "citation": citation, "homepage": homepage, "description": description}
    with usage_errors():
        read = _read_files(files or [], url or "")
        source = _source(
            source_name,
            read,
            url,
            language,
            {key: " ".join(text.split()) for key, text in options.items() if text},
        )
        contents, root = (
            _contents(source, read, toml=toml),
            Path() if toml else folder or Path(_PREFIX + source_name),
        )
    _write({root / path: content for path, content in contents.items()})
    _print_advice(source, read, root, toml=toml)


def _check_facts(given: dict[str, str | None], *, required: bool) -> None:
    """Reject placeholders, and missing facts that only the author knows."""
    from embedhub.registry.placeholders import is_placeholder, is_placeholder_url

    missing = [option for option in _REQUIRED if not (given[option] or "").strip()]
    if required and missing:
        meanings = ", and ".join(_REQUIRED[option] for option in missing)
        raise typer.BadParameter(
            f"{' and '.join(missing)} must be given with files: {meanings}. "
            "They cannot be determined from the files."
        )
    for option, value in given.items():
        is_url = option in {"--url", "--homepage"}
        if value and (is_placeholder(value) or (is_url and is_placeholder_url(value))):
            meaning = _REQUIRED.get(option, "your own text")
            raise typer.BadParameter(
                f"{option} is {value!r}, a placeholder; expected {meaning}. Nothing was written."
            )


def _source_name(name: str) -> str:
    source = name.removeprefix(_PREFIX)
    if _NAME.fullmatch(source) is None:
        raise typer.BadParameter(
            f"The name is {name!r}; expected lowercase letters, digits and single hyphens, like "
            "'quiet-rivers', with or without 'embedhub-' before them."
        )
    provider = embedhub.sources().provider(source) if source in embedhub.sources() else ""
    # The author may have installed this very plugin, and now makes its next version.
    if provider and not provider.startswith(f"{_PREFIX}{source} ("):
        raise typer.BadParameter(f"{provider} provides {source!r} already. Choose another name.")
    return source


def _read_files(paths: list[Path], base: str) -> list[_AuthorFile]:
    """Read the author's files; those of one dimension must hold the same vectors."""
    repeated = [name for name, count in Counter(path.name for path in paths).items() if count > 1]
    if repeated:
        raise typer.BadParameter(f"Two files are named {repeated[0]!r}, so both have one URL. Rename one.")
    read: list[_AuthorFile] = []
    for path in paths:
        file = _read_file(path, base)
        dim = file.detected.dim
        other = next((other for other in read if other.detected.dim == dim), None)
        if other and other.measured.digest != file.measured.digest:
            raise typer.BadParameter(
                f"{other.path} and {path} both have dim {dim}, but different vectors: "
                f"{other.measured.words:,} and {file.measured.words:,} words. A source has one set of "
                "vectors for each dim. Make two sources of them."
            )
        read.append(file)
    return read


def _read_file(path: Path, base: str) -> _AuthorFile:
    from embedhub._compression import split_member
    from embedhub.cli._excerpt import COUNT
    from embedhub.cli._measure import hash_file, measure
    from embedhub.download.remote_file import RemoteFile
    from embedhub.formats import FORMATS
    from embedhub.registry.local_file import open_source
    from embedhub.registry.registry import sources

    opened = open_source(path, sources().formats)
    path, detected = opened.path, opened.format  # the file, if the path is that of a folder
    if detected.format.name not in FORMATS:
        provider = getattr(detected.format.read, "provider", "a plugin")
        raise typer.BadParameter(
            f"{path} is in the format {detected.format.name!r}, which comes from the plugin {provider}. The "
            "table of such a source is written by hand, with RemoteFile(..., format=FORMAT), where FORMAT is "
            "the Format of that plugin. Without files, new-plugin writes all but the table."
        )
    archive, member = split_member(path)

    def remote(path: Path, **more: Any) -> RemoteFile:
        known_hash, size = hash_file(path)
        return RemoteFile(_url(base, split_member(path)[0].name), known_hash=known_hash, size=size, **more)

    more: dict[str, Any] = {}
    if member:
        _check_deflated(archive, member)
        archive_hash, archive_size = hash_file(archive)
        more = {"member": member, "archive_hash": archive_hash, "archive_size": archive_size}
    companions = tuple(map(remote, detected.companions))
    file = remote(path, format=detected.format.name, companions=companions, **more)
    blocks = detected.format.read(path, detected.dim, *detected.companions)
    return _AuthorFile(path, file, detected, measure(blocks, detected.dim, str(path), first=COUNT))


def _check_deflated(archive: Path, member: str) -> None:
    with zipfile.ZipFile(archive) as file:
        if file.getinfo(member).compress_type != zipfile.ZIP_DEFLATED:
            raise typer.BadParameter(
                f"{archive} holds {member!r} in another way than deflated, so it cannot be downloaded "
                "without the rest of the archive. Pack it with deflate, the way of most programs."
            )


def _url(base: str, name: str) -> str:
    return f"{base.rstrip('/')}/{quote(name)}"


def _source(
    name: str, read: list[_AuthorFile], url: str | None, language: str, options: dict[str, Any]
) -> "RemoteSource":
    """Return the source of the author's files, or one with placeholders if there are no files."""
    from embedhub.download.remote_file import RemoteFile
    from embedhub.registry.remote_source import RemoteSource

    if not read:
        base = url or f"https://example.org/{name}"
        facts: dict[str, Any] = {
            field: f"fill in {field}" for field in ("description", "license", "citation")
        }
        return RemoteSource(
            name=name,
            language=language,
            cased=False,
            files={3: RemoteFile(_url(base, f"{name}.3d.txt"), format="glove")},
            **(facts | {"homepage": f"https://example.org/{name}"} | options),
        )
    files: dict[int, tuple[RemoteFile, ...]] = {}
    for file in read:
        files[file.detected.dim] = (*files.get(file.detected.dim, ()), file.remote)
    counts = {file.measured.words for file in read}
    cased = any(file.measured.cased for file in read)
    dims = " and ".join(map(str, sorted(files)))
    of_words = "words" if len(counts) > 1 else f"{counts.copy().pop():,} words"
    facts = {"description": f"Vectors of {of_words} in {dims} dimensions", "homepage": url or ""}
    return RemoteSource(
        name=name,
        language=language,
        cased=cased,
        vocab_size=counts.pop() if len(counts) == 1 else None,
        unit="token" if any(file.detected.companions for file in read) else "word",
        fallbacks=() if cased else ("lower",),
        files=files,
        **(facts | options),
    )


def _contents(source: "RemoteSource", read: list[_AuthorFile], *, toml: bool) -> dict[str, bytes]:
    """Return the contents of the files to write, by path."""
    from embedhub.cli._plugin_files import plugin_files, toml_table

    if toml:
        return {f"{source.name}.toml": toml_table(source).encode()}
    samples: dict[int, dict[str, bytes]] = {}
    expected: dict[int, dict[str, Iterable[float]]] = {}
    if not read:
        lines = [line.split() for line in _SAMPLE.decode().splitlines()]
        vectors = {word: list(map(float, numbers)) for word, *numbers in lines}
        return plugin_files(source, {3: {"sample.3d.txt": _SAMPLE}}, {3: vectors})
    from embedhub.cli._excerpt import excerpt

    for file in sorted(read, key=lambda file: file.detected.dim):
        dim, measured = file.detected.dim, file.measured
        written = excerpt(file.path, file.detected, measured)
        count = len(samples.setdefault(dim, {}))
        samples[dim] |= _sample_names(written, f"sample.{dim}d{f'.{count + 1}' if count else ''}")
        expected[dim] = {}
        for word, vector in zip(measured.first_words, measured.first_vectors, strict=True):
            expected[dim].setdefault(word, vector)  # of duplicate words, the first one's
    return plugin_files(source, samples, expected)


def _sample_names(written: "Excerpt", stem: str) -> dict[str, bytes]:
    companions = {f"{stem}.{name}": content for name, content in written.companions.items()}
    return {f"{stem}{written.suffix}": written.content} | companions


def _write(contents: dict[Path, bytes]) -> None:
    for path in contents:
        if path.exists():
            raise typer.BadParameter(
                f"{path} exists already; nothing was written. Remove it, or choose another folder."
            )
    for path, content in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        typer.echo(path)


def _print_advice(source: "RemoteSource", read: list[_AuthorFile], root: Path, *, toml: bool) -> None:
    """Print the next steps: running the tests, and trying the source before its files are published."""
    if not toml:
        if not read:
            typer.echo(f"Fill in what starts with 'fill in', or has example.org, in {root}.")
        typer.echo(f"Install and test it: cd {root} && python -m pip install . pytest && python -m pytest")
    if len({file.measured.words for file in read}) > 1:
        counts = ", ".join(f"{file.path}: {file.measured.words:,}" for file in read)
        typer.echo(
            f"The files have different numbers of words ({counts}), so vocab_size is omitted.", err=True
        )
    if read:
        typer.echo("Try it before the files are at their URLs: copy them into a folder, here called mirror:")
        for file in read:
            for path, remote in zip(
                (file.path, *file.detected.companions), file.remote.all_files, strict=True
            ):
                typer.echo(f"  {str(path).partition('#')[0]} -> mirror/{remote.mirror_name}")
        name = f"{source.name}.toml" if toml else source.name
        typer.echo(f"Then: EMBEDHUB_MIRROR=mirror embedhub check {name}")
