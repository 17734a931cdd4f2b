"""Writing the blocks of a source to its store, with errors that name the source."""

from collections.abc import Callable, Iterable, Iterator

from embedhub.errors import EmbedhubError, FormatError, StoreError, UnexpectedEndError
from embedhub.vectors.blocks import Block, ExtraFile
from embedhub.vectors.store_writer import StoreWriter


def write_blocks(
    writer: StoreWriter,
    parse: Callable[[], Iterable[Block | ExtraFile]],
    label: str,
    advance: Callable[[int], None],
    accept_end: Callable[[UnexpectedEndError], object],
) -> None:
    """Write the blocks of a source to its store.

    Args:
        writer: The store.
        parse: Returns the blocks.
        label: The source and the dimension, for messages.
        advance: Called with the number of words of each block.
        accept_end: Called with the error of a truncated file: it raises the error, or accepts the vectors
            before the end.

    Raises:
        FormatError: The source yields something other than blocks, or its file is malformed.
        StoreError: That file cannot be read, or the store cannot be written.
    """
    # The last block may map the downloaded file; Windows removes it when this function has returned.
    try:
        for block in _explain_errors(parse, label):
            writer.write(block)
            advance(0 if isinstance(block, ExtraFile) else len(block[0]))
    except UnexpectedEndError as error:
        accept_end(error)
    writer.require_vectors()  # before the hash of the file is trusted


def _explain_errors(
    parse: Callable[[], Iterable[Block | ExtraFile]], label: str
) -> Iterator[Block | ExtraFile]:
    """Yield the blocks; report read errors as such, and name the source in errors of its own code."""
    try:
        blocks = parse()
        if not isinstance(blocks, Iterable):
            raise FormatError(
                f"{label}: the source returned {blocks!r}; expected an iterator of blocks. Does its function "
                "yield them? Nothing was published."
            )
        yield from blocks
    except (EmbedhubError, Warning):  # a warning is not an error of that code: the user made it one
        raise
    except OSError as error:
        raise StoreError(
            f"{label}: the input of the store cannot be read: {error}. Nothing was published."
        ) from error
    except Exception as error:
        error.add_note(
            f"{label}: this error comes from the code that reads or computes the vectors of the source. "
            "Nothing was published."
        )
        raise
