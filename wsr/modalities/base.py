"""The interface of a modality: everything that differs between fields of images, of shapes, and of other signals. Why
methods import what they call: see `wsr.modalities`."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from jaxtyping import Float, UInt8

from wsr.errors import WsrError
from wsr.modalities.measured import Measured
from wsr.modalities.registry import find

if TYPE_CHECKING:
    from torch import Tensor, nn

    from wsr.data.signals import Signal, Signals, Split
    from wsr.fields.representation import Representation
    from wsr.metrics.features import Extractor
    from wsr.modalities.targets import Evaluator, Targets
    from wsr.presets import PresetConfig


@dataclass(frozen=True)
class Live:
    """How a changing result is displayed: at this resolution, updated at most once in so many seconds."""

    resolution: int
    seconds: float


@dataclass(frozen=True)
class Resolutions:
    """The resolutions at which weights are decoded for each purpose: pixels of an image's longer side, samples along an
    edge of a surface's grid, or similar.

    final: at the end of a fit; large: in a downloaded file; opened: a single instance on display; beside: one of a few
    pictures beside a chart; sample: one of a grid of samples; settled: each of the six representations after a
    comparison; judged: for the metrics of generation; thumbnail: on a sheet of thumbnails. The `live` ones are for
    previews: of one fit, of six fits side by side, and of samples during sampling.
    """

    final: int
    large: int
    opened: int
    beside: int
    sample: int
    settled: int
    judged: int
    thumbnail: int
    live: Live
    live_six: Live
    live_samples: Live

    @classmethod
    def of(cls, size: int, seconds: float = 0.5) -> Resolutions:
        """Uses one resolution for everything."""
        return cls(*[size] * 8, *[Live(size, seconds)] * 3)


class Modality(ABC):
    """A kind of signal. Attributes without a value must be defined by every modality."""

    name: str
    dim: int
    """Dimension of the domain, whose points lie in [-1, 1]^dim."""
    channels: int
    """Number of values of a field at a point."""
    noun: str
    plural: str

    measure: str
    """Name of the quality of a fit in tables and links: "psnr"."""
    unit: str
    """Unit of the quality: "dB"; "" if it has none."""
    title: str
    """The quality with its unit, as on axes: "PSNR (dB)"."""
    decimals: int = 1
    """Decimals of the quality where space is limited."""
    higher_is_better: bool = True
    best: float | None = None
    """The highest quality that there is; None where there is none."""
    poor: float
    """A fit of lower quality does not show its target."""
    tolerance: float
    """Largest difference in quality that rounding may cause between machines."""
    negligible: float
    """Largest difference in quality at which two ways of fitting count as equally good."""
    encoded_steps: int = 30
    """Adam steps of a fit from a start that an encoder has predicted (`wsr.fitting.encoder`)."""
    too_fine: str = "more detail"
    """What a target may have too much of for the weights, in words."""
    value_unit: str = ""
    """Unit of the values that `shown` returns, for sentences."""

    default_base: str
    """The base that is adapted if none is named; also the name of the data set that it was trained on."""
    folder: str = ""
    """The prefix that makes a folder of files a data set: "images" in "images:DIR"."""
    files: tuple[str, ...] = ()
    """Endings of the files that can be read."""
    prepares: str = ""
    """What is computed for each signal and cached because it takes long, in words; "" if nothing is."""
    suffix: str
    """Default ending of the files that decoded instances are saved to."""
    saves: tuple[str, ...] = ()
    """All endings of files that `save` can write; by default only `suffix`."""
    finest: int = 4096
    """The highest resolution at which weights are decoded."""
    given: str = ""
    """Beginning of the ids of signals without a name; by default the noun."""
    resolutions: Resolutions

    view: Literal["picture", "surface"] = "picture"
    """How the page displays a decoded instance: as a flat picture, or as a surface that can be rotated."""
    level_set: bool = False
    """Whether a decoded instance is the surface where one value at points of space is 0, which is positive inside."""
    zoomable: bool = False
    """Whether a decoded instance can be displayed in the same place at a higher resolution than it was fitted at."""

    @property
    def has_surface(self) -> bool:
        """Whether a decoded instance is a surface."""
        return self.view == "surface"

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        if not cls.saves and "suffix" in vars(cls):
            cls.saves = (cls.suffix,)

    def __repr__(self) -> str:
        return f"<modality {self.name}>"

    def __reduce__(self) -> tuple:
        return find, (self.name,)  # one object per process: unpickling looks it up

    def preset(self, name: str) -> PresetConfig | None:
        """Returns the sizes and settings at a preset that `wsr.presets` does not state for this modality; None for
        those of images, with this modality's dimension and resolution."""
        return None

    # input

    @abstractmethod
    def recognises(self, given: Any) -> bool:
        """Tells whether a path, an array or an object looks like this modality, without opening anything."""

    @abstractmethod
    def read(self, given: Any, longest: int | None = None) -> Any:
        """Returns the content of a signal, given a file or object that `recognises` has accepted, or a content.
        longest: the resolution to which files are reduced. WsrError, with a remedy, for anything else."""

    def unbatched(self, array: np.ndarray) -> list[Any] | None:
        """Splits an array of several instances; None if an array of this shape does not belong to this modality."""
        return None

    @abstractmethod
    def content_parts(self, content: Any) -> Sequence[np.ndarray]:
        """Returns the arrays that a content consists of, as fitted, in dtypes of fixed width."""

    def content_hash(self, content: Any) -> str:
        """Returns the SHA-256 of a content, by which a zoo knows which target its weights were fitted to."""
        digest = hashlib.sha256()
        for part in self.content_parts(content):
            digest.update(repr(part.shape).encode())
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    def signal(self, id: str, content: Any, cls: str = "", split: Split = "train") -> Signal:
        """Makes a signal of a content that is already loaded."""
        from wsr.data.signals import Signal

        return Signal(id, cls, split, self.dim, partial(_same, content), self)

    def load_folder(self, folder: str | Path) -> Signals:
        """Loads the signals in a folder of files. WsrError if there are none."""
        raise WsrError(f"Folders of {self.plural} are not read.")

    def prepare(self, signals: Signals, progress: Callable[[int, int], None]) -> dict[str, str]:
        """Caches what `prepares` names of each signal, and calls progress(done, total). Returns the failures by id."""
        raise NotImplementedError

    def describe(self, content: Any, resolution: int) -> list[str]:
        """Describes a content before it is fitted, in sentences."""
        return []

    def report(self, path: str | Path, resolution: int) -> list[str]:
        """Describes a file before it is fitted, in sentences. WsrError as in `read`."""
        return self.describe(self.read(path), resolution) or [f"It holds something that can be fitted: {self.noun}."]

    def warnings(self, content: Any) -> list[str]:
        """Returns those sentences of `describe` about what was repaired and what may lead to a poor fit."""
        return []

    def aspect(self, content: Any) -> tuple[int, int]:
        """Returns height and width of a content, in any unit."""
        return 1, 1

    # fitting

    @abstractmethod
    def samples(self, signals: Signals) -> Any:
        """Loads what fits and base training draw their points from, once for both targets and evaluator."""

    def shared_samples(self, signals: Signals) -> Any:
        """`samples` with points at the same places for all signals; by default of targets that do so anyway."""
        return self.samples(signals)

    @abstractmethod
    def targets(self, samples: Any, device: Any = "cpu", seed: int = 0) -> Targets:
        """Returns training targets. samples: the result of `samples`."""

    @abstractmethod
    def evaluator(self, signals: Signals, samples: Any, points: int) -> Evaluator:
        """Returns what judges fits of these signals. points: number of points, if they are drawn."""

    def encoder(self, features: int) -> nn.Module:
        """Returns an untrained network that turns what `Targets.seen` shows of n instances into features (n, features),
        from which the starts of their fits are predicted. WsrError if the modality has none."""
        raise WsrError(f"There is no encoder of starts for {self.plural}.")

    def coarse(self, signals: Signals, size: int) -> Float[Tensor, "n k"]:
        """Returns the signals as vectors of their values on a grid with `size` samples along each axis."""
        raise WsrError(f"{self.plural.capitalize()} are not sampled on a grid.")

    def examples(self) -> Sequence[Signal]:
        """Signals for people to try fits on, at hand without a download. Like those that the default base has learnt,
        but none that it has seen."""
        return []

    # quality in words

    def in_words(self, quality: float) -> str:
        """Formats a quality for a sentence: "14.20 dB"."""
        return f"{quality:.2f} {self.unit}".rstrip()

    def in_short(self, quality: float) -> str:
        """A quality with the name of its measure, for a line of figures: "14.2 dB PSNR"."""
        return " ".join(filter(None, (f"{quality:z.{self.decimals}f}", self.unit, self.measure.upper())))

    @property
    def bound(self) -> str:
        """The threshold `poor`, formatted for a sentence: "15 dB"."""
        return f"{self.poor:g} {self.unit}".rstrip()

    def fault(self, filled: float | None) -> str:
        """Returns what is wrong with a target that explains a poor fit, or "". filled: see `Evaluator`."""
        return ""

    # decoding

    def shown(self, values: Any) -> Any:
        """Converts a field's values (…, channels) to those that people see."""
        return values

    def places(self, resolution: int) -> Float[Tensor, "1 q d"]:
        """Returns points that cover the domain, at which two fields can be compared: `resolution` along each axis."""
        import torch

        axis = (torch.arange(resolution) * 2 + 1 - resolution) / resolution
        return torch.stack(torch.meshgrid(*[axis] * self.dim, indexing="ij"), -1).reshape(1, -1, self.dim)

    @abstractmethod
    def decode(
        self, model: Representation, weights: Float[Tensor, "n p"], resolution: int, aspect: tuple[int, int]
    ) -> Sequence[Any]:
        """Decodes n weights to what `read` returns: one array (n, …), or n objects. aspect: height and width."""

    def empty(self, decoded: Any) -> bool:
        """Tells whether a decoded instance shows nothing."""
        return False

    @abstractmethod
    def picture(self, decoded: Any, size: int | None = None) -> UInt8[np.ndarray, "h w 3"]:
        """Makes a picture of a decoded instance or a content. size: pixels along an edge, where it must be drawn."""

    @abstractmethod
    def save(self, decoded: Any, path: Path) -> None:
        """Writes a decoded instance to a file that other programs can open, atomically."""

    # metrics of generation

    def extractor(self) -> Extractor:
        """Returns the default feature extractor for samples. WsrError if there is none."""
        raise WsrError(f"There is no extractor of features for {self.plural}: give one.")

    def measured(self, decoded: Sequence[Any], first: int = 0) -> Measured:
        """Returns what metrics need of decoded instances. first: number of the first one, which seeds random draws."""
        return Measured(np.asarray(decoded))


def _same(content: Any) -> Any:
    return content
