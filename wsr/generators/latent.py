"""Two other generators of weights, both over the latents of an autoencoder: Hyper-Representations draws latents from a
kernel density estimate, p-diff from a diffusion model. The audit of weight generators found both to copy.

They stand here for the comparison, on our zoos: fully connected autoencoders on standardised vectors, where the
originals have a transformer and a convolutional network.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wsr.errors import WsrError
from wsr.generators.diffusion.config import DiffusionConfig
from wsr.generators.diffusion.model import SMALLEST_SPREAD, WeightDiffusion, draw
from wsr.generators.diffusion.training import SEEDS, Training, TrainRecord
from wsr.randomness import drawing_from

SAMPLING = 100  # DDIM steps of p-diff


@dataclass(frozen=True)
class LatentConfig:
    latent: int = 64
    """Numbers of a latent."""
    width: int = 512
    """Of the hidden layers, one on each side."""
    steps: int = 3000
    batch: int = 64
    lr: float = 1e-3
    input_noise: float = 0.0
    """Of the vectors that are read, in units of their spread: p-diff's augmentation."""
    latent_noise: float = 0.0
    """Of the latents that are decoded."""


class Autoencoder(nn.Module):
    """Standardised vectors (n, p) to latents (n, k) and back."""

    def __init__(self, size: int, config: LatentConfig):
        super().__init__()
        self.config = config
        self.encode = nn.Sequential(nn.Linear(size, config.width), nn.GELU(), nn.Linear(config.width, config.latent))
        self.decode = nn.Sequential(nn.Linear(config.latent, config.width), nn.GELU(), nn.Linear(config.width, size))

    def loss(self, x: Float[Tensor, "b p"], generator: torch.Generator) -> Tensor:
        def noise(of: Tensor) -> Tensor:
            return torch.randn(of.shape, generator=generator).to(of.device)

        latent = self.encode(x + self.config.input_noise * noise(x))
        return (self.decode(latent + self.config.latent_noise * noise(latent)) - x).square().mean()


class LatentGenerator(ABC):
    """What both share: the autoencoder, trained first, and the statistics of the training weights."""

    def __init__(self, weights: Float[Tensor, "n p"], config: LatentConfig, seed: int = 0):
        if len(weights) < 4:
            raise WsrError(f"A latent generator takes four training weights or more, not {len(weights)}.")
        self.config, self.seed = config, seed
        self.mean, self.spread = weights.mean(0), weights.std(0).clamp_min(SMALLEST_SPREAD)
        self.data = (weights - self.mean) / self.spread
        with drawing_from(seed):
            self.autoencoder = Autoencoder(weights.shape[1], config).to(weights.device)

    def train_stream(self, record_every: int = 50) -> Iterator[TrainRecord]:
        """Trains the autoencoder, then what draws latents. WsrError, with the step, for a loss that is no number."""
        optimizer = torch.optim.AdamW(self.autoencoder.parameters(), lr=self.config.lr, weight_decay=1e-4)
        for step in range(1, self.config.steps + 1):
            generator = torch.Generator().manual_seed(self.seed * SEEDS + step)
            rows = torch.randint(0, len(self.data), (self.config.batch,), generator=generator)
            loss = self.autoencoder.loss(self.data[rows], generator)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step % record_every == 0 or step == self.config.steps:
                value = float(loss.detach())
                if not math.isfinite(value):
                    raise WsrError(f"The loss is {value} at step {step}, at a learning rate of {self.config.lr}.")
                yield TrainRecord(step, self.config.steps, value, self.config.lr, 0.0)
        yield from self.fit_latents(self.latents())

    @torch.no_grad()
    def latents(self) -> Float[Tensor, "n k"]:
        return self.autoencoder.encode(self.data)

    @torch.no_grad()
    def reconstructed(self) -> Float[Tensor, "n p"]:
        """The training weights as the autoencoder gives them back: what its samples are to be compared with."""
        return self.autoencoder.decode(self.latents()) * self.spread + self.mean

    def sample(self, count: int, seed: int = 0) -> Float[Tensor, "n p"]:
        """New weights, as a zoo stores them."""
        with torch.no_grad():
            return self.autoencoder.decode(self.draw(count, seed)) * self.spread + self.mean

    @abstractmethod
    def fit_latents(self, latents: Float[Tensor, "n k"]) -> Iterator[TrainRecord]: ...

    @abstractmethod
    def draw(self, count: int, seed: int) -> Float[Tensor, "n k"]: ...


class HyperRepresentations(LatentGenerator):
    """Each number of a latent is drawn for itself, from a Gaussian kernel density estimate over the training latents
    with Scott's bandwidth."""

    def fit_latents(self, latents):
        self.known = latents
        self.width = latents.std(0) * len(latents) ** (-1 / 5)
        return iter(())

    def draw(self, count, seed):
        generator = torch.Generator().manual_seed(seed)
        rows = torch.randint(0, len(self.known), (count, self.known.shape[1]), generator=generator)
        centres = self.known.gather(0, rows.to(self.known.device))
        return centres + self.width * torch.randn(centres.shape, generator=generator).to(centres)


class PDiff(LatentGenerator):
    """Latents from a diffusion model of their own."""

    def __init__(
        self, weights: Float[Tensor, "n p"], config: LatentConfig, diffusion: DiffusionConfig, seed: int = 0
    ):  # fmt: skip
        super().__init__(weights, config, seed)
        self.diffusion = diffusion

    def fit_latents(self, latents):
        nobody = [""] * len(latents)
        self.model = WeightDiffusion.new(None, latents, self.diffusion, [""], seed=self.seed)
        yield from Training(self.model, latents, nobody, self.seed).run(monitor_every=0)

    def draw(self, count, seed):
        steps = min(SAMPLING, self.diffusion.timesteps)
        return self.model.sample(count, noise=draw(count, self.config.latent, seed), steps=steps)
