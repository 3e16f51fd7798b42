"""What generators over the latents of an autoencoder share: Hyper-Representations and p-diff.

Both are implemented for comparison on our zoos, with fully connected autoencoders of standardised vectors. The
originals use a transformer and a convolutional network.
"""

import math
import time
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from wsr.errors import WsrError
from wsr.generators.base import Generator, SampleSettings, TrainingRun, TrainRecord, TrainSettings
from wsr.generators.diffusion.draws import SEEDS
from wsr.generators.files import NETWORK, ModelFile
from wsr.generators.jobs import about_training, training_identity, training_weights
from wsr.randomness import drawing_from
from wsr.zoo.zoo import Zoo

VERSION = 1  # to be incremented when a code change makes the same settings train a different generator
MIN_STD = 1e-6  # lower bound, for parameters that are the same in all weights
LEAST = 4  # fewest training weights
AUTOENCODER = "autoencoder."  # prefix of the names of its parameters in a file


@dataclass(frozen=True)
class LatentConfig:
    """The settings of the autoencoder."""

    latent: int = 64
    """Size of a latent."""
    width: int = 512
    """Width of the hidden layer of encoder and decoder."""
    steps: int = 3000
    batch: int = 64
    lr: float = 1e-3
    input_noise: float = 0.0
    """Noise added to the encoder's input, in units of each parameter's standard deviation: p-diff's augmentation."""
    latent_noise: float = 0.0
    """Noise added to the decoder's input."""


class Autoencoder(nn.Module):
    """Encodes standardised vectors (n, p) as latents (n, k), and decodes latents."""

    def __init__(self, size: int, config: LatentConfig):
        super().__init__()
        self.config = config
        self.encode = nn.Sequential(nn.Linear(size, config.width), nn.GELU(), nn.Linear(config.width, config.latent))
        self.decode = nn.Sequential(nn.Linear(config.latent, config.width), nn.GELU(), nn.Linear(config.width, size))

    def loss(self, x: Float[Tensor, "b p"], generator: torch.Generator) -> Float[Tensor, ""]:
        """Returns the mean squared error of the reconstruction."""
        def noise(of: Tensor) -> Tensor:
            return torch.randn(of.shape, generator=generator).to(of.device)

        latent = self.encode(x + self.config.input_noise * noise(x))
        return (self.decode(latent + self.config.latent_noise * noise(latent)) - x).square().mean()


class LatentGenerator(Generator):
    """An autoencoder, trained first, and a model that draws latents, which the subclass defines.

    config: a `LatentConfig`, or settings that have one as `latent`; mean, std: of each parameter over the training
    weights; data: the standardised training weights, during training.
    """

    def __init__(
        self, config: Any, mean: Float[Tensor, " p"], std: Float[Tensor, " p"], autoencoder: Autoencoder, seed: int = 0
    ):  # fmt: skip
        self.config, self.mean, self.std, self.autoencoder, self.seed = config, mean, std, autoencoder, seed
        self.representation, self.classes, self.about = None, [""], {}
        self.data: Float[Tensor, "n p"] | None = None

    @classmethod
    def new(cls, weights: Float[Tensor, "n p"], config: Any, seed: int = 0) -> "LatentGenerator":
        """Builds an untrained generator. WsrError for fewer than four training weights."""
        if len(weights) < LEAST:
            raise WsrError(f"A latent generator needs at least four training weights, not {len(weights)}.")
        mean, std = weights.mean(0), weights.std(0).clamp_min(MIN_STD)
        with drawing_from(seed):
            autoencoder = Autoencoder(weights.shape[1], cls.latent_config(config)).to(weights.device)
        made = cls(config, mean, std, autoencoder, seed)
        made.data = (weights - mean) / std
        return made

    @classmethod
    def training(cls, zoo: Zoo, settings: TrainSettings) -> TrainingRun:
        weights, _ = training_weights(zoo, settings, LEAST)
        config = cls.config_of(zoo, settings)
        made = cls.new(weights, config, settings.seed)
        made.representation, made.about = zoo.representation, about_training(zoo, settings, len(weights))
        identity = training_identity(cls.kind, VERSION, zoo, weights, config=config, seed=settings.seed)
        return TrainingRun(made, identity, lambda _: made.train_stream(), cls.latent_config(config).steps)

    def train_stream(self, record_every: int = 50) -> Iterator[TrainRecord]:
        """Trains the autoencoder, then the model that draws latents. WsrError, with the step, if the loss is not
        finite."""
        config, begun = self.latent_config(self.config), time.monotonic()
        optimizer = torch.optim.AdamW(self.autoencoder.parameters(), lr=config.lr, weight_decay=1e-4)
        for step in range(1, config.steps + 1):
            generator = torch.Generator().manual_seed(self.seed * SEEDS + step)
            rows = torch.randint(0, len(self.data), (config.batch,), generator=generator)
            loss = self.autoencoder.loss(self.data[rows], generator)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            if step % record_every == 0 or step == config.steps:
                value = float(loss.detach())
                if not math.isfinite(value):
                    raise WsrError(f"The loss is {value} at step {step}, at a learning rate of {config.lr}.")
                yield TrainRecord(step, config.steps, value, config.lr, time.monotonic() - begun)
        yield from self.fit_latents(self.latents())
        self.about |= {"steps": config.steps, "seconds": time.monotonic() - begun}

    @torch.no_grad()
    def latents(self) -> Float[Tensor, "n k"]:
        """Returns the latents of the training weights."""
        return self.autoencoder.encode(self.data)

    @torch.no_grad()
    def reconstructed(self) -> Float[Tensor, "n p"]:
        """Returns the training weights as the autoencoder reconstructs them, which its samples can be compared with."""
        return self.autoencoder.decode(self.latents()) * self.std + self.mean

    @torch.no_grad()
    def draw(self, count: int, settings: SampleSettings, first: int = 0) -> tuple[Float[Tensor, "n p"], list[str]]:
        latents = self.draw_latents(count, settings, first)
        return (self.autoencoder.decode(latents) * self.std + self.mean).cpu(), [""] * count

    def autoencoder_contents(self) -> dict[str, Tensor]:
        """Returns the part of `contents` that all latent generators share."""
        networks = {f"{NETWORK}{AUTOENCODER}{name}": one for name, one in self.autoencoder.state_dict().items()}
        return {"mean": self.mean, "std": self.std, **networks}

    @classmethod
    def read_autoencoder(cls, file: ModelFile, config: Any) -> "LatentGenerator":
        """Builds a generator with the mean, the standard deviation and the autoencoder in a file."""
        mean, std = (file.tensor(name, (None,)) for name in ("mean", "std"))
        with torch.device("meta"):  # shapes only: the file must match them before anything is allocated
            known = Autoencoder(len(mean), cls.latent_config(config)).state_dict()
        state = file.network({name: tensor.shape for name, tensor in known.items()}, AUTOENCODER)
        with drawing_from(0):  # initial values do not matter; keeps the global generator as it is
            autoencoder = Autoencoder(len(mean), cls.latent_config(config))
        autoencoder.load_state_dict(state)
        return cls(config, mean, std, autoencoder.eval())

    @classmethod
    def latent_config(cls, config: Any) -> LatentConfig:
        """Returns the settings of the autoencoder."""
        return config

    @classmethod
    @abstractmethod
    def config_of(cls, zoo: Zoo, settings: TrainSettings) -> Any:
        """Returns the generator's own settings, as implied by those of the training."""

    @abstractmethod
    def fit_latents(self, latents: Float[Tensor, "n k"]) -> Iterator[TrainRecord]:
        """Trains the model that draws latents on those of the training weights."""

    @abstractmethod
    def draw_latents(self, count: int, settings: SampleSettings, first: int) -> Float[Tensor, "n k"]:
        """Draws the latents number `first` to `first + count`."""
