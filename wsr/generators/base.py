"""What a generator of weights is. Its own are `training`, `draw`, `contents` and `from_contents`; all else follows.

How one is registered says `wsr.generators.registry`.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import torch
from jaxtyping import Float
from torch import Tensor

from wsr.fields.representation import Representation
from wsr.generators.files import ModelFile, load_generator, tensors_hash, write_model
from wsr.generators.registry import named
from wsr.identity import Identity
from wsr.zoo.zoo import Zoo


@dataclass(frozen=True, kw_only=True)
class TrainSettings:
    """How a generator is trained. What a kind of generator has no use for, it ignores or refuses with a WsrError."""

    preset: str | None = None
    """Names the generator's own settings; None: the preset of the zoo."""
    config: Any = None
    """The generator's own settings as an object (such as `DiffusionConfig`), in place of the preset's."""
    steps: int | None = None
    """Optimiser steps, all of them; None: as many as the generator's own settings say."""
    lr: float | None = None
    """Learning rate; None: that of the generator's own settings."""
    cls: str | None = None
    """Only weights of this class are learnt; None: all."""
    seed: int = 0
    """Seed of the first parameters and of everything that is drawn during training."""
    copies: int = 1
    """How often each weight is learnt, all but once with its ranks or neurons in another order."""


@dataclass(frozen=True, kw_only=True)
class SampleSettings:
    """How weights are sampled. None stands for what the generator was configured with."""

    cls: str | None = None
    """Class of all samples; None: classes are drawn as often as they occur among the training weights."""
    guidance: float | None = None
    """How much the class counts: 1 as it was learnt, more exaggerates it, 0 ignores it."""
    steps: int = 100
    """Steps from noise to weights, of generators that take several."""
    seed: int = 0
    final_noise: float | None = None
    """Noise in [0, 1) from which the last step leads straight to the weights."""


@dataclass(frozen=True, kw_only=True)
class SaveSettings:
    """How a generator is stored."""

    bits: int = 16
    """Bits of each parameter of its networks: 32, 16, or 2 to 8 (of matrices alone, which are then quantized). With 6
    the held-out loss of a diffusion model of shapes rises by 0.0016 of 0.763, with 5 by 0.0055, with 4 by 0.016."""


@dataclass(frozen=True)
class Monitor:
    """Whether samples collapse. cosine: mean cosine of pairs of samples (0 where they differ in every way);
    cosine_train: that of the training weights; distinct: how many different training weights are nearest to one of
    the `samples`."""

    cosine: float
    cosine_train: float
    distinct: int
    samples: int


@dataclass(frozen=True)
class TrainRecord:
    """The state of a training run. loss: the mean since the last record, over all processes; validation: the loss of
    the averaged network on the validation weights, at the last evaluation; kept: nothing was trained, because the same
    run had written its model before."""

    step: int
    steps: int
    loss: float
    lr: float
    seconds: float
    monitor: Monitor | None = None
    validation: float | None = None
    done: bool = False
    kept: bool = False


@dataclass(frozen=True)
class SampleStep:
    """A step of sampling. weights (n, p), on the CPU: the clean weights it heads for, after the last step the samples
    themselves."""

    step: int
    steps: int
    weights: Float[Tensor, "n p"]


@dataclass(frozen=True)
class TrainingRun:
    """A training that has not begun. generator: what it trains, in place; identity: all that the result depends on;
    stream: given the path of a checkpoint to go on from and to write, yields records until the generator is trained;
    steps: how many it takes at most."""

    generator: "Generator"
    identity: Identity
    stream: Callable[[Path], Iterator[TrainRecord]]
    steps: int


class Generator(ABC):
    """Makes new weights like those of a zoo.

    representation: what decodes the samples; None for vectors that are no weights. classes: what a sample can be asked
    to be. about: how it was trained, as JSON; of a generator that has learnt a zoo `zoo` (its zoo.json) and `name`.
    """

    kind: ClassVar[str]
    """The name under which it is registered."""
    representation: Representation | None
    classes: list[str]
    about: dict[str, Any]

    @classmethod
    @abstractmethod
    def training(cls, zoo: Zoo, settings: TrainSettings) -> TrainingRun:
        """A training on the training split of a zoo; held-out fits have no part in it. WsrError for settings that do
        not fit the zoo."""

    @abstractmethod
    def draw(self, count: int, settings: SampleSettings, first: int = 0) -> tuple[Float[Tensor, "n p"], list[str]]:
        """Samples number `first` to `first + count` as a zoo stores them, (count, p), on the CPU, and the class of
        each ("" for none). Sample i depends on the settings and on i alone, so that a run can be continued."""

    @abstractmethod
    def contents(self) -> ModelFile:
        """All that `from_contents` needs."""

    @classmethod
    @abstractmethod
    def from_contents(cls, file: ModelFile, representation: Representation | None) -> "Generator":
        """The generator that `contents` was of. The file may come from anybody: a ValueError, KeyError, TypeError or
        RuntimeError says that its parts do not fit together."""

    def sample(self, count: int, settings: SampleSettings | None = None, **options: Any) -> Float[Tensor, "n p"]:
        """New weights (count, p), as a zoo stores them, on the CPU. options: fields of `SampleSettings`."""
        return self.draw(count, settings or SampleSettings(**options))[0]

    def sample_stream(
        self, count: int, settings: SampleSettings | None = None, **options: Any
    ) -> Iterator[SampleStep]:  # fmt: skip
        """A record after each step of sampling; of a generator that takes no steps one."""
        yield SampleStep(1, 1, self.sample(count, settings, **options))

    def save(self, path: str | Path, settings: SaveSettings | None = None) -> None:
        """Writes files of at most 10 MB: `path`, and beside it `<stem>-1.safetensors` and so on."""
        write_model(Path(path), self.kind, self.contents(), (settings or SaveSettings()).bits)

    @classmethod
    def load(cls, name: str | Path, representation: Representation | None = None) -> "Generator":
        """A generator of this kind by its path, or by its name in assets/diffusion. representation: by default what
        its zoo's meta describes. WsrError for a missing file, and for one that is not of this kind."""
        return load_generator(name, representation, cls)

    def describe(self) -> dict[str, Any]:
        """What there is to say of it in a table or on the page."""
        kind = named(self.kind)
        trained = {key: self.about[key] for key in ("steps", "seconds", "trained_on", "seed") if key in self.about}
        return {"generator": kind.title, "zoo": self.about.get("name", ""), "classes": self.classes, **trained}

    def sampling(self, settings: SampleSettings) -> dict[str, Any]:
        """The settings that the samples depend on, as a zoo of samples states them."""
        return {"seed": settings.seed, "class": settings.cls or ""}

    def fingerprint(self) -> str:
        """A hash of all numbers of the generator, which tells two generators of one zoo apart."""
        return tensors_hash(self.contents().state)

    def to(self, device: torch.device | str) -> "Generator":
        """A copy on the device, where it has something to gain there; else itself."""
        return self
