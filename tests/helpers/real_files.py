"""Real files that are not in the project: where tests look for them."""

from pathlib import Path

REAL_DATA = Path(__file__).parents[3] / "shared" / "data"
REAL_SETS = {
    "wordsim-353": "wordsim353.tsv",
    "simlex-999": "simlex999.txt",
    "men": "men.txt",
    "google-analogies": "questions-words.txt",
}
