"""Draws random numbers from a chosen generator in library code that offers no argument for one.

`torch.manual_seed` changes what every other part and every other thread of the program draws next. Layers of
`torch.nn` draw their first parameters from that global state; under `drawing_from` they draw from a given generator
instead: the same numbers as after `torch.manual_seed`, with the global state neither used nor changed.
"""

from collections.abc import Callable

import torch
from torch import nn
from torch.overrides import TorchFunctionMode

# What draws and takes a generator. `nn.init`'s own functions are here because the first call of a mode is the outermost
# one: what they call in turn passes the mode by.
_DRAWS: frozenset[Callable] = frozenset(
    [
        *(torch.rand, torch.randn, torch.randint, torch.randperm, torch.normal, torch.bernoulli, torch.multinomial),
        *(torch.Tensor.normal_, torch.Tensor.uniform_, torch.Tensor.bernoulli_, torch.Tensor.random_),
        *(torch.Tensor.exponential_, torch.Tensor.bernoulli, torch.Tensor.multinomial),
        *(nn.init.normal_, nn.init.uniform_, nn.init.trunc_normal_, nn.init.kaiming_uniform_, nn.init.kaiming_normal_),
        *(nn.init.xavier_uniform_, nn.init.xavier_normal_),
    ]
)


class drawing_from(TorchFunctionMode):  # noqa: N801, used as a function: with drawing_from(generator): …
    """Context manager in which everything that PyTorch draws on the CPU comes from `generator`, or from a new generator
    with that seed. It affects the current thread only."""

    def __init__(self, generator: torch.Generator | int):
        super().__init__()
        self.generator = torch.Generator().manual_seed(generator) if isinstance(generator, int) else generator

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if func is nn.functional.dropout:
            return self._dropout(*args, **kwargs)
        if func in _DRAWS and kwargs.get("generator") is None:
            kwargs = {**kwargs, "generator": self.generator}
        return func(*args, **kwargs)

    def _dropout(self, input: torch.Tensor, p: float = 0.5, training: bool = True, inplace: bool = False):  # noqa: A002
        """Dropout as PyTorch computes it on a CPU, with a generator, for which PyTorch's own function has no
        argument."""
        if not training or p == 0:
            return input
        kept = torch.empty_like(input).bernoulli_(1 - p, generator=self.generator).div_(1 - p)
        return input.mul_(kept) if inplace else input * kept
