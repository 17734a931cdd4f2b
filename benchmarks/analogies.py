"""Google's analogies over the 400,000 words of GloVe 6B 50d, by embedhub and by gensim.

    python benchmarks/analogies.py QUESTIONS-WORDS.TXT [--source glove-6b] [--dim 50] [--every 1]

Each variant runs in its own process, one after the other. `--every 10` gives gensim every tenth analogy,
because all of them take it many minutes; embedhub always solves all. Processor time counts all threads; on a
shared machine it is the figure to compare.
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


def run_embedhub(path: Path, source: str, dim: int, method: str) -> dict[str, Any]:
    """Evaluate with embedhub; opening the vectors is excluded."""
    import embedhub_eval

    import embedhub

    vectors = embedhub.load(source, dim)
    start = time.perf_counter(), time.process_time()
    score = embedhub_eval.evaluate(vectors, path, method=method)[0]  # type: ignore[arg-type]  # validated there
    return measurements(start, score.total, score.score)


def run_gensim(path: Path, source: str, dim: int, method: str) -> dict[str, Any]:
    """Evaluate with gensim over all words; opening, copying and normalizing the vectors is excluded."""
    del method  # gensim has 3CosAdd only
    import numpy as np
    from gensim.models import KeyedVectors

    import embedhub

    vectors = embedhub.load(source, dim)
    words = KeyedVectors(dim)
    words.add_vectors(list(vectors.words), np.asarray(vectors.matrix))
    words.fill_norms()
    start = time.perf_counter(), time.process_time()
    score, sections = words.evaluate_word_analogies(str(path), restrict_vocab=len(vectors))
    return measurements(start, len(sections[-1]["correct"]) + len(sections[-1]["incorrect"]), score)


def measurements(start: tuple[float, float], analogies: int, score: float | None) -> dict[str, Any]:
    """Return the measurements since the start."""
    return {
        "seconds": time.perf_counter() - start[0],
        "processor seconds": time.process_time() - start[1],
        "analogies": analogies,
        "score": score,
        "peak MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


VARIANTS = {"embedhub": run_embedhub, "gensim": run_gensim}


def sample(path: Path, every: int, folder: str) -> Path:
    """Write every so-many-th analogy of a file, and all names of categories."""
    sampled = Path(folder) / "analogies.txt"
    lines = path.read_text("utf-8").splitlines(keepends=True)
    sampled.write_text(
        "".join(line for i, line in enumerate(lines) if line.startswith(":") or i % every == 0), "utf-8"
    )
    return sampled


def run_variant(variant: str, path: Path, options: argparse.Namespace, method: str) -> dict[str, Any]:
    """Run one variant in its own process; print and return its measurements."""
    command = [sys.executable, __file__, str(path), "--variant", variant, "--method", method]
    command += ["--source", options.source, "--dim", str(options.dim)]
    out = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603 - this script
    result: dict[str, Any] = json.loads(out.splitlines()[-1])
    print(f"{variant:9} {method}: " + ", ".join(f"{name} {value:,.4g}" for name, value in result.items()))
    return result


def main() -> None:
    """Compare the variants."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("analogies", type=Path)
    parser.add_argument("--source", default="glove-6b")
    parser.add_argument("--dim", type=int, default=50)
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--variant", choices=VARIANTS, help=argparse.SUPPRESS)
    parser.add_argument("--method", default="3CosAdd", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.variant:
        run = VARIANTS[options.variant]
        print(json.dumps(run(options.analogies, options.source, options.dim, options.method)))
        return
    ours = run_variant("embedhub", options.analogies, options, "3CosAdd")
    run_variant("embedhub", options.analogies, options, "3CosMul")
    with tempfile.TemporaryDirectory() as folder:
        theirs = run_variant("gensim", sample(options.analogies, options.every, folder), options, "3CosAdd")
    for measure in ("seconds", "processor seconds"):
        ratio = (theirs[measure] / theirs["analogies"]) / (ours[measure] / ours["analogies"])
        print(f"gensim takes {ratio:.1f} times the {measure} per analogy")


if __name__ == "__main__":
    main()
