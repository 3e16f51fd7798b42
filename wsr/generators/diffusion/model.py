"""A diffusion model over the weights of a zoo (section 3.5): sampling, saving and loading."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wsr.devices import moved
from wsr.errors import WsrError, unknown_name
from wsr.fields.representation import Representation
from wsr.formats.generators import DiffusionConfigSchema
from wsr.formats.schema import as_config, validated
from wsr.generators.base import Generator, SampleSettings, SampleStep, TrainingRun, TrainSettings
from wsr.generators.diffusion.config import DiffusionConfig
from wsr.generators.diffusion.process import make_process
from wsr.generators.diffusion.tokens import FlatTokens, Tokens, make_tokens
from wsr.generators.diffusion.transformer import WeightTransformer
from wsr.generators.files import NETWORK, ModelFile, load_generator
from wsr.randomness import drawing_from
from wsr.zoo.zoo import Zoo

CONSTANT = 1e-2
"""A parameter is constant if its standard deviation over the training weights is at most this, in units of the root
mean square of those of all parameters. Such parameters are the same in all weights, or in all but one or two, such as
those of a unit that is always off: ten of 7,840 in LoRA-Asym's weights of people. If they were standardised, the few
weights that differ would be hundreds of standard deviations away, and predicting the mean would have a validation loss
of 26.5; without them it is 1.01."""


@dataclass
class WeightDiffusion(Generator):
    """A diffusion model, trained or not. `wsr.generators.diffusion.jobs.Diffusion` is the one that can be trained on a
    zoo.

    mean, std: of each stored parameter over the training weights; a std of 0 stands for a constant parameter, which is
    neither learnt nor noised, and has its mean in all samples; varying: the positions of all others; about: the zoo's
    meta and how the model was trained, with the number of weights of each class (`counts`); `classes` in the order of
    their labels. Network, mean and std are on the device where it samples; the representation and the samples are on
    the CPU.
    """

    kind: ClassVar[str] = "diffusion"
    network: WeightTransformer
    config: DiffusionConfig
    representation: Representation | None
    mean: Float[Tensor, " p"]
    std: Float[Tensor, " p"]
    classes: list[str]
    about: dict = field(default_factory=dict)
    varying: Int[Tensor, " q"] | None = None

    def __post_init__(self):
        if self.varying is None:
            self.varying = positions(self.std)

    @classmethod
    def new(
        cls, representation: Representation | None, weights: Float[Tensor, "n p"], config: DiffusionConfig,
        classes: list[str], about: dict | None = None, seed: int = 0,
    ) -> "WeightDiffusion":  # fmt: skip
        """Builds an untrained model with the statistics of the training weights. Without a representation the vectors
        can be anything, such as the latents of an autoencoder, and each is a single token."""
        std = varying_std(weights)
        with drawing_from(seed):
            tokens = _tokens(representation, config, positions(std))
            network = WeightTransformer(tokens, config, len(classes))
        return cls(network, config, representation, weights.mean(0), std, classes, about or {})

    @classmethod
    def training(cls, zoo: Zoo, settings: TrainSettings) -> TrainingRun:
        raise NotImplementedError("A zoo trains a wsr.generators.diffusion.jobs.Diffusion, which is one of these.")

    def standardise(self, weights: Float[Tensor, "n p"]) -> Float[Tensor, "n q"]:
        """Standardises weights from any device by the training weights' mean and standard deviation, and leaves out
        constant parameters. The result is on the model's device."""
        return (weights.to(self.mean.device) - self.mean)[:, self.varying] / self.std[self.varying]

    def restore(self, standard: Float[Tensor, "n q"]) -> Float[Tensor, "n p"]:
        """The inverse of `standardise`; constant parameters have their mean."""
        found = standard * self.std[self.varying] + self.mean[self.varying]
        return self.mean.expand(len(standard), -1).index_copy(1, self.varying, found)

    def label(self, cls: str | None) -> int:
        """Returns the label of a class; None has the label of no class. WsrError for an unknown class."""
        if cls is None:
            return len(self.classes)
        if cls not in self.classes:
            raise unknown_name("class", cls, self.classes)
        return self.classes.index(cls)

    def draw(self, count: int, settings: SampleSettings, first: int = 0) -> tuple[Float[Tensor, "n p"], list[str]]:
        classes = self._asked_classes(count, settings, first)
        noise = draw(max(count, 1), len(self.mean), settings.seed, first)
        return self.sample(count, settings, classes=classes, noise=noise), classes

    def sample(self, count: int, settings: SampleSettings | None = None, **options: Any) -> Float[Tensor, "n p"]:
        """Returns new weights (count, p), as a zoo stores them, on the CPU. options: as in `sample_stream`."""
        *_, last = self._sampled(count, settings, **options)
        return last.weights.cpu()

    def draw_classes(self, count: int, seed: int = 0, first: int = 0) -> list[str]:
        """Draws classes with their frequencies among the training weights; each sample's class has a seed of its own.
        """
        counts = torch.tensor(self.about.get("counts", [1] * len(self.classes))).float()
        seeds = (-1 - (seed * 1_000_003 + row) for row in range(first, first + count))
        return [self.classes[int(counts.multinomial(1, generator=torch.Generator().manual_seed(s)))] for s in seeds]

    def sample_stream(self, count: int, settings: SampleSettings | None = None, **options: Any) -> Iterator[SampleStep]:
        """Yields a record after each step. options: the fields of `SampleSettings`, if no settings are given;
        `classes`: the class of each sample, None for no class, instead of `cls`; `noise` (n, p): the standard normal
        noise to start from, of which that of constant parameters is not used. By default each sample's noise has a seed
        of its own, so that the first of many samples are the same as those of few. WsrError for a count below 1, an
        unknown class, and steps or a final noise out of range."""
        for step in self._sampled(count, settings, **options):
            yield replace(step, weights=step.weights.cpu())

    def _sampled(
        self, count: int, settings: SampleSettings | None = None, *, classes: Sequence[str | None] | None = None,
        noise: Float[Tensor, "n p"] | None = None, **options: Any,
    ) -> Iterator[SampleStep]:  # fmt: skip
        """Does the work of `sample_stream`, but leaves the weights on the model's device, so that no step waits for it.
        """
        if count < 1:
            raise WsrError(f"The number of samples must be at least 1, not {count!r}.")
        settings = settings or SampleSettings(**options)
        final_noise = self.config.final_noise if settings.final_noise is None else settings.final_noise
        guidance = self.config.guidance if settings.guidance is None else settings.guidance
        if not 0 <= final_noise < 1:
            raise WsrError(f"Sampling ends at a noise from 0 to below 1, not at {final_noise!r}.")
        device = self.mean.device
        begun = draw(count, len(self.mean), settings.seed) if noise is None else noise
        begun = begun.to(device)[:, self.varying]
        each = self._asked_classes(count, settings) if classes is None else classes
        labels = torch.tensor([self.label(one) for one in each], device=device)
        if all(one is None for one in each):
            guidance = 1.0  # guidance needs a class
        self.network.eval()
        predict, steps = self._guided(labels, guidance), settings.steps
        loop = make_process(self.config).sample_loop(predict, begun, steps, final_noise)
        for step, (_, clean) in enumerate(loop, 1):
            yield SampleStep(step, steps, self.restore(clean))

    def _asked_classes(self, count: int, settings: SampleSettings, first: int = 0) -> list[str]:
        """Returns the class of each sample. A model trained on a single class may be asked for that class by name."""
        cls = None if settings.cls == self.about.get("class") else settings.cls
        return self.draw_classes(count, settings.seed, first) if cls is None else [cls] * count

    def _guided(self, labels: Int[Tensor, " n"], guidance: float):
        nothing = torch.full_like(labels, len(self.classes))

        @torch.no_grad()
        def predict(x: Tensor, time: Tensor) -> Tensor:
            # guidance has no effect with a single class
            if guidance == 1.0 or len(self.classes) < 2:
                return self.network(x, time, labels)
            both = self.network(torch.cat([x, x]), torch.cat([time, time]), torch.cat([labels, nothing]))
            with_class, without = both.chunk(2)
            return without + guidance * (with_class - without)

        return predict

    def sampling(self, settings: SampleSettings) -> dict[str, Any]:
        guidance = self.config.guidance if settings.guidance is None else settings.guidance
        final_noise = self.config.final_noise if settings.final_noise is None else settings.final_noise
        found = {"guidance": guidance, "steps": settings.steps, "final_noise": final_noise}
        return super().sampling(settings) | found

    def to(self, device: torch.device | str) -> "WeightDiffusion":
        """Returns a copy on the device, or the model itself if it is there already."""
        network = moved(self.network, device)
        if network is self.network and self.mean.to(device) is self.mean:
            return self
        mean, std, varying = (one.to(device) for one in (self.mean, self.std, self.varying))
        return replace(self, network=network, mean=mean, std=std, varying=varying)

    def to_(self, device: torch.device | str) -> None:
        """Moves this model in place, for training, which changes it anyway. A loaded model is shared: use `to`."""
        self.network.to(device)
        self.mean, self.std, self.varying = (one.to(device) for one in (self.mean, self.std, self.varying))

    def contents(self) -> ModelFile:
        state = {"mean": self.mean, "spread": self.std}  # the name in files does not change with the attribute's
        state |= {NETWORK + name: tensor for name, tensor in self.network.state_dict().items()}
        return ModelFile(asdict(self.config), self.classes, self.about, state)

    @classmethod
    def from_contents(cls, file: ModelFile, representation: Representation | None) -> "WeightDiffusion":
        config = read_config(file.config, file.fault)
        size = len(file.state["mean"]) if representation is None else representation.size
        mean, std = (file.tensor(name, (size,)) for name in ("mean", "spread"))
        varying = positions(std)
        with torch.device("meta"):  # shapes only: the file must match them before anything is allocated
            network = WeightTransformer(_tokens(representation, config, varying), config, len(file.classes))
        state = file.network({name: known.shape for name, known in network.state_dict().items()})
        with drawing_from(0):  # initial values do not matter; keeps the global generator as it is
            network = WeightTransformer(_tokens(representation, config, varying), config, len(file.classes))
        network.load_state_dict(state)
        return cls(network.eval(), config, representation, mean, std, file.classes, file.about, varying)


def _tokens(representation: Representation | None, config: DiffusionConfig, varying: Int[Tensor, " q"]) -> Tokens:
    if representation is None:
        return FlatTokens([len(varying)], config.width)
    return make_tokens(representation, config, varying)


def varying_std(weights: Float[Tensor, "n p"]) -> Float[Tensor, " p"]:
    """Returns the standard deviation of each parameter, and 0 for constant ones (`CONSTANT`). If all weights are the
    same, no parameter counts as constant, and a small number stands for all deviations."""
    std = weights.std(0)
    if not std.any():
        return torch.full_like(std, 1e-6)
    return torch.where(std > CONSTANT * std.square().mean().sqrt(), std, 0.0)


def positions(std: Float[Tensor, " p"]) -> Int[Tensor, " q"]:
    """Returns the positions of the parameters that are not constant. ValueError if there are none."""
    found = (std > 0).nonzero().flatten()
    if not len(found):
        raise ValueError("none of its parameters varies")
    return found


def read_config(config: dict[str, Any], fault: str) -> DiffusionConfig:
    """Reads the settings in a file's JSON. WsrError for settings that are out of range or unknown to this version."""
    return as_config(DiffusionConfig, validated(DiffusionConfigSchema, config, f"{fault}: of its config"), fault)


def load_diffusion(name: str | Path, representation: Representation | None = None) -> WeightDiffusion:
    """Loads a model by its path, or by its name in assets/diffusion. representation: by default the one that its zoo's
    meta describes. WsrError if there is none, or if the file is not a diffusion model."""
    return load_generator(name, representation, WeightDiffusion, "a diffusion model")


def draw(count: int, size: int, seed: int, first: int = 0) -> Float[Tensor, "n p"]:
    """Draws standard normal noise, with a seed for each row, starting at row number `first`."""
    generators = (torch.Generator().manual_seed(seed * 1_000_003 + row) for row in range(first, first + count))
    return torch.stack([torch.randn(size, generator=generator) for generator in generators])
