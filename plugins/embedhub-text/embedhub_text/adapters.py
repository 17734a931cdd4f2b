"""A batch of texts in the forms of engines: a mapping of columns, a pandas DataFrame, many of those.

No engine is imported: each carries an object to its workers, and calls the method that takes a batch in its
own form.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from embedhub_text.inputs import texts_of


class EngineForms(ABC):
    """What turns texts into rows, and so does with a column of texts.

    Attributes:
        pooling: None where a text has no one row.
    """

    pooling: str | None

    def frame(self, frame: Any, column: str = "text", out: str = "vector") -> Any:
        """Return a pandas DataFrame with a column of rows, for ``map_partitions`` of Dask.

        Example:
            >>> import embedhub, embedhub_text
            >>> import pandas as pd
            >>> embed = embedhub_text.TextEmbedder("wordnet-ppmi", 25)
            >>> frame = embed.frame(pd.DataFrame({"review": ["a funny film"]}), column="review")
            >>> list(frame.columns), frame["vector"][0].shape
            (['review', 'vector'], (25,))

        Args:
            frame: A pandas DataFrame, or a part of one.
            column: Which column has the texts.
            out: Name of the new column; each item is ``(dim,)`` float32.

        Returns:
            A new DataFrame with the columns of ``frame`` and the new one.

        Raises:
            ValueError: There is no such column, or the new one is there already.
        """
        import pandas as pd

        rows = self._rows_of_column(frame, list(frame.columns), column, out)
        return frame.assign(**{out: pd.Series(list(rows), index=frame.index, dtype=object)})

    def pandas(self, column: str = "text", out: str = "vector") -> Callable[[Iterable[Any]], Iterator[Any]]:
        """Return a function over an iterator of pandas DataFrames, for ``mapInPandas`` of Spark.

        It gives each frame with the new column, in Spark's types ``array<float>``.

        Example:
            >>> import embedhub, embedhub_text
            >>> import pandas as pd
            >>> add_rows = embedhub_text.TextEmbedder("wordnet-ppmi", 25).pandas("review")
            >>> for frame in add_rows(iter([pd.DataFrame({"review": ["a funny film"]})])):
            ...     print(list(frame.columns))
            ['review', 'vector']

        Args:
            column: Which column has the texts.
            out: Name of the new column.
        """
        return partial(self._each_frame, column, out)

    def batch(
        self, column: str = "text", out: str = "vector"
    ) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
        """Return a function over a mapping of columns, for ``map(batched=True)`` of Hugging Face datasets.

        It gives the new column alone, which the data set adds to the others.

        Example:
            >>> import embedhub, embedhub_text
            >>> new_column = embedhub_text.TextEmbedder("wordnet-ppmi", 25).batch("review")
            >>> new_column({"review": ["a funny film"], "stars": [5]})["vector"].shape
            (1, 25)

        Args:
            column: Which column has the texts.
            out: Name of the new column.
        """
        return partial(self._new_column, column, out)

    def _rows_of_column(self, columns: Any, names: list[Any], column: str, out: str) -> NDArray[np.float32]:
        """Return the rows of a column of a batch in an engine's form."""
        if self.pooling is None:
            raise ValueError(
                "pooling=None gives no row for a text, and so no column; call it with a list of texts."
            )
        for name, expected in ((column, True), (out, False)):
            if (name in names) is not expected:
                what = f"no column {name!r}" if expected else f"a column {name!r} already"
                raise ValueError(
                    f"the batch has {what}; its columns are {', '.join(map(repr, names))}. column= names the "
                    "one with the texts, out= the new one."
                )
        rows: NDArray[np.float32] = self._embed(texts_of(columns[column]))
        return rows

    def _each_frame(self, column: str, out: str, frames: Iterable[Any]) -> Iterator[Any]:
        for frame in frames:
            yield self.frame(frame, column=column, out=out)

    def _new_column(self, column: str, out: str, batch: Mapping[str, Any]) -> dict[str, NDArray[np.float32]]:
        return {out: self._rows_of_column(batch, list(batch), column, out)}

    @abstractmethod
    def _embed(self, texts: list[Any]) -> Any:
        """Return the rows of texts."""
