"""The weight files of a zoo, read whole or by the row."""

from pathlib import Path

import torch
from jaxtyping import Float
from safetensors import SafetensorError, safe_open
from torch import Tensor

from wsr.errors import WsrError
from wsr.zoo.bits import unpack


def row_count(path: Path) -> int:
    with _opened(path) as file:
        return file.get_slice("weights").get_shape()[0]


def read_all(path: Path) -> Float[Tensor, "n p"]:
    """In the dtype on disk; of a compressed zoo in float16."""
    with _opened(path) as file:
        return _numbers(file, file.get_tensor("weights"))


def read_few(path: Path, rows: list[int]) -> list[Float[Tensor, "1 p"]]:
    """These rows, without reading the others."""
    with _opened(path) as file:
        part = file.get_slice("weights")
        return [_numbers(file, part[row : row + 1]) for row in rows]


def _numbers(file, stored: Tensor) -> Tensor:
    if stored.dtype != torch.uint8:
        return stored
    low, bits = file.get_tensor("low"), int((file.metadata() or {}).get("bits", 8))
    return (low + file.get_tensor("step") * unpack(stored, len(low), bits)).half()


def _opened(path: Path):
    try:
        return safe_open(path, "pt")
    except (SafetensorError, OSError) as error:
        raise WsrError(f"{str(path)!r} is not a safetensors file ({error}).") from None
