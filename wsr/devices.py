"""Where tensors live: one rule for all of wsr.

Weights that leave the engine (in records and results of fits, zoos, samples, verdicts) are on the CPU. Loaded or given
objects stay where they are: `.to(device)` of a base, a representation, a layout or a diffusion model returns a copy.
Fits run on the device of their targets, decoding runs on the device of the representation.
"""

import shutil
from copy import deepcopy
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.utils._triton import has_triton

from wsr.errors import WsrError

Module = TypeVar("Module", bound=nn.Module)


def default_device() -> str:
    """Returns "cuda" if there is a GPU, else "cpu"."""
    return "cuda" if torch.cuda.is_available() else "cpu"


def usable(device: str | None) -> str:
    """Returns the name of the device to compute on; None means `default_device`. WsrError for a device that PyTorch
    does not know or that is not available."""
    if device is None:
        return default_device()
    try:
        torch.empty(1, device=torch.device(device))
    except (RuntimeError, AssertionError, NotImplementedError):
        here = ["cpu", *(f"cuda:{i}" for i in range(torch.cuda.device_count()))]
        raise WsrError(f"There is no device {device[:40]!r} here: use {' or '.join(map(repr, here))}.") from None
    return device


def moved(module: Module, device: torch.device | str) -> Module:
    """Returns a copy of the module on the device, or the module itself if all of it is there already."""
    tensors = [*module.parameters(), *module.buffers()]
    if all(tensor.to(device) is tensor for tensor in tensors):
        return module
    return nn.Module.to(deepcopy(module), device)


def upload(tensor: Tensor, device: torch.device | str) -> Tensor:
    """Copies a tensor to the device. A copy to a GPU starts from pinned memory, so that the host does not wait for
    it."""
    if torch.device(device).type != "cuda" or tensor.device.type == "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def synchronize(device: torch.device | str) -> None:
    """Waits until a GPU has finished all queued work. Does nothing for a CPU."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)


def compile_backend(device: torch.device | str) -> str | None:
    """Returns the `torch.compile` backend for the step of a long fit: "inductor" on a GPU for which Triton and the C
    compiler that it needs are installed, else None (the step is not compiled)."""
    if torch.device(device).type != "cuda":
        return None
    return "inductor" if has_triton() and any(map(shutil.which, ("cc", "gcc", "clang"))) else None
