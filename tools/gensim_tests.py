"""gensim's own tests of its `KeyedVectors`, run on what `to_gensim` returns, and on `Vectors`.

    python tools/gensim_tests.py

prints a table; with ``--json``, the same for a program. The tests are those of the installed gensim, in which
the vectors of `TestKeyedVectors` are replaced.
"""

import json
import os
import sys
import tempfile
import unittest
from collections.abc import Callable
from typing import Any

import embedhub
from embedhub.bridges import to_gensim

SUBJECTS: dict[str, Callable[[embedhub.Vectors], Any]] = {"to_gensim": to_gensim, "Vectors": lambda own: own}


def outcomes(subject: str) -> dict[str, str]:
    """Return the tests by name, each with the exception that ended it; empty for those that passed.

    Args:
        subject: What takes the place of gensim's vectors.
    """
    from gensim.test import test_keyedvectors as theirs
    from gensim.test.utils import datapath

    own = embedhub.load(datapath("euclidean_vectors.bin"))

    class OnOurs(theirs.TestKeyedVectors):  # type: ignore[misc]  # without types
        def setUp(self) -> None:
            super().setUp()
            self.vectors = SUBJECTS[subject](own)

    suite = unittest.defaultTestLoader.loadTestsFromTestCase(OnOurs)
    names = {test.id(): test.id().rpartition(".")[2] for test in suite}  # type: ignore[union-attr]
    result = unittest.TestResult()
    suite.run(result)
    ended = {
        test.id(): trace.strip().splitlines()[-1][:100] for test, trace in [*result.failures, *result.errors]
    }
    return {name: ended.get(test, "") for test, name in names.items()}


def main() -> None:
    """Print which tests pass for each subject."""
    with tempfile.TemporaryDirectory() as cache:
        os.environ["EMBEDHUB_CACHE"] = cache
        columns = {subject: outcomes(subject) for subject in SUBJECTS}
        if sys.argv[1:] == ["--json"]:
            print(json.dumps(columns))
            return
        for subject, tests in columns.items():
            passed = sum(not ended for ended in tests.values())
            print(f"\n{subject}: {passed} of {len(tests)} pass")
            for name, ended in tests.items():
                print(f"  {'pass' if not ended else 'FAIL'}  {name:45} {ended}")


if __name__ == "__main__":
    main()
