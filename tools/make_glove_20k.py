"""Cut the file of ``glove-6b-20k`` from Stanford's ``glove.6B.50d.txt``.

    python tools/make_glove_20k.py glove.6B.50d.txt [--out embedhub/registry/builtin/glove_6b_20k.txt.gz]

The input may also be that file in gzip. Its SHA-256 must be the published one. The output is its first 20,000
lines, byte for byte, in gzip without a name or a date, so that the same input and zlib give the same file.
"""

import argparse
import gzip
import hashlib
import itertools
from pathlib import Path

from embedhub._compression import open_bytes
from embedhub.registry.builtin.glove import GLOVE_6B, GLOVE_6B_20K


def main() -> None:
    """Verify the input, cut it, write the output and print its SHA-256."""
    parser = argparse.ArgumentParser(description="Cut the file of glove-6b-20k from glove.6B.50d.txt.")
    parser.add_argument("text", type=Path)
    parser.add_argument("--out", type=Path, default=Path("embedhub/registry/builtin") / GLOVE_6B_20K.file)
    options = parser.parse_args()

    digest = hashlib.sha256()
    with open_bytes(options.text) as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    published = GLOVE_6B.candidates(50)[0].known_hash
    if f"sha256:{digest.hexdigest()}" != published:
        parser.error(f"{options.text}: expected {published}, got sha256:{digest.hexdigest()}.")
    with open_bytes(options.text) as file:
        text = b"".join(itertools.islice(file, GLOVE_6B_20K.vocab_size))
    data = gzip.compress(text, compresslevel=9, mtime=0)
    options.out.write_bytes(data)
    print(f"{len(text):,} bytes of text, {len(data):,} in gzip, sha256 {hashlib.sha256(data).hexdigest()}")


if __name__ == "__main__":
    main()
