"""The table of exports on the page on serving: each row is measured."""

import re
from importlib.util import find_spec

import compare_exports
import pytest
from compare_exports import EXPORTS, FORMATS, HEADER, LEAST_BOUND, TRAINABLE, Export

SIZE_TOLERANCE = 0.1  # versions of a runtime write other headers, and sizes have two digits
WRONG = 10 * LEAST_BOUND  # differences above are of a quantization, and those of processors do not matter
ROWS = dict(zip(EXPORTS, compare_exports.written_table()[len(HEADER) :], strict=True))


def test_table_has_all_exports() -> None:
    """The rows of the table are those that `tools/compare_exports.py` measures, in its order."""
    assert tuple(compare_exports.written_table()[: len(HEADER)]) == HEADER
    assert all(row.startswith(export.title) for export, row in ROWS.items())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Layer .* does not have a `quantize` method:UserWarning")  # by Keras
@pytest.mark.parametrize("trainable", TRAINABLE)
@pytest.mark.parametrize("export", EXPORTS, ids=lambda export: export.title.replace("|", "").strip())
def test_export_is_as_in_the_table(export: Export, trainable: compare_exports.Trainable) -> None:
    """An export has the size and the differences in the table, or cannot be used for the reason there."""
    absent = [module for format_ in FORMATS.values() for module in format_.modules if not find_spec(module)]
    if absent:  # all rows are measured there
        pytest.skip(f"{absent[0]} is not installed; `tox -e tools` has it")
    cells = ROWS[export].removeprefix(export.title).split("|")
    cell = cells[TRAINABLE.index(trainable)].strip()
    if cell.startswith("no:"):
        assert export.cell(trainable) == cell
        return
    found = re.fullmatch(r"([\d.]+) MB, ([\d.e-]+)", cell)
    assert found is not None, cell
    size, bound = map(float, found.groups())
    measured = export.measure(trainable)
    assert measured.size == pytest.approx(size, rel=SIZE_TOLERANCE)
    assert measured.difference <= bound
    assert bound < WRONG or measured.difference > bound / 10
