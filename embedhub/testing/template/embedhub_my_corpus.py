"""The source my-corpus."""

from collections.abc import Iterable

from embedhub import EmbeddingSource, RemoteFile, hookimpl
from embedhub.formats import glove

SOURCE = EmbeddingSource(
    name="my-corpus",
    files={
        # For each dimension the files that hold its vectors; the first one that can be downloaded is used.
        3: (
            RemoteFile(
                url="https://example.org/my-corpus.3d.txt",
                hash=None,  # "sha256:..." of the file, so that each download is verified
                size=None,  # in bytes
                reader=glove.read,  # embedhub.formats has a module for each format
            ),
        ),
    },
    description="What the vectors are and what they were trained on, in one line",
    language="en",
    cased=False,
    words=None,  # their number
    license="CC0-1.0",
    citation="The publication to cite",
    homepage="https://example.org/my-corpus",
    fallbacks=("lower",),  # tried for an out-of-vocabulary word; () if the words are cased
)


@hookimpl
def embedhub_sources() -> Iterable[EmbeddingSource]:
    """Return the source."""
    return [SOURCE]
