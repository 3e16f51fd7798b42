"""Arrays in the form that plotly.js reads fastest."""

import base64
from typing import Any

import numpy as np

_DTYPES = {"float32": "f4", "float64": "f8", "int32": "i4", "uint8": "u1"}


def binary(array: Any) -> dict[str, Any]:
    """Returns an array in Plotly's binary form, `{dtype, bdata, shape}`, which has a third of the size of decimal text
    and needs no parsing. Data types that Plotly does not know become float32.
    """
    array = np.ascontiguousarray(array)
    if array.dtype.name not in _DTYPES:
        array = array.astype(np.float32)
    encoded = {"dtype": _DTYPES[array.dtype.name], "bdata": base64.b64encode(array.tobytes()).decode()}
    return encoded if array.ndim == 1 else {**encoded, "shape": ", ".join(map(str, array.shape))}
