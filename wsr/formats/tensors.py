"""Opens our safetensors files, checks their headers, reads single tensors or rows, and writes files atomically."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open

from wsr.errors import WsrError, counted
from wsr.formats.files import fault, refuse_stand_in
from wsr.formats.schema import TEXT_BYTES
from wsr.paths import atomic_path

if TYPE_CHECKING:
    from torch import Tensor

FLOATS = ("F16", "BF16", "F32", "F64")
Shape = Sequence[int | None]


class TensorFile:
    """An open file. shapes: of all its tensors by name, known without reading any."""

    def __init__(self, path: str | Path, what: str, file):
        self.path, self.what, self._file = path, what, file
        self.metadata: dict[str, str] = file.metadata() or {}
        self.shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118

    @property
    def fault(self) -> str:
        """The beginning of an error message about this file."""
        return fault(self.path, self.what)

    def require(self, name: str, shape: Shape | None = None, dtypes: Sequence[str] = FLOATS) -> None:
        """Raises a WsrError if the tensor is missing, or has another type or shape. shape: None stands for any size."""
        if name not in self.shapes:
            raise WsrError(f"{self.fault}: its tensor {name[:100]!r} is missing.")
        found, dtype = self.shapes[name], self._file.get_slice(name).get_dtype()
        if dtype not in dtypes:
            raise WsrError(f"{self.fault}: its tensor {name[:100]!r} is of {dtype}, not of {' or '.join(dtypes)}.")
        fits = shape is None or (
            len(found) == len(shape) and all(want in (None, side) for want, side in zip(shape, found, strict=True))
        )
        if not fits:
            wanted = tuple("any" if side is None else side for side in shape)
            raise WsrError(f"{self.fault}: its tensor {name[:100]!r} has the shape {found}, not {wanted}.")

    def tensor(
        self, name: str, shape: Shape | None = None, dtypes: Sequence[str] = FLOATS, finite: bool = True
    ) -> Tensor:  # fmt: skip
        """Reads a tensor in its dtype on disk. WsrError as in `require`, and for numbers that are not finite unless
        that is allowed."""
        self.require(name, shape, dtypes)
        found = self._file.get_tensor(name)
        if finite and found.is_floating_point() and not bool(found.isfinite().all()):
            raise WsrError(f"{self.fault}: its tensor {name[:100]!r} holds NaN or infinite numbers.")
        return found

    def rows(self, name: str, rows: Sequence[int]) -> list[Tensor]:
        """Reads single rows (1, …) of a tensor without reading the others."""
        part = self._file.get_slice(name)
        return [part[row : row + 1] for row in rows]


@contextmanager
def open_tensors(path: str | Path, what: str, framework: str = "pt") -> Iterator[TensorFile]:
    """Opens a safetensors file. what: what it should be, as in "a base". framework: "np" reads its metadata without
    torch. WsrError if there is no such file, or its header does not match its size."""
    size = refuse_stand_in(path, what)
    _check_header(path, what, size)
    try:
        with safe_open(path, framework) as file:
            yield TensorFile(path, what, file)
    except (SafetensorError, OSError) as error:
        reason = " ".join(str(error).split())[:150]  # it quotes the file, which may have line breaks anywhere
        raise WsrError(f"{fault(path, what)}: as a safetensors file it is damaged or cut short ({reason}).") from None


def _check_header(path: str | Path, what: str, size: int) -> None:
    with open(path, "rb") as file:
        header = int.from_bytes(file.read(8), "little")
        begins = file.read(1)
    if size < 8 or begins != b"{":
        raise WsrError(f"{fault(path, what)}: it is not a safetensors file.")
    if header > size - 8:
        raise WsrError(
            f"{fault(path, what)}: it is damaged or cut short, as its header of {counted(header, 'byte')} is "
            f"longer than the safetensors file of {size:,}."
        )
    if header > TEXT_BYTES:
        raise WsrError(
            f"{fault(path, what)}: its safetensors header has {counted(header, 'byte')}, and at most {TEXT_BYTES:,} "
            "are read."
        )


def save_tensors(path: str | Path, tensors: Mapping[str, Tensor], metadata: dict[str, str] | None = None) -> None:
    """Writes a file atomically. WsrError, with the number of missing bytes, if the disk is full."""
    from safetensors.torch import save_file

    state = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    needed = sum(tensor.numel() * tensor.element_size() for tensor in state.values())
    with atomic_path(path, needed + sum(map(len, (metadata or {}).values()))) as temporary:
        save_file(state, temporary, metadata)
