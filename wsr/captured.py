"""Steps of a training that a GPU repeats without the host: captured once as a CUDA graph, then replayed.

A small network's step is a few hundred short kernels. A host that starts them one by one takes longer than the GPU that
computes them: the generators of the preset `cpu` made 30 to 47 steps/s on an H100. Replayed, an encoder of shapes made
20,000 steps in 55 s there.
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.optim import Optimizer

WARM_UP = 3  # steps before the capture, in which libraries choose their kernels and optimizers make their state


class CapturedStep:
    """A function of tensors that makes one step: forward pass, backward pass and the optimizer's step.

    step: sets gradients to None first, never waits for the device, and takes everything that differs from call to call
    as an argument, or as a learning rate that `set_rate` sets. It returns a tensor. On a CPU it is called as it is. On
    a GPU the first calls run it, and later ones replay it; arguments of other shapes than before are run again.
    """

    def __init__(self, step: Callable[..., Tensor]):
        self.step = step
        self._arguments: list[Tensor] | None = None
        self._graph: torch.cuda.CUDAGraph | None = None
        self._result: Tensor | None = None
        self._calls = 0

    def __call__(self, *arguments: Tensor) -> Tensor:
        """Returns the step's result, a tensor that later calls do not change."""
        if not arguments[0].is_cuda:
            return self.step(*arguments)
        if self._arguments is None:
            self._arguments = [one.clone() for one in arguments]
        if any(old.shape != new.shape for old, new in zip(self._arguments, arguments, strict=True)):
            return self.step(*arguments)
        for old, new in zip(self._arguments, arguments, strict=True):
            old.copy_(new)
        if self._graph is None and self._calls == WARM_UP:
            self._capture()
        self._calls += 1
        if self._graph is None:
            return self._on_the_side()
        self._graph.replay()
        return self._result.clone()

    def _on_the_side(self) -> Tensor:
        """Runs the step on another stream, as a capture requires of what comes before it."""
        side = torch.cuda.Stream()
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            result = self.step(*self._arguments).clone()
        torch.cuda.current_stream().wait_stream(side)
        return result

    def _capture(self) -> None:
        """Records the kernels of one step without running them."""
        torch.cuda.synchronize()
        self._graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self._graph):
            self._result = self.step(*self._arguments)


def capturable(rate: float, device: torch.device | str) -> dict:
    """Returns the options of an optimizer of `torch.optim` whose steps may be captured. rate: its first learning rate,
    which a GPU keeps as a tensor, since a captured step would use a number for ever."""
    if torch.device(device).type != "cuda":
        return {"lr": rate}
    return {"lr": torch.tensor(rate, device=device), "capturable": True}


def set_rate(optimizer: Optimizer, rate: float) -> None:
    """Sets the learning rate of the next step, whether it is replayed or not."""
    for group in optimizer.param_groups:
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(rate)
        else:
            group["lr"] = rate
