"""A stand-in for CUDA on machines without it: refuses what a GPU refuses, and counts what makes the host wait for it.

Inside `pretend_gpu()`, tensors that are made on or moved to "cuda" stay on the CPU but are marked (by their storage) as
belonging to the GPU. They say `device == cuda:0`, and so do the results of operations on them. As with CUDA,

- an operation on tensors of both devices raises RuntimeError, except for single numbers (0-dim), copies, CPU indices;
- `.numpy()` of a GPU tensor raises TypeError;
- drawing into the GPU's memory from a CPU generator raises RuntimeError;
- what makes the host wait is counted in `Pretend.syncs`, by name: `.cpu()`, `.item()`, `bool()`, `.tolist()`, boolean
  indices, uploads from memory that is not pinned, uploads of CPU indices.

All operations of PyTorch in this thread are intercepted, including those of the backward pass and of optimizers. The
CPU computes the values. Compilation is off (`torch.compile` runs its function as it is), nothing is captured in a graph
(`wsr.captured`), and what a CUDA kernel does differently (rounding, races) is not simulated.
"""

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

from wsr import devices
from wsr.captured import CapturedStep
from wsr.fields.base import set_compute_dtype

GPU, CPU = torch.device("cuda", 0), torch.device("cpu")
aten = torch.ops.aten
DEVICE, IS_CUDA = Tensor.device.__get__, Tensor.is_cuda.__get__  # how Python reads `.device` and `.is_cuda`
SPECIAL = ("to", "cpu", "cuda", "pin_memory", "numpy", "__array__", "tolist")  # methods that `_Calls` answers itself
COPIES = {aten.copy_.default, aten._foreach_copy_.default, aten.set_.source_Tensor}
INDEXED = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default}
WAITS = {
    aten._local_scalar_dense.default: "item",
    aten.nonzero.default: "nonzero",
    aten.masked_select.default: "masked_select",
    aten.equal.default: "equal",
    aten.repeat_interleave.Tensor: "repeat_interleave",
    aten._unique2.default: "unique",
    aten.unique_dim.default: "unique",
    aten.bincount.default: "bincount",
}


class Pretend:
    """The marks of a pretended GPU, and counts of what its host waited for."""

    def __init__(self):
        self.syncs: Counter[str] = Counter()
        self._ours: dict[int, StorageWeakRef] = {}  # the references keep addresses from being reused
        self._pinned: dict[int, StorageWeakRef] = {}

    def has(self, tensor: Tensor) -> bool:
        return self._key(tensor) in self._ours

    def mark(self, tensor: Tensor, ours: bool = True) -> None:
        key = self._key(tensor)
        if ours:
            self._ours[key] = StorageWeakRef(_storage(tensor))
        else:
            self._ours.pop(key, None)

    def pin(self, tensor: Tensor) -> Tensor:
        self._pinned[self._key(tensor)] = StorageWeakRef(_storage(tensor))
        return tensor

    def pinned(self, tensor: Tensor) -> bool:
        return self._key(tensor) in self._pinned

    def _key(self, tensor: Tensor) -> int:
        key = _storage(tensor)._cdata
        for known in (self._ours, self._pinned):
            if key in known and known[key].expired():
                del known[key]
        return key


def _storage(tensor: Tensor) -> torch.UntypedStorage:
    return (tensor._values() if tensor.is_sparse else tensor).untyped_storage()


class _Moved(torch.autograd.Function):
    """A copy on the other device, whose gradient is copied back."""

    @staticmethod
    def forward(ctx, tensor, gpu, target):
        ctx.gpu, ctx.back = gpu, gpu.has(tensor)
        out = tensor.clone()
        gpu.mark(out, target)
        return out

    @staticmethod
    def backward(ctx, grad):
        out = grad.clone()
        ctx.gpu.mark(out, ctx.back)
        return out, None, None


class _Operations(TorchDispatchMode):
    """Intercepts each operation: requires its tensors to be on one device, and marks its results as being there."""

    def __init__(self, gpu: Pretend):
        super().__init__()
        self.gpu = gpu

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs, gpu = kwargs or {}, self.gpu
        tensors = [one for one in _leaves((args, kwargs)) if isinstance(one, Tensor)]
        ours = [gpu.has(one) for one in tensors]
        if not any(ours):
            return func(*args, **kwargs)
        _refuse_generators(func, args, kwargs)
        self._check(func, args, tensors, ours)
        out = func(*args, **kwargs)
        if func not in COPIES:
            for one in _leaves(out):
                if isinstance(one, Tensor):
                    gpu.mark(one)
        return out

    def _check(self, func, args, tensors, ours) -> None:
        gpu = self.gpu
        if func in WAITS:
            gpu.syncs[WAITS[func]] += 1
        if func in COPIES:
            gpu.syncs["copy_"] += len(set(ours)) > 1
            return
        if func in INDEXED and gpu.has(args[0]):
            for index in args[1]:
                if index is not None and index.dtype in (torch.bool, torch.uint8):
                    gpu.syncs["boolean index"] += 1
                elif index is not None and not gpu.has(index):
                    gpu.syncs["upload of an index"] += 1
            tensors = [args[0], *args[2:3]]
            ours = [gpu.has(one) for one in tensors]
        if any(not mine and one.ndim for one, mine in zip(tensors, ours, strict=True)):
            sides = ", ".join(f"{tuple(one.shape)} on {GPU if gpu.has(one) else CPU}" for one in tensors)
            raise RuntimeError(f"Expected all tensors to be on the same device, but {func} got {sides}.")


def _leaves(value: Any) -> Iterator[Any]:
    """The values in nested lists, tuples and dictionaries, which is all that operations are given and return. PyTorch's
    own `tree_leaves` takes longer than the operations."""
    if isinstance(value, (list, tuple)):
        for one in value:
            yield from _leaves(one)
    elif isinstance(value, dict):
        for one in value.values():
            yield from _leaves(one)
    else:
        yield value


def _refuse_generators(func, args, kwargs) -> None:
    """Refuses any given generator, because only CPU generators exist here."""
    if any(isinstance(one, torch.Generator) for one in _leaves((args, kwargs))):
        raise RuntimeError(f"Expected a 'cuda' device type for generator but found 'cpu', in {func}.")


class _Calls(TorchFunctionMode):
    """Intercepts Python's questions and requests: where a tensor is, moving it, creating it on a device."""

    def __init__(self, gpu: Pretend):
        super().__init__()
        self.gpu = gpu
        self.special = {getattr(Tensor, name): getattr(self, f"_{name}") for name in SPECIAL}

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func == DEVICE:
            return GPU if self.gpu.has(args[0]) else args[0].device
        if func == IS_CUDA:
            return self.gpu.has(args[0])
        special = self.special.get(func)
        if special is not None and isinstance(args[0], Tensor):
            return special(func, *args, **kwargs)
        if kwargs.get("device") is not None:
            return self._made(func, args, kwargs)
        return func(*args, **kwargs)

    def _made(self, func, args, kwargs):
        where = torch.device(kwargs["device"])
        if where.type not in ("cuda", "cpu"):
            return func(*args, **kwargs)
        if where.type == "cuda":
            _refuse_generators(func, (), kwargs)
        out = func(*args, **{**kwargs, "device": "cpu"})
        if isinstance(out, Tensor) and not any(out is one for one in args):
            if name_of(func) in ("tensor", "as_tensor", "asarray") and where.type == "cuda":
                self.gpu.syncs["upload"] += 1
                out = out.clone()
            self.gpu.mark(out, where.type == "cuda")
        return out

    def _to(self, func, tensor, *args, **kwargs):
        device, dtype, slow, _ = torch._C._nn._parse_to(*_plain(args), **_plain_device(kwargs, self.gpu))
        given = (*args, *kwargs.values())
        target = next((self.gpu.has(one) for one in given if isinstance(one, Tensor)), None)
        if target is None and device is not None:
            target = device.type == "cuda"
        if device is not None and device.type not in ("cuda", "cpu"):
            return func(tensor, *args, **kwargs)
        out = tensor if dtype is None else func(tensor, dtype)
        if target is None or target == self.gpu.has(tensor):
            return out.clone() if kwargs.get("copy") and out is tensor else out
        if not (target and slow and self.gpu.pinned(tensor)):  # `slow`: non_blocking
            self.gpu.syncs["upload" if target else "cpu"] += 1
        return _Moved.apply(out, self.gpu, target)

    def _cpu(self, func, tensor, **kwargs):
        return self._to(Tensor.to, tensor, "cpu")

    def _cuda(self, func, tensor, *args, **kwargs):
        return self._to(Tensor.to, tensor, "cuda")

    def _pin_memory(self, func, tensor, *args, **kwargs):
        if self.gpu.has(tensor):
            raise RuntimeError("cannot pin 'cuda' memory: only dense CPU tensors can be pinned")
        return self.gpu.pin(tensor)

    def _numpy(self, func, tensor, *args, **kwargs):
        if self.gpu.has(tensor):
            raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy it first.")
        return func(tensor, *args, **kwargs)

    def ___array__(self, func, tensor, *args, **kwargs):
        return self._numpy(func, tensor, *args, **kwargs)

    def _tolist(self, func, tensor):
        self.gpu.syncs["tolist"] += self.gpu.has(tensor)
        return func(tensor)


def name_of(func) -> str:
    return getattr(func, "__name__", "")


def _plain(args: tuple) -> tuple:
    """Parses arguments of `.to` as PyTorch's own parser does; of another tensor it takes the dtype."""
    return tuple(torch.empty(0, dtype=one.dtype) if isinstance(one, Tensor) else one for one in args)


def _plain_device(kwargs: dict, gpu: Pretend) -> dict:
    known = {key: value for key, value in kwargs.items() if key not in ("other", "copy")}
    return known | ({"dtype": kwargs["other"].dtype} if "other" in kwargs else {})


@contextlib.contextmanager
def chosen_gpu() -> Iterator[Pretend]:
    """Context with a pretended GPU that wsr chooses by itself, and products in fp32 like those of the CPU."""
    chosen, devices.default_device = devices.default_device, lambda: "cuda"
    kinds = ("cuda", "cpu")
    try:
        for kind in kinds:
            set_compute_dtype(kind, torch.float32)
        with pretend_gpu() as gpu:
            yield gpu
    finally:
        devices.default_device = chosen
        for kind in kinds:
            set_compute_dtype(kind, None)


@contextlib.contextmanager
def pretend_gpu() -> Iterator[Pretend]:
    """Context with a pretended GPU "cuda". The code under test decides whether to use it (`default_device`)."""
    gpu = Pretend()
    torch.compiler.set_stance("force_eager")
    synchronize, torch.cuda.synchronize = torch.cuda.synchronize, lambda device=None: None
    called, CapturedStep.__call__ = CapturedStep.__call__, lambda self, *arguments: self.step(*arguments)
    try:
        with _Operations(gpu), _Calls(gpu):
            yield gpu
    finally:
        torch.cuda.synchronize, CapturedStep.__call__ = synchronize, called
        torch.compiler.set_stance("default")
