"""The interface of a modality: everything that differs between fields of images, of shapes, and of other signals."""

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
from wsr.modalities.registry import find

if TYPE_CHECKING:
    from torch import Tensor

    from wsr.data.signals import Signal, Signals, Split
    from wsr.fields.representation import Representation
    from wsr.metrics.features import Extractor
    from wsr.modalities.targets import Targets, Truth
    from wsr.presets import PresetConfig


@dataclass(frozen=True)
class Live:
    """How what is still changing is shown: decoded at this resolution, at most once in so many seconds."""

    resolution: int
    seconds: float


@dataclass(frozen=True)
class Resolutions:
    """The resolutions at which weights are decoded for each purpose, in pixels of an image's longer side, samples along
    an edge of a surface's grid, or the like.

    final: at the end of a fit; large: in a file for a download; opened: one instance that is looked at; beside: one of
    a few pictures beside a chart; sample: one of a grid of samples; settled: each of the six representations after a
    comparison; judged: for the metrics of generation; thumbnail: on a sheet of thumbnails. The others are of previews:
    of one fit, of six side by side, and of samples on their way."""

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
        """One resolution for everything."""
        return cls(*[size] * 8, *[Live(size, seconds)] * 3)


@dataclass(frozen=True)
class Measured:
    """What the metrics of generation need of n decoded things: `items` (n, …) for an extractor of features, and of
    surfaces the points on them (`clouds`); empty: how many had no surface and are a single point at the centre."""

    items: Float[np.ndarray, "n ..."]
    clouds: Float[np.ndarray, "n p 3"] | None = None
    empty: int = 0


class Modality(ABC):
    """One kind of signal. The attributes without a value are those that every modality must say."""

    name: str
    dim: int
    """Dimension of the domain, whose points lie in [-1, 1]^dim."""
    channels: int
    """Values of a field at a point."""
    noun: str
    plural: str

    measure: str
    """The quality of a fit, as tables and links name it: "psnr"."""
    unit: str
    """Of the quality: "dB"."""
    title: str
    """The quality with its unit, as axes name it: "PSNR (dB)"."""
    decimals: int = 1
    """Of the quality, where there is little room."""
    higher_is_better: bool = True
    poor: float
    """The quality below which a fit does not show its target."""
    tolerance: float
    """The difference in quality that the order of sums may make between machines."""
    negligible: float
    """The difference in quality up to which two ways of fitting count as equally good."""
    too_fine: str = "more detail"
    """What a target has that weights cannot hold."""
    value_unit: str = ""
    """Of the values that `shown` returns, where a sentence needs it."""

    default_base: str
    """The base that is adapted where none is named, and the data set that it has learnt."""
    folder: str = ""
    """The prefix under which a folder of files is a data set: "images" for "images:DIR"."""
    files: tuple[str, ...] = ()
    """Endings of the files that are read."""
    prepares: str = ""
    """What takes so long to compute for a signal that it is kept in the cache; "" where nothing does."""
    suffix: str
    """Ending of the files that decoded things are saved to."""
    saves: tuple[str, ...] = ()
    """All endings of files that `save` writes; by default `suffix` alone."""
    finest: int = 4096
    """The highest resolution that weights are decoded at."""
    given: str = ""
    """What the ids of things without a name begin with; by default the noun."""
    resolutions: Resolutions

    view: Literal["picture", "surface"] = "picture"
    """How the page shows a decoded thing: as a flat picture, or as a surface that can be turned."""
    zoomable: bool = False
    """Whether a decoded thing can be shown at a higher resolution than it was fitted at, in the same place."""

    @property
    def has_surface(self) -> bool:
        """Whether a decoded thing is a surface."""
        return self.view == "surface"

    def __init_subclass__(cls, **options):
        super().__init_subclass__(**options)
        if not cls.saves and "suffix" in vars(cls):
            cls.saves = (cls.suffix,)

    def __repr__(self) -> str:
        return f"<modality {self.name}>"

    def __reduce__(self) -> tuple:
        return find, (self.name,)  # there is one object for each: another process looks its own up

    def preset(self, name: str) -> PresetConfig | None:
        """The sizes and settings of fits at a preset that `wsr.presets` does not state for this modality; None for
        those of images, with this modality's dimension and resolution."""
        return None

    # what somebody gives

    @abstractmethod
    def recognises(self, given: Any) -> bool:
        """Whether one thing that a user gives (a path, an array, an object) is of this modality, by its kind alone:
        nothing is opened."""

    @abstractmethod
    def read(self, given: Any, longest: int | None = None) -> Any:
        """The content of a signal, from a file or an object that `recognises` has accepted, or from a content. longest:
        the resolution that a file is reduced to. WsrError, with what would be right, for anything else."""

    def unbatched(self, array: np.ndarray) -> list[Any] | None:
        """The things that an array of several holds; None where an array of this shape is none of this modality."""
        return None

    @abstractmethod
    def content_parts(self, content: Any) -> Sequence[np.ndarray]:
        """The arrays that a content consists of, as it is fitted, in types of a fixed width."""

    def content_hash(self, content: Any) -> str:
        """SHA-256 of a content, by which a zoo tells which target its weights were fitted to."""
        digest = hashlib.sha256()
        for part in self.content_parts(content):
            digest.update(repr(part.shape).encode())
            digest.update(np.ascontiguousarray(part).tobytes())
        return digest.hexdigest()

    def signal(self, id: str, content: Any, cls: str = "", split: Split = "train") -> Signal:
        """A signal whose content is at hand."""
        from wsr.data.signals import Signal

        return Signal(id, cls, split, self.dim, partial(_same, content), self)

    def load_folder(self, folder: str | Path) -> Signals:
        """The signals in a folder of files. WsrError where there are none."""
        raise WsrError(f"Folders of {self.plural} are not read.")

    def prepare(self, signals: Signals, progress: Callable[[int, int], None]) -> None:
        """Computes what `prepares` names for each signal and keeps it for later fits. progress(done, total) is called
        after each."""
        raise NotImplementedError

    def describe(self, content: Any, resolution: int) -> list[str]:
        """What there is to know of a content before it is fitted, in sentences."""
        return []

    def warnings(self, content: Any) -> list[str]:
        """Those of these sentences that say what was mended, or what may make a poor fit."""
        return []

    def aspect(self, content: Any) -> tuple[int, int]:
        """Height and width of a content, in any unit."""
        return 1, 1

    # fitting

    @abstractmethod
    def samples(self, signals: Signals) -> Any:
        """What fits and base training draw their points from, read once for both targets and truth."""

    @abstractmethod
    def targets(self, samples: Any, device: Any = "cpu", seed: int = 0) -> Targets:
        """What fields are fitted to. samples: from the method of that name."""

    @abstractmethod
    def truth(self, signals: Signals, samples: Any, points: int) -> Truth:
        """What judges fits of these signals. points: how many, where they are drawn."""

    def coarse(self, signals: Signals, size: int) -> Float[Tensor, "n k"]:
        """The signals as vectors: their values on a grid of `size` places along each axis."""
        raise WsrError(f"{self.plural.capitalize()} are not sampled on a grid.")

    # quality in words

    def in_words(self, quality: float) -> str:
        """A quality as a sentence says it: "14.20 dB"."""
        return f"{quality:.2f} {self.unit}"

    @property
    def bound(self) -> str:
        """The threshold `poor` as a sentence says it: "15 dB"."""
        return f"{self.poor:g} {self.unit}"

    def fault(self, filled: float | None) -> str:
        """What is wrong with a target that explains a poor fit of it; "" where nothing is. filled: see `Truth`."""
        return ""

    # decoding

    def shown(self, values: Any) -> Any:
        """A field's own values (…, channels), as people look at them."""
        return values

    def places(self, resolution: int) -> Float[Tensor, "1 q d"]:
        """Points that cover the domain, to compare two fields at: `resolution` along each axis."""
        import torch

        axis = (torch.arange(resolution) * 2 + 1 - resolution) / resolution
        return torch.stack(torch.meshgrid(*[axis] * self.dim, indexing="ij"), -1).reshape(1, -1, self.dim)

    @abstractmethod
    def decode(
        self, model: Representation, weights: Float[Tensor, "n p"], resolution: int, aspect: tuple[int, int]
    ) -> Sequence[Any]:
        """What n weights are, as `read` would return it: one array (n, …), or a list of n objects. aspect: height and
        width of the target."""

    def empty(self, decoded: Any) -> bool:
        """Whether there is nothing to see in one decoded thing."""
        return False

    @abstractmethod
    def picture(self, decoded: Any, size: int | None = None) -> UInt8[np.ndarray, "h w 3"]:
        """A picture of one decoded thing, or of a content. size: pixels along an edge where it has to be drawn; by
        default as many as the thing has itself, or a sensible number."""

    @abstractmethod
    def save(self, decoded: Any, path: Path) -> None:
        """Writes one decoded thing to a file that other programs open, atomically."""

    # metrics of generation

    def extractor(self) -> Extractor:
        """The extractor of features that samples are judged by where none is named. WsrError where there is none."""
        raise WsrError(f"There is no extractor of features for {self.plural}: give one.")

    def measured(self, decoded: Sequence[Any], first: int = 0) -> Measured:
        """What metrics need of some decoded things. first: position of the first of them, a seed of what is drawn."""
        return Measured(np.asarray(decoded))


def _same(content: Any) -> Any:
    return content
