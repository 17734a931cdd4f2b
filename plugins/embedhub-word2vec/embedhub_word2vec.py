"""word2vec on Google News.

The hashes, and how many publish them independently; Google itself publishes none.

- The copy in the releases of gensim-data: md5, in the list of gensim-data.
- Google's own file, whose first addresses have gone or have quotas, in a repository with Git LFS: sha256 by
  two projects, md5 by two.

Both are the binary format; gensim-data has saved it again.
"""

from embedhub import RemoteFile, RemoteSource

SOURCE = RemoteSource(
    name="word2vec-google-news",
    files={
        300: (
            RemoteFile(
                "https://github.com/piskvorky/gensim-data/releases/download/word2vec-google-news-300/"
                "word2vec-google-news-300.gz",
                known_hash="md5:a5e5354d40acb95f9ec66d5977d140ef",
                size=1_743_563_840,
                format="word2vec-binary",
            ),
            RemoteFile(
                "https://github.com/mmihaltz/word2vec-GoogleNews-vectors/raw/master/"
                "GoogleNews-vectors-negative300.bin.gz",
                known_hash="sha256:21c05ae916a67a4da59b1d006903355cced7de7da1e42bff9f0504198c748da8",
                size=1_647_046_227,
                format="word2vec-binary",
            ),
        )
    },
    description="word2vec on Google News, words and phrases, cased",
    language="en",
    cased=True,
    vocab_size=3_000_000,
    license="not stated",
    citation=(
        "Tomas Mikolov, Ilya Sutskever, Kai Chen, Greg Corrado, Jeffrey Dean (2013). Distributed "
        "Representations of Words and Phrases and their Compositionality. NIPS 2013. arXiv:1310.4546."
    ),
    bibtex="""@inproceedings{mikolov2013distributed,
  author = {Mikolov, Tomas and Sutskever, Ilya and Chen, Kai and Corrado, Greg and Dean, Jeffrey},
  title = {Distributed Representations of Words and Phrases and their Compositionality},
  booktitle = {Advances in Neural Information Processing Systems ({NIPS})},
  year = {2013},
  eprint = {1310.4546},
  archiveprefix = {arXiv},
}""",
    homepage="https://code.google.com/archive/p/word2vec/",
    tokenization="google-news",
    fallbacks=("digits",),  # the digits of longer numbers are written as #
)
