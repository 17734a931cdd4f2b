"""A downloader for `pooch.Pooch.fetch`, with byte ranges, resumption and members of zip archives."""

import hashlib
from contextlib import suppress
from pathlib import Path

from embedhub._progress import progress_bar
from embedhub._sniff import SNIFF_BYTES, sniff
from embedhub.download.http import ByteSource, peek
from embedhub.download.remote_file import RemoteFile
from embedhub.download.resumable import ResumableFile
from embedhub.download.verify import Verifier, git_hash, is_git_hash
from embedhub.download.zip_member import ByteRange, Member
from embedhub.errors import ChecksumError


class Downloader:
    """Downloads one file from one location.

    pooch compares the hash of a whole file. The published hash of a zip member is that of its inflated bytes,
    so they are verified here, as they arrive.

    Args:
        file: The file to download.
        remote: The location, whose `stat` was called: for a member, the archive, or the member as gzip.
        member: The position of the member in the archive, or of the byte range in the file; None if
            ``remote`` is the file itself.
        known_hash: The expected hash; None if unknown.
        label: Description of the file, for messages.

    Attributes:
        resumed: Whether some of the bytes came from an earlier run.
        identified_as: Description of an answer that servers send instead of the file, such as a web page.
    """

    def __init__(
        self,
        file: RemoteFile,
        remote: ByteSource,
        *,
        member: Member | ByteRange | None,
        known_hash: str | None,
        label: str,
    ) -> None:
        self._file = file
        self._remote = remote
        self._member = member
        self._known_hash = known_hash
        self._label = label
        self._partial: ResumableFile | None = None
        self.resumed = False
        self.identified_as: str | None = None

    def __call__(self, url: str, output_file: str, pooch: object) -> None:
        """Download the file to the place that pooch names.

        Args:
            url: Its location, for pooch's log.
            output_file: An empty file in the folder where pooch keeps the downloaded one.
            pooch: The calling `pooch.Pooch`.

        Raises:
            DownloadError: The file cannot be downloaded; a ChecksumError if its size or its bytes are wrong.
            StoreError: The cache cannot be written, or its disk is full.
        """
        del url, pooch
        output = Path(output_file)
        output.unlink()  # a killed download then leaves no file of pooch behind
        file = self._file
        self._check_promised_size()
        verifier = self._verifier() if file.member else None
        self._partial = partial = self._partial_file(output.parent, verifier)
        self._remove_links(output.parent, partial.path)
        name = Path(file.member or file.mirror_name).name
        with progress_bar(f"Downloading {self._label} ({name})", partial.total, in_bytes=True) as advance:
            try:
                partial.complete(advance)
            finally:
                self.resumed = partial.resumed
        if verifier:
            verifier.verify(self._known_hash)
        else:
            self._check_whole_file(partial.path)
        self._hand_over(partial.path, output)

    def download_first(self, folder: Path, size: int) -> Path:
        """Download the first bytes of the file, or of the deflated ones of a zip member.

        What an earlier call has downloaded is not downloaded again, and the partial file stays: a download of
        the whole file continues it.

        Args:
            folder: Where the partial file is.
            size: How many bytes.

        Returns:
            The partial file, which may have more than these bytes; of a zip member it is gzip.

        Raises:
            DownloadError: They cannot be downloaded, or the size of the whole is wrong.
            StoreError: The cache cannot be written, or its disk is full.
        """
        self._check_promised_size()
        self._partial = partial = self._partial_file(folder)
        with progress_bar(f"Downloading {self._label}", size, in_bytes=True) as advance:
            try:
                partial.complete(advance, until=size)
            finally:
                self.resumed = self.resumed or partial.resumed
        return partial.path

    def _partial_file(self, folder: Path, verifier: Verifier | None = None) -> ResumableFile:
        file, remote, member = self._file, self._remote, self._member
        # Each location has its own partial file, so that the next one does not undo what this one gave.
        place = hashlib.sha256(remote.address.encode()).hexdigest()[:8]
        return ResumableFile(
            folder / f"{Path(file.cache_name).name}.{place}.part",
            remote,
            start=member.start if member else 0,
            stop=member.stop if member else remote.size,
            limit=None if file.member else file.size,
            can_verify=self._known_hash is not None,
            prefix=member.prefix if member else b"",
            suffix=member.suffix if member else b"",
            verifier=verifier,
        )

    def _verifier(self) -> Verifier:
        """Return what verifies the bytes of a zip member as they arrive."""
        remote, member = self._remote, self._member
        location = f"{remote.location}#{self._file.member}" if member else remote.location
        algorithm = (self._known_hash or "sha256:").partition(":")[0]
        return Verifier(location, algorithm, self._file.size or (member.size if member else None))

    def discard(self) -> None:
        """Remove the partial file, if there is one."""
        if self._partial:
            self._partial.discard()

    def _check_promised_size(self) -> None:
        member, expected = self._member, self._file.size
        promised = member.size if member else self._remote.size
        is_gzip = self._file.member and not member  # of a member, whose size is that of its content
        if expected is None or promised in {None, expected} or is_gzip:
            return
        identified = sniff(peek(self._remote))
        raise ChecksumError(
            f"{self._remote.location}: expected {expected:,} bytes"
            f"{f' of {self._file.member}' if member else ''}, but {promised:,} are offered"
            f"{f': {identified}' if identified else ''}. Nothing was downloaded."
        )

    def _check_whole_file(self, path: Path) -> None:
        with path.open("rb") as file:
            self.identified_as = sniff(file.read(SNIFF_BYTES))
        expected, actual = self._file.size, path.stat().st_size
        if expected not in {None, actual}:
            raise ChecksumError(
                f"{self._remote.location}: expected {expected:,} bytes, got {actual:,}."
                f"{f' It is {self.identified_as}.' if self.identified_as else ''} The bytes were thrown away."
            )
        if self._known_hash is None and self.identified_as:
            raise ChecksumError(
                f"{self._remote.location}: expected vectors, but this is {self.identified_as}. The bytes "
                "were thrown away."
            )
        if is_git_hash(self._known_hash) and (got := git_hash(path)) != self._known_hash:
            raise ChecksumError(
                f"{self._remote.location}: expected {self._known_hash}, got {got}. The bytes were thrown "
                f"away.{f' It is {self.identified_as}.' if self.identified_as else ''}"
            )

    @staticmethod
    def _remove_links(folder: Path, partial: Path) -> None:
        """Remove the links that a killed process has left; see `_hand_over`."""
        for link in folder.glob("tmp*"):
            with suppress(OSError):
                if link.samefile(partial):
                    link.unlink()

    @staticmethod
    def _hand_over(partial: Path, output: Path) -> None:
        """Put the file where pooch expects it.

        The file is linked, so that the partial file stays until pooch has renamed the link, and a kill before
        that loses nothing.
        """
        try:
            output.hardlink_to(partial)
        except OSError:  # a file system without links
            partial.replace(output)
