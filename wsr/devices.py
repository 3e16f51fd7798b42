"""Devices: one rule for all of wsr.

Weights that leave the engine (records and results of fits, zoos, samples, verdicts) are on the CPU. What was loaded or
given stays where it is: `.to(device)` of a base, a representation, a layout or a diffusion model returns a copy. Fits
compute where their targets are, decoding computes where the representation is.
"""

import shutil
from copy import deepcopy
from typing import TypeVar

import torch
from torch import Tensor, nn

Module = TypeVar("Module", bound=nn.Module)


def moved(module: Module, device: torch.device | str) -> Module:
    """A copy of the module on the device; itself where all of it is there already."""
    tensors = [*module.parameters(), *module.buffers()]
    if all(tensor.to(device) is tensor for tensor in tensors):
        return module
    return nn.Module.to(deepcopy(module), device)


def upload(tensor: Tensor, device: torch.device | str) -> Tensor:
    """The tensor on the device. To a GPU it goes from pinned memory, so that the host does not wait for it."""
    if torch.device(device).type != "cuda" or tensor.device.type == "cuda":
        return tensor.to(device)
    return tensor.pin_memory().to(device, non_blocking=True)


def synchronize(device: torch.device | str) -> None:
    """Waits until a GPU has done all it was given; of a CPU nothing is waited for."""
    if torch.device(device).type == "cuda":
        torch.cuda.synchronize(device)


def compile_backend(device: torch.device | str) -> str | None:
    """The backend that compiles the step of a long fit: "inductor" on a GPU where Triton and the C compiler that it
    needs are installed, else None (the step runs as it is)."""
    if torch.device(device).type != "cuda":
        return None
    from torch.utils._triton import has_triton

    return "inductor" if has_triton() and any(map(shutil.which, ("cc", "gcc", "clang"))) else None
