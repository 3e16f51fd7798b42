"""Simple generators to compare with: copies with noise, averages of copies, and a fitted Gaussian. Also disguised
copies, which an audit must detect.

The functions take training weights (n, p); the classes wrap them as registered generators.
"""

from collections.abc import Iterator
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor

from wsr.errors import WsrError, counted
from wsr.fields.representation import Representation
from wsr.generators.base import Generator, SampleSettings, TrainingRun, TrainRecord, TrainSettings
from wsr.generators.files import ModelFile
from wsr.generators.jobs import about_training, training_identity, training_weights
from wsr.generators.sampling import rows_of_blocks
from wsr.symmetry import act
from wsr.zoo.zoo import Zoo

NOISES = (0.1, 0.3, 0.5)  # amounts of the audit's noise baselines, in units of each parameter's standard deviation
AVERAGES = (2, 16)
VERSION = 1  # to be incremented when a code change makes the same settings give a different generator


def baselines(weights: Float[Tensor, "n p"], count: int, seed: int = 0) -> Iterator[tuple[str, Float[Tensor, "m p"]]]:
    """Yields the name of each of the audit's baselines with `count` weights."""
    for amount in NOISES:
        yield f"noise {amount}", noisy(weights, amount, count, seed)
    for of in AVERAGES:
        yield f"average of {of}", averages(weights, of, count, seed)
    yield "Gaussian", gaussian(weights, count, seed)


Seed = int | torch.Generator


def noisy(weights: Float[Tensor, "n p"], amount: float, count: int, seed: Seed = 0) -> Float[Tensor, "m p"]:
    """Returns random training weights plus Gaussian noise; `amount` is in units of each parameter's standard deviation.
    """
    generator = _generator(seed)
    rows = copied_rows(len(weights), count, generator)
    noise = torch.randn(count, weights.shape[1], generator=generator).to(weights.device)
    return weights[rows] + amount * weights.std(0) * noise


def copied_rows(count_of: int, count: int, seed: Seed = 0) -> Int[Tensor, " m"]:
    """Returns the rows, of `count_of` training weights, that `noisy` copies with the same seed."""
    return torch.randint(0, count_of, (count,), generator=_generator(seed))


def averages(weights: Float[Tensor, "n p"], of: int, count: int, seed: Seed = 0) -> Float[Tensor, "m p"]:
    """Returns means of `of` different training weights each. WsrError if there are fewer."""
    if not 1 <= of <= len(weights):
        raise WsrError(f"An average takes 1 to {counted(len(weights), 'training weight')}, not of {of!r}.")
    generator = _generator(seed)
    return torch.stack([weights[torch.randperm(len(weights), generator=generator)[:of]].mean(0) for _ in range(count)])


def gaussian(weights: Float[Tensor, "n p"], count: int, seed: Seed = 0) -> Float[Tensor, "m p"]:
    """Draws each parameter independently, with its mean and standard deviation over the training weights."""
    noise = torch.randn(count, weights.shape[1], generator=_generator(seed))
    return weights.mean(0) + weights.std(0) * noise.to(weights.device)


def plants(
    model: Representation, weights: Float[Tensor, "n p"], count: int = 32, seed: int = 0
) -> dict[str, Float[Tensor, "_ p"]]:
    """Returns copies that an audit must detect, by their disguise: noise (0.1 of each parameter's standard deviation),
    the mean of two, and each symmetry that changes neither the field nor the mask. Symmetries that an audit cannot undo
    (`RepresentationKind.unresolved`) are left out."""
    found = {"noise 0.1": noisy(weights, 0.1, count, seed), "average of 2": averages(weights, 2, count, seed)}
    for kind in model.kind.allowed:
        if kind not in model.kind.unresolved:
            found[kind] = _moved(model, weights[:count], kind, seed)
    return found


def disguises(
    model: Representation, weights: Float[Tensor, "n p"], count: int = 32, seed: int = 0
) -> dict[str, Float[Tensor, "_ p"]]:
    """Returns `plants`, and copies and blends that are harder to detect, by their disguise: more noise, means of more,
    points on the line from one training weight to another (at 0.1 to 0.5 of its length), and the symmetries that an
    audit cannot undo. Nothing says that an audit detects these: they show where it ends."""
    found = plants(model, weights, count, seed)
    found |= {f"noise {amount}": noisy(weights, amount, count, seed) for amount in NOISES[1:]}
    found |= {f"average of {of}": averages(weights, of, count, seed) for of in (3, 4, 8, 16) if of <= len(weights)}
    order = torch.stack([torch.randperm(len(weights), generator=_generator(seed + i))[:2] for i in range(count)])
    one, other = weights[order[:, 0]], weights[order[:, 1]]
    found |= {f"line at {part}": torch.lerp(one, other, part) for part in (0.1, 0.3, 0.5)}
    for kind in set(model.kind.unresolved) & set(model.kind.allowed):
        found[kind] = _moved(model, weights[:count], kind, seed)
    return found


def _moved(model: Representation, weights: Float[Tensor, "n p"], kind: str, seed: int) -> Float[Tensor, "n p"]:
    return model.layout.strip(act(model, model.layout.fill(weights.float()), kind, seed, 0.4))


def _generator(seed: Seed) -> torch.Generator:
    return torch.Generator().manual_seed(seed) if isinstance(seed, int) else seed


class Baseline(Generator):
    """A baseline as a generator: it keeps the training weights (n, p), and `of_block` makes samples of them. amount:
    the argument `amount` or `of` of the functions above."""

    amount: ClassVar[Any] = None
    """The default."""

    def __init__(self, weights: Float[Tensor, "n p"], representation: Representation | None, about: dict[str, Any]):
        self.weights, self.representation, self.about, self.classes = weights, representation, about, [""]

    @classmethod
    def training(cls, zoo: Zoo, settings: TrainSettings) -> TrainingRun:
        """Reads the training weights; nothing is trained. config: the amount, if it is not the default."""
        weights, _ = training_weights(zoo, settings)
        made = cls(weights, zoo.representation, about_training(zoo, settings, len(weights)))
        made.amount = cls.amount if settings.config is None else settings.config
        record = TrainRecord(1, 1, 0.0, 0.0, 0.0, done=True)
        identity = training_identity(cls.kind, VERSION, zoo, weights, amount=made.amount, seed=settings.seed)
        return TrainingRun(made, identity, lambda _: iter([record]), 1)

    def draw(self, count: int, settings: SampleSettings, first: int = 0) -> tuple[Float[Tensor, "n p"], list[str]]:
        return rows_of_blocks(self.of_block, count, settings.seed, first), [""] * count

    def of_block(self, count: int, generator: torch.Generator) -> Float[Tensor, "b p"]:
        """Draws `count` samples."""
        raise NotImplementedError

    def contents(self) -> ModelFile:
        return ModelFile({"amount": self.amount}, self.classes, self.about, {"weights": self.weights})

    @classmethod
    def from_contents(cls, file: ModelFile, representation: Representation | None) -> "Baseline":
        made = cls(file.tensor("weights", (None, representation.size)), representation, file.about)
        made.amount, made.classes = file.config["amount"], file.classes
        return made


class Noise(Baseline):
    """Training weights with noise. amount: of the noise, in units of each parameter's standard deviation."""

    kind: ClassVar[str] = "noise"
    amount = NOISES[0]

    def of_block(self, count, generator):
        return noisy(self.weights, self.amount, count, generator)


class Average(Baseline):
    """Averages of training weights. amount: how many are averaged for a sample."""

    kind: ClassVar[str] = "average"
    amount = AVERAGES[0]

    def of_block(self, count, generator):
        return averages(self.weights, self.amount, count, generator)


class Gaussian(Baseline):
    """Independent Gaussians, fitted to each parameter."""

    kind: ClassVar[str] = "gaussian"

    def of_block(self, count, generator):
        return gaussian(self.weights, count, generator)
