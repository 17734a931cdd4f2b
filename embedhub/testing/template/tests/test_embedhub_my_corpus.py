"""Tests that the source keeps embedhub's contract."""

from pathlib import Path

import embedhub_my_corpus

from embedhub.testing import SourceContract


class TestContract(SourceContract):
    """The sample has the first lines of the file; the numbers of each word are the first of its vector."""

    sources = [embedhub_my_corpus.SOURCE]
    samples = {3: [Path(__file__).with_name("sample.txt").read_bytes()]}
    expected = {"the": [0.25, -0.5, 1.0], "cat": [0.125, 2.0, -0.75], "sat": [-1.5, 0.0, 0.375]}
