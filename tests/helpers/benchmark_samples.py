"""For each benchmark of embedhub-eval a small file of our own in its format."""

import io
import zipfile

from embedhub_eval import Analogy, WordPair


def bats(lines: bytes = b"mouse\tmice\nfoot\tfeet/foots\n") -> bytes:
    """Return an archive in the layout of BATS, with two relations in two folders."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("BATS_3.0/1_Inflectional_morphology/I02 [noun - plural_irreg].txt", lines)
        archive.writestr(
            "BATS_3.0/3_Encyclopedic_semantics/E05 [animal - young].txt", b"cat kitten\ndog pup\n"
        )
        archive.writestr("__MACOSX/BATS_3.0/._1.txt", b"\0\1")
        archive.writestr("BATS_3.0/metadata.json", b"{}")
    return file.getvalue()


# For each set a small file of our own in the form that is documented for its own one, and its first item.
SAMPLES: dict[str, tuple[bytes, WordPair | Analogy]] = {
    "wordsim-353": (b"# Word 1\tWord 2\tHuman (mean)\nfog\tmist\t8.50\n", WordPair("fog", "mist", 8.5)),
    "wordsim-353-similarity": (b"Fog\tmist\t8.50\n", WordPair("Fog", "mist", 8.5)),
    "wordsim-353-relatedness": (b"fog\tcoast\t6.00\n", WordPair("fog", "coast", 6)),
    "simlex-999": (b"# a comment\nfog\tmist\t8.50\n", WordPair("fog", "mist", 8.5)),
    "men": (b"fog\tmist\t41.0\n", WordPair("fog", "mist", 41)),
    "rare-words": (b"unfogged\tclear\t5.5\n", WordPair("unfogged", "clear", 5.5)),
    "rg-65": (b"fog\tmist\t3.9\n", WordPair("fog", "mist", 3.9)),
    "mc-30": (b"fog\tmist\t3.9\n", WordPair("fog", "mist", 3.9)),
    "mturk-287": (b"fog\tmist\t4.714285714", WordPair("fog", "mist", 4.714285714)),
    "mturk-771": (b"fog\tmist\t4\r\n", WordPair("fog", "mist", 4)),
    "simverb-3500": (b"fog\tcloud\t6.81\r\nlift\tclear\t1.2", WordPair("fog", "cloud", 6.81)),
    "scws": (
        b'1\tfog\tn\tmist\tn\tthe "<b> fog </b> came\tin <b> mist </b> 9\t7.5\t7.0\t8.0\n',
        WordPair("fog", "mist", 7.5),
    ),
    "google-analogies": (
        b": capital-world\nOslo Norway Rome Italy\n: gram8-plural\nfog fogs day days\n",
        Analogy("Oslo", "Norway", "Rome", ("Italy",), "semantic"),
    ),
    "msr-analogies": (b"big\tbigger\tsmall\tsmaller\r\n", Analogy("big", "bigger", "small", ("smaller",))),
    "bats": (bats(), Analogy("mouse", "mice", "foot", ("feet", "foots"), "inflectional morphology")),
}  # fmt: skip
