"""Google's analogies over the 400,000 words of GloVe 6B 50d, against gensim at the same vocabulary.

    python benchmarks/analogies.py QUESTIONS-WORDS.TXT [--source glove-6b] [--dim 50] [--every 1]

Each way runs in a process of its own, one after the other. `--every 10` gives gensim each tenth question, for
all of them take it many minutes; embedhub always answers all. Processor time counts all threads; on a machine
that others use too it is the figure to compare.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any


def embedhub_way(path: Path, source: str, dim: int, method: str) -> dict[str, Any]:
    """Evaluate as a user does; opening the vectors is left out."""
    import embedhub_eval

    import embedhub

    vectors = embedhub.load(source, dim)
    began = time.perf_counter(), time.process_time()
    score = embedhub_eval.evaluate(vectors, None, [path], method=method)[0]  # type: ignore[arg-type]  # add or mul
    return told(began, score.total, score.score)


def gensim_way(path: Path, source: str, dim: int, method: str) -> dict[str, Any]:
    """Evaluate over all words; opening and copying the vectors is left out, and so is normalising them."""
    del method  # gensim knows 3CosAdd only
    import numpy as np
    from gensim.models import KeyedVectors

    import embedhub

    vectors = embedhub.load(source, dim)
    words = KeyedVectors(dim)
    words.add_vectors(list(vectors.words), np.asarray(vectors.matrix))
    words.fill_norms()
    began = time.perf_counter(), time.process_time()
    score, sections = words.evaluate_word_analogies(str(path), restrict_vocab=len(vectors))
    return told(began, len(sections[-1]["correct"]) + len(sections[-1]["incorrect"]), score)


def told(began: tuple[float, float], questions: int, score: float | None) -> dict[str, Any]:
    """Return what was measured since then."""
    return {
        "seconds": time.perf_counter() - began[0],
        "processor seconds": time.process_time() - began[1],
        "questions": questions,
        "score": score,
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


WAYS = {"embedhub": embedhub_way, "gensim": gensim_way}


def thinned(path: Path, every: int, folder: str) -> Path:
    """Write each so-many-th question of a file, and all names of sections."""
    place = Path(folder) / "questions.txt"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    place.write_text(
        "".join(line for i, line in enumerate(lines) if line.startswith(":") or i % every == 0), "utf-8"
    )
    return place


def measured(way: str, path: Path, options: argparse.Namespace, method: str) -> dict[str, Any]:
    """Run one way in a process of its own, print and return what it measured."""
    command = [sys.executable, __file__, str(path), "--way", way, "--method", method]
    command += ["--source", options.source, "--dim", str(options.dim)]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603 - ourselves
    found: dict[str, Any] = json.loads(out.splitlines()[-1])
    print(f"{way:9} {method}: " + ", ".join(f"{name} {value:,.4g}" for name, value in found.items()))
    return found


def main() -> None:
    """Compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--source", default="glove-6b")
    parser.add_argument("--dim", type=int, default=50)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--method", default="add", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.way:
        print(json.dumps(WAYS[options.way](options.questions, options.source, options.dim, options.method)))
        return
    ours = measured("embedhub", options.questions, options, "add")
    measured("embedhub", options.questions, options, "mul")
    with tempfile.TemporaryDirectory() as folder:
        theirs = measured("gensim", thinned(options.questions, options.every, folder), options, "add")
    for what in ("seconds", "processor seconds"):
        ratio = (theirs[what] / theirs["questions"]) / (ours[what] / ours["questions"])
        print(f"gensim takes {ratio:.1f} times the {what} per question")


if __name__ == "__main__":
    main()
