"""ConceptNet Numberbatch 19.08, English and multilingual.

The hashes, and how many publish them independently.

- ``numberbatch-en``: sha256 of the gzip file by two projects.
- ``numberbatch``, and ``numberbatch-<code>``, which take one language out of the same file: nothing.

The ten languages that ConceptNet calls its core have sources of their own, except English, which has a file.
"""

from collections.abc import Iterable

from embedhub import RemoteFile, RemoteSource, hookimpl

_DOWNLOADS = "https://conceptnet.s3.amazonaws.com/downloads/2019/numberbatch"

_ENGLISH = RemoteFile(
    f"{_DOWNLOADS}/numberbatch-en-19.08.txt.gz",
    known_hash="sha256:90e57611eb71077ada9fd0b011fd0206de8ec13d035aced40b81b1a4d549c6a2",
    size=325_403_502,
    format="numberbatch",
)

_LANGUAGES = {
    "fr": "French",
    "it": "Italian",
    "de": "German",
    "es": "Spanish",
    "ru": "Russian",
    "pt": "Portuguese",
    "ja": "Japanese",
    "nl": "Dutch",
    "zh": "Chinese",
}


def _multilingual(format_name: str) -> RemoteFile:
    return RemoteFile(f"{_DOWNLOADS}/numberbatch-19.08.txt.gz", format=format_name)


def _source(name: str, file: RemoteFile, what: str, language: str, vocab_size: int | None) -> RemoteSource:
    return RemoteSource(
        name=name,
        files={300: file},
        description=f"ConceptNet Numberbatch 19.08, {what}, lower-cased",
        language=language,
        cased=False,
        vocab_size=vocab_size,
        frequent_first=False,  # in alphabetical order
        license="CC-BY-SA-4.0",
        citation=(
            "Robyn Speer, Joshua Chin, Catherine Havasi (2017). ConceptNet 5.5: An Open Multilingual Graph "
            "of General Knowledge. AAAI 2017, 4444-4451."
        ),
        bibtex="""@inproceedings{speer2017conceptnet,
  author = {Speer, Robyn and Chin, Joshua and Havasi, Catherine},
  title = {{ConceptNet} 5.5: An Open Multilingual Graph of General Knowledge},
  booktitle = {Proceedings of the {AAAI} Conference on Artificial Intelligence},
  year = {2017},
  pages = {4444--4451},
}""",
        homepage="https://github.com/commonsense/conceptnet-numberbatch",
        tokenization="google-news",  # ConceptNet's own leaves out punctuation, too
        fallbacks=("lower", "digits"),  # the digits of longer numbers are written as #
    )


SOURCES = (
    _source("numberbatch-en", _ENGLISH, "English", "en", 516_782),
    _source("numberbatch", _multilingual("numberbatch"), "78 languages", "mul", 9_161_912),
    *(
        _source(f"numberbatch-{code}", _multilingual(f"numberbatch:{code}"), name, code, None)
        for code, name in _LANGUAGES.items()
    ),
)


@hookimpl
def embedhub_sources() -> Iterable[RemoteSource]:
    """Return English, all languages, and the core languages one by one."""
    return SOURCES
