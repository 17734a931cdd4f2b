"""The header of an ``.npy`` file, which has a fixed size in a store."""

import io

import numpy as np

from embedhub.errors import StoreError

NPY_HEADER = 128  # bytes


def npy_header(dtype: type[np.generic], shape: tuple[int, ...]) -> bytes:
    """Return the first bytes of an .npy file of an array in C order."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(
        header, {"descr": np.dtype(dtype).str, "fortran_order": False, "shape": shape}
    )
    if len(header.getvalue()) != NPY_HEADER:  # only a shape of 40 digits needs more
        raise StoreError(f"The header of an array {shape} is longer than {NPY_HEADER} bytes.")
    return header.getvalue()
