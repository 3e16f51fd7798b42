"""Reads the weight files of a zoo, whole or by row."""

from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from wsr.errors import WsrError
from wsr.formats.tensors import TensorFile, open_tensors
from wsr.zoo.bits import unpack

WHAT = "the weights of a zoo"
TYPES = {"float16": "F16", "float32": "F32", "uint8": "U8"}


def row_count(path: Path, dtype: str, size: int) -> int:
    """Returns the number of instances in a file, from its header. WsrError if it does not hold vectors of `size`
    numbers in the `dtype` that zoo.json states."""
    with open_tensors(path, WHAT) as file:
        _require(file, dtype, size)
        return file.shapes["weights"][0]


def read_all(path: Path) -> Float[Tensor, "n p"]:
    """Reads all rows in the dtype on disk, those of a compressed zoo in float16."""
    with open_tensors(path, WHAT) as file:
        file.require("weights", (None, None), (*TYPES.values(),))
        return _numbers(file, file.tensor("weights", dtypes=(*TYPES.values(),), finite=False))


def read_few(path: Path, rows: list[int]) -> list[Float[Tensor, "1 p"]]:
    """Reads the given rows only."""
    with open_tensors(path, WHAT) as file:
        file.require("weights", (None, None), (*TYPES.values(),))
        return [_numbers(file, row) for row in file.rows("weights", rows)]


def _require(file: TensorFile, dtype: str, size: int) -> None:
    width = size
    if dtype == "uint8":
        width = -(-size * _bits(file) // 8)
        for name in ("low", "step"):
            file.tensor(name, (size,), ("F32",))
    file.require("weights", (None, width), (TYPES[dtype],))


def _bits(file: TensorFile) -> int:
    text = file.metadata.get("bits", "8")
    if text not in ("2", "3", "4", "5", "6", "7", "8"):
        raise WsrError(f"{file.fault}: its bits should be 2 to 8, not {text[:40]!r}.")
    return int(text)


def _numbers(file: TensorFile, stored: Tensor) -> Tensor:
    if stored.dtype != torch.uint8:
        return stored
    low, step = (file.tensor(name, dtypes=("F32",)) for name in ("low", "step"))
    return (low + step * unpack(stored, len(low), _bits(file))).half()
