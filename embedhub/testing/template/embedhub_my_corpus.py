"""The source my-corpus."""

from collections.abc import Iterable

from embedhub import RemoteFile, RemoteSource, hookimpl

SOURCE = RemoteSource(
    name="my-corpus",
    files={
        # For each dimension the files that hold its vectors; the first one that can be downloaded is used.
        3: (
            RemoteFile(
                url="https://example.org/my-corpus.3d.txt",
                known_hash=None,  # "sha256:..." of the file, so that each download is verified
                size=None,  # in bytes
                format="glove",  # embedhub.formats.FORMATS has the names
            ),
        ),
    },
    description="What the vectors are and what they were trained on, in one line",
    language="en",
    cased=False,
    vocab_size=None,  # the number of words
    license="CC0-1.0",
    citation="The publication to cite",
    homepage="https://example.org/my-corpus",
    fallbacks=("lower",),  # tried for an out-of-vocabulary word; () if the words are cased
)


@hookimpl
def embedhub_sources() -> Iterable[RemoteSource]:
    """Return the source."""
    return [SOURCE]
