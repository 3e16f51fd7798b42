"""The sequential peer: one instance at a time, plain PyTorch modules, autograd and optimiser, fp32, as HyperDiffusion
and SIREN fit. It has the same architecture, start, data and points a step as the batched fit, but none of its
optimisations."""

import math
import time
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from wsr.fields.mlora import MultiplicativeLoRA
from wsr.fields.synthesis import demodulate
from wsr.fitting.problem import Problem
from wsr.modalities.targets import Batch


@dataclass(frozen=True)
class PeerConfig:
    """Settings of the peer's fits. lr and schedule ("cosine" or "constant") are chosen for the peer itself."""

    steps: int
    points: int
    lr: float
    betas: tuple[float, float] = (0.9, 0.999)
    schedule: str = "cosine"
    a_rate: float = 1.0


class PeerField(nn.Module):
    """One mLoRA(-Asym) field in straightforward PyTorch."""

    def __init__(self, model: MultiplicativeLoRA, start: Float[Tensor, "p"]):
        super().__init__()
        base = model.base
        a, b = model.pairs(model.layout.fill(start[None]))
        free = torch.zeros(1, model.layout.total)
        free[0, model.layout.trained] = 1
        masks = model.pairs(free)[0]
        self.a = nn.ParameterList(layer[0].clone() for layer in a)
        self.b = nn.ParameterList(layer[0].clone() for layer in b)
        for name, value in (("masks", masks[:, 0]), ("folded", model.folded), ("bias", base.bias),
                            ("frequencies", base.fourier_weight * base.config.omega),
                            ("phase", base.fourier_phase * base.config.omega),
                            ("out_weight", base.out_weight), ("out_bias", base.out_bias)):  # fmt: skip
            self.register_buffer(name, value.detach().clone())

    def layer(self, number: int, h: Tensor) -> Tensor:
        weight = self.folded[number] * (self.b[number] @ (self.a[number] * self.masks[number]))
        return F.relu(F.linear(h, demodulate(weight), self.bias[number]))

    def forward(self, points: Float[Tensor, "q d"]) -> Float[Tensor, "q v"]:
        h = torch.sin(F.linear(points, self.frequencies, self.phase))
        for block in range(len(self.a) // 2):
            h = (self.layer(2 * block + 1, self.layer(2 * block, h)) + h) / math.sqrt(2)
        return F.linear(h, self.out_weight, self.out_bias)

    def weights(self, model: MultiplicativeLoRA) -> Float[Tensor, "1 p"]:
        """The weights as the batched fit stores them."""
        a, b = torch.stack(list(self.a))[:, None], torch.stack(list(self.b))[:, None]
        return model.layout.strip(model.joined(a, b)).detach()


def fit_peer(
    problem: Problem, model: MultiplicativeLoRA, start: Float[Tensor, "p"], config: PeerConfig
) -> tuple[Float[Tensor, "n p"], float]:
    """Fits all instances one after the other. Returns their weights and the seconds that fitting took."""
    weights, seconds = [], 0.0
    for i in range(len(problem.ids)):
        begun = time.perf_counter()
        weights.append(_fit_one(problem, i, model, start, config, torch.Generator().manual_seed(i)))
        seconds += time.perf_counter() - begun
    return torch.cat(weights), seconds


def _fit_one(
    problem: Problem, i: int, model, start, config: PeerConfig, generator: torch.Generator
) -> Tensor:  # fmt: skip
    network, targets = PeerField(model, start), problem.targets
    groups = [{"params": network.a, "lr": config.lr * config.a_rate}, {"params": network.b}]
    optimizer = torch.optim.Adam(groups, lr=config.lr, betas=config.betas)
    scheduler = None
    if config.schedule == "cosine":
        scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, config.steps)
    for _ in range(config.steps):
        points, values = targets.draw(i, config.points, generator)
        output = network(points)
        loss = targets.loss(output[None], Batch(points[None], values[None])).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if scheduler:
            scheduler.step()
    return network.weights(model)
