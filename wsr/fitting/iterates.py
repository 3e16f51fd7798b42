"""The weights of a batch of instances while Adam fits them: the schedule of the learning rate, the pull towards the
start, and the average of the last steps."""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.optim.adam import adam

from wsr.presets import FitConfig


class Iterates:
    """The weights of n instances. start: where all of them begin (p,), or where each begins (n, p). rates (p,): the
    learning rate of each entry in units of `config.lr`.

    Adam takes steps of the same length in all entries, so it is given the weights in units of their learning rates.
    The pull (`FitConfig.pull`) moves them in the same units, by the same share in every entry.
    """

    def __init__(
        self, start: Float[Tensor, "p"] | Float[Tensor, "n p"], rates: Float[Tensor, "p"], n: int, config: FitConfig
    ):
        self.config, self.rates = config, rates
        self._start = start / rates
        self._scaled = self._start.expand(n, -1).clone().requires_grad_()
        # Adam's state: means of the gradient and of its square, and the number of steps
        self._moments = torch.zeros_like(self._scaled), torch.zeros_like(self._scaled)
        self._steps = torch.zeros((), device=start.device)
        self._mean: Tensor | None = None
        self._averaged = 0  # steps that the mean is of

    @property
    def weights(self) -> Float[Tensor, "n p"]:
        """The current weights, through which gradients flow."""
        return self._scaled * self.rates

    @property
    def result(self) -> Float[Tensor, "n p"]:
        """What the fit returns if it ends now: the average of the last steps once it has begun, else the current
        weights."""
        return (self._scaled.detach() if self._mean is None else self._mean) * self.rates

    def step(self, step: int, loss: Float[Tensor, "n"]) -> None:
        """Makes the step of this number (from 0) down the gradient of the summed loss."""
        config, lr = self.config, cosine(step, self.config)
        self._scaled.grad = None
        loss.sum().backward()
        with torch.no_grad():
            if config.pull:
                self._scaled.lerp_(self._start, min(1.0, lr * config.pull))
            self._adam(lr)
            if step >= config.steps - averaged_steps(config):
                self._average()

    def _adam(self, lr: float) -> None:
        """Makes a step of Adam by the function under `torch.optim.Adam`. That class imports PyTorch's compiler, which
        takes two seconds of a process that begins with a fit, and longer to get at a step than the step takes."""
        mean, square = self._moments
        adam([self._scaled], [self._scaled.grad], [mean], [square], [], [self._steps], fused=True, amsgrad=False,
             beta1=self.config.betas[0], beta2=self.config.betas[1], lr=lr, weight_decay=0.0, eps=1e-8,
             maximize=False)  # fmt: skip

    def _average(self) -> None:
        self._averaged += 1
        if self._mean is None:
            self._mean = self._scaled.detach().clone()
        else:
            self._mean.lerp_(self._scaled, 1 / self._averaged)


def averaged_steps(config: FitConfig) -> int:
    """Returns how many of the last steps are averaged; 0 if none are."""
    return max(1, round(config.average * config.steps)) if config.average else 0


def cosine(step: int, config: FitConfig) -> float:
    """Returns the learning rate of a step: a cosine from `lr` at the first step to `lr_end` at the last."""
    if config.steps == 1:
        return config.lr
    return config.lr_end + (config.lr - config.lr_end) * 0.5 * (1 + math.cos(math.pi * step / (config.steps - 1)))
