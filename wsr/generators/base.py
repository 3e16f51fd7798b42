"""The interface of all generators of weights. A subclass defines `training`, `draw`, `contents` and `from_contents`;
all else is built on these.

`wsr.generators.registry` tells how to register one.
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
    """How a generator is trained. A kind of generator that cannot use a setting ignores it or refuses it with a
    WsrError."""

    preset: str | None = None
    """Name of the preset of the generator's own settings; None: the preset of the zoo."""
    config: Any = None
    """The generator's own settings as an object (such as `DiffusionConfig`), instead of the preset's."""
    steps: int | None = None
    """Optimizer steps in total; None: as many as the generator's own settings say."""
    lr: float | None = None
    """Learning rate; None: that of the generator's own settings."""
    cls: str | None = None
    """Class to which the training weights are restricted; None: all classes."""
    seed: int = 0
    """Seed of the initial parameters and of everything that is drawn during training."""
    conditional: bool = True
    """False: classes are not learnt, where a generator could be conditioned on them."""
    encoder: bool = True
    """False: without the hierarchical layer encoder, where the generator's own settings have it (table 5)."""
    copies: int = 1
    """How many copies of each training weight are used; all but one have their rank components or neurons permuted."""


@dataclass(frozen=True, kw_only=True)
class SampleSettings:
    """How weights are sampled. None means the generator's own setting."""

    cls: str | None = None
    """Class of all samples; None: classes are drawn with their frequencies among the training weights."""
    guidance: float | None = None
    """Scale of classifier-free guidance: 1 samples the class as it was learnt, more exaggerates it, 0 ignores it."""
    steps: int = 100
    """Steps from noise to weights, for generators that take several."""
    seed: int = 0
    final_noise: float | None = None
    """Noise level in [0, 1) from which the last step leads directly to the weights."""


@dataclass(frozen=True, kw_only=True)
class SaveSettings:
    """How a generator is stored."""

    bits: int = 16
    """Bits per parameter of the generator's networks: 32, 16, or 2 to 8, which quantizes the matrices only. With 6 bits
    the held-out loss of a diffusion model of shapes rises by 0.0016 from 0.763, with 5 by 0.0055, with 4 by 0.016."""


@dataclass(frozen=True)
class Monitor:
    """Tells whether samples collapse. cosine: mean cosine similarity of pairs of samples (0 if they are unrelated);
    cosine_train: that of the training weights; distinct: number of different training weights that are nearest to one
    of the `samples`."""

    cosine: float
    cosine_train: float
    distinct: int
    samples: int


@dataclass(frozen=True)
class TrainRecord:
    """The state of a training run. loss: mean since the last record, over all processes; validation: loss of the
    averaged network on the validation weights, at the last evaluation; kept: True if nothing was trained because the
    same run has already written its model."""

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
    """A step of sampling. weights (n, p), on the CPU: the current prediction of the clean weights; after the last step
    the samples themselves."""

    step: int
    steps: int
    weights: Float[Tensor, "n p"]


@dataclass(frozen=True)
class TrainingRun:
    """A training run before it starts. generator: the generator that it trains in place; identity: everything that the
    result depends on; stream: takes the path of a checkpoint to continue from and to write, and yields records until
    the generator is trained; steps: their maximal number."""

    generator: "Generator"
    identity: Identity
    stream: Callable[[Path], Iterator[TrainRecord]]
    steps: int


class Generator(ABC):
    """Generates new weights like those of a zoo.

    representation: decodes the samples; None for vectors that are not weights. classes: those that samples can be
    conditioned on. about: how it was trained, as JSON; for a generator trained on a zoo also `zoo` (its zoo.json) and
    `name`.
    """

    kind: ClassVar[str]
    """The name under which it is registered."""
    representation: Representation | None
    classes: list[str]
    about: dict[str, Any]

    @classmethod
    @abstractmethod
    def training(cls, zoo: Zoo, settings: TrainSettings) -> TrainingRun:
        """Prepares a training on the training split of a zoo. Its validation split may decide when training ends; other
        fits are not used. WsrError for settings that do not fit the zoo."""

    @abstractmethod
    def draw(self, count: int, settings: SampleSettings, first: int = 0) -> tuple[Float[Tensor, "n p"], list[str]]:
        """Returns the samples number `first` to `first + count` as a zoo stores them, (count, p) on the CPU, and the
        class of each ("" for none). Sample i depends on the settings and on i only, so that a run can be continued."""

    @abstractmethod
    def contents(self) -> ModelFile:
        """Returns everything that `from_contents` needs."""

    @classmethod
    @abstractmethod
    def from_contents(cls, file: ModelFile, representation: Representation | None) -> "Generator":
        """Rebuilds a generator from its `contents`. The file may come from anybody: a ValueError, KeyError, TypeError
        or RuntimeError means that its parts do not fit together."""

    def sample(self, count: int, settings: SampleSettings | None = None, **options: Any) -> Float[Tensor, "n p"]:
        """Returns new weights (count, p), as a zoo stores them, on the CPU. options: fields of `SampleSettings`."""
        return self.draw(count, settings or SampleSettings(**options))[0]

    def sample_stream(
        self, count: int, settings: SampleSettings | None = None, **options: Any
    ) -> Iterator[SampleStep]:  # fmt: skip
        """Yields a record after each step of sampling; a single one for a generator without steps."""
        yield SampleStep(1, 1, self.sample(count, settings, **options))

    def save(self, path: str | Path, settings: SaveSettings | None = None) -> None:
        """Writes files of at most 10 MB each: `path`, and beside it `<stem>-1.safetensors` and so on."""
        write_model(Path(path), self.kind, self.contents(), (settings or SaveSettings()).bits)

    @classmethod
    def load(cls, name: str | Path, representation: Representation | None = None) -> "Generator":
        """Loads a generator of this kind by its path, or by its name in assets/diffusion. representation: by default
        the one that its zoo's meta describes. WsrError for a missing file, and for a generator of another kind."""
        return load_generator(name, representation, cls)

    def describe(self) -> dict[str, Any]:
        """Returns what a table or the page shows about it."""
        kind = named(self.kind)
        trained = {key: self.about[key] for key in ("steps", "seconds", "trained_on", "seed") if key in self.about}
        return {"generator": kind.title, "zoo": self.about.get("name", ""), "classes": self.classes, **trained}

    def sampling(self, settings: SampleSettings) -> dict[str, Any]:
        """Returns the settings that samples depend on, as a zoo of samples states them."""
        return {"seed": settings.seed, "class": settings.cls or ""}

    def fingerprint(self) -> str:
        """Returns a hash of all numbers of the generator, which distinguishes generators trained on the same zoo."""
        return tensors_hash(self.contents().state)

    def to(self, device: torch.device | str) -> "Generator":
        """Returns a copy on the device, or the generator itself if it does not use the device."""
        return self
