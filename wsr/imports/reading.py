"""Reads files that other programs have written, in child processes with limits. No pickle is executed.

`read_files` is what the rest of the package calls; everything else here runs in the child.
"""

import pickle
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from wsr.errors import WsrError, counted
from wsr.formats.files import refuse_stand_in, shown
from wsr.formats.recognise import HEAD, content_of
from wsr.isolation import Children
from wsr.limits import MB, Limits

WHAT = "a file of weights"
MOST_BYTES = 4_000 * MB  # of a file
MOST_TENSORS, DEPTH = 10_000, 8
_SECONDS, _EACH = 60.0, 0.5  # of a call, and of each of its files
_MEMORY, _TIMES = 1_000 * MB, 4  # of a child, and in units of the files that it reads

_PICKLE = b"\x80"  # how a pickle begins, whose protocol is not that of the 1990s

_readers = Children(preload=("torch",), keep=1)

Arrays = dict[str, np.ndarray]


def read_files(paths: Sequence[Path]) -> list[Arrays | WsrError]:
    """Reads the numeric arrays of each file, by name: of a PyTorch checkpoint, .npz, .safetensors or HDF5. Names of
    nested dictionaries are joined by dots; what is no array is left out. A file that cannot be read gives the error
    instead."""
    size, faults = 0, {}
    for path in paths:
        try:
            held = refuse_stand_in(path, WHAT)
            if held > MOST_BYTES:
                raise WsrError(f"{shown(path)} has {counted(held, 'byte')}, and at most {MOST_BYTES:,} are read.")
            size += held
        except WsrError as error:
            faults[path] = error
    good = [path for path in paths if path not in faults]
    limits = Limits(seconds=_SECONDS + _EACH * len(good), memory=_MEMORY + _TIMES * size, what=_named(good or paths))
    found = dict(zip(good, _readers.call(_read_all, good, limits=limits), strict=True)) if good else {}
    answers = [faults[path] if path in faults else found[path] for path in paths]
    return [WsrError(one) if isinstance(one, str) else one for one in answers]


def _named(paths: Sequence[Path]) -> str:
    return shown(paths[0]) if len(paths) == 1 else f"{shown(paths[0])} or {counted(len(paths) - 1, 'file')} after it"


def _read_all(paths: Sequence[Path]) -> list[Arrays | str]:
    """Reads files in the child; a sentence for each that cannot be read."""
    found: list[Arrays | str] = []
    for path in paths:
        try:
            found.append(_arrays(_opened(path), path))
        except WsrError as error:
            found.append(str(error))
        except MemoryError:
            raise
        except Exception as error:
            brief = " ".join(f"{error}".split())[:150]
            found.append(f"{shown(path)} is damaged or cut short, or no file of weights ({brief}).")
    return found


def _opened(path: Path) -> Any:
    with open(path, "rb") as file:
        head = file.read(HEAD)
    if head.startswith(b"\x89HDF"):
        return _hdf5(path)
    if len(head) > 8 and head[8:9] == b"{":
        from safetensors.torch import load_file  # that of numpy knows no bfloat16

        return load_file(path)
    inside = zipfile.ZipFile(path).namelist() if head.startswith(b"PK") else []
    if head.startswith(b"\x93NUMPY") or any(name.endswith(".npy") for name in inside):
        return _numpy(path)
    if any("/code/" in name for name in inside):
        raise _executable(path, "a TorchScript archive that holds code")
    return _checkpoint(path, head)


def _numpy(path: Path) -> dict[str, Any]:
    try:
        held = np.load(path, allow_pickle=False)
        return {path.stem: held} if isinstance(held, np.ndarray) else {name: held[name] for name in held.files}
    except ValueError as error:
        if "allow_pickle" in str(error):  # what numpy says of arrays of objects
            raise _executable(path, "a pickle that holds Python objects") from None
        raise


def _checkpoint(path: Path, head: bytes) -> Any:
    """Reads a PyTorch checkpoint without executing what its pickle asks for. head: its first bytes."""
    import torch

    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, AttributeError, ModuleNotFoundError) as error:
        asked = re.search(r"GLOBAL ([\w.]+)", str(error))
        if not asked and not head.startswith((_PICKLE, b"PK")):
            held = f"{content_of(head)}, and " if content_of(head) else "damaged, or "
            raise WsrError(f"{shown(path)} is {held}no file of weights.") from None
        what = f" ({asked[1]})" if asked else ""
        raise _executable(path, f"a pickle that holds Python objects{what}") from None


def _executable(path: Path, what: str) -> WsrError:
    return WsrError(
        f"{shown(path)} is {what}: to read it would execute what it asks for, which is never done. Load it where you "
        "trust it, and save its arrays alone: `torch.save` of a dictionary of tensors, `numpy.savez`, or safetensors."
    )


def _hdf5(path: Path) -> dict[str, Any]:
    try:
        import h5py
    except ImportError:
        raise WsrError(
            f"{shown(path)} is an HDF5 file, which the package h5py reads: `pip install h5py`, or save its arrays by "
            "`numpy.savez`."
        ) from None
    with h5py.File(path, "r") as file:
        held = {name: file[name] for name in file if isinstance(file[name], h5py.Dataset)}
        return {
            name: np.array(one.asstr()[...].astype(str)) if h5py.check_string_dtype(one.dtype) else one[...]
            for name, one in held.items()
        }


def _arrays(state: Any, path: Path) -> Arrays:
    """Flattens nested dictionaries of arrays. Floating-point numbers come out in float32, if that holds them."""
    import torch

    found: Arrays = {}

    def visit(value: Any, name: str, depth: int) -> None:
        if isinstance(value, Mapping) and depth < DEPTH:
            for key, one in value.items():
                visit(one, f"{name}.{key}" if name else str(key), depth + 1)
        elif isinstance(value, torch.Tensor) and value.is_complex():
            raise WsrError(f"{shown(path)} holds complex numbers ({name[:60]}), and weights are real numbers here.")
        elif isinstance(value, torch.Tensor) and not value.is_sparse:
            plain = value.detach().float() if value.is_floating_point() else value
            found[name] = plain.numpy()
        elif isinstance(value, np.ndarray) and value.dtype.kind in "fiubU":
            found[name] = value.astype(np.float32) if value.dtype.kind == "f" else value
        elif isinstance(value, np.ndarray) and value.dtype.kind == "S":  # texts as h5py gives them
            found[name] = np.char.decode(value, "utf-8")
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            found[name] = np.asarray(value)
        if len(found) > MOST_TENSORS:
            raise WsrError(f"{shown(path)} holds more than {MOST_TENSORS:,} arrays, and is not read.")

    visit(state, "", 0)
    if not found:
        raise WsrError(f"{shown(path)} holds no arrays of numbers, but {type(state).__name__}.")
    return found
