"""The settings of a fit as one object, which the command line, the page and `wsr.fit` all build."""

import difflib
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, TypedDict

import numpy as np
from jaxtyping import Float
from torch import Tensor

from wsr.errors import WsrError, unknown_name
from wsr.fields.representation import Representation
from wsr.modalities import Modality, find
from wsr.presets import LEVERS, PAPER_LIKE, PROTOCOLS, STRUCTURED, FitConfig, Protocol
from wsr.presets import preset as find_preset
from wsr.presets import protocol as find_protocol

MAX_STEPS = 1_000_000


class FitOptions(TypedDict, total=False):
    """The keywords of `wsr.fit`, explained in `FitSettings` and `Start`."""

    steps: int | None
    rank: int | None
    start: str
    init: str
    sigma: float
    init_seed: int
    perturb: float
    seed: int
    device: str | None
    preset: str
    points: int | None
    lr: float | None
    a_rate: float | None
    protocol: str
    shared_points: bool | None
    pull: float | None
    average: float | None


class StreamOptions(FitOptions, total=False):
    """The keywords of `wsr.fit_stream`."""

    every: int


STARTS = ("plain", "encoded", "auto")


@dataclass(frozen=True, kw_only=True)
class Start:
    """Where fits start: at the plain start, which all instances share and `Representation.initial` draws, or where an
    encoder says."""

    encoded: bool = False
    """Whether an encoder predicts the start of each instance that it knows (`wsr.fitting.encoder`), as an offset from
    the plain one. In keywords: start="encoded"."""
    required: bool = True
    """Whether it is an error if there is no such encoder. If not, fits without one start plainly. In keywords:
    start="auto" is encoded and not required."""
    init: str = "centered"
    """How the start is drawn. "centered": at the mean of the base; "normal": with zero mean; "lognormal": of
    multiplicative adapters, as far from the mean as sigma says and all positive; "spread": around one fixed start, with
    the same relative noise for all representations."""
    sigma: float = 0.02
    """Standard deviation of the start around its centre, if it has one."""
    init_seed: int = 0
    """Seed of its random part."""
    perturb: float = 0.0
    """λ in [0, 1] of figure 3: how far the start is moved towards a second, independent one."""

    def __post_init__(self):
        if self.encoded and self.required and self.init != "centered":
            raise WsrError(f"An encoder predicts offsets from the centered start: its init cannot be {self.init!r}.")

    @classmethod
    def named(cls, name: str, **plain: Any) -> "Start":
        """Returns the start of this name, one of STARTS. plain: how the plain start is drawn. WsrError for another
        name."""
        if name not in STARTS:
            raise unknown_name("start", name, STARTS)
        return cls(encoded=name != "plain", required=name != "auto", **plain)

    def of(self, model: Representation) -> Float[Tensor, "p"]:
        """Returns the plain start of a representation as a stored vector."""
        return model.initial(self.init, self.sigma, self.init_seed, self.perturb)


@dataclass(frozen=True, kw_only=True)
class FitSettings:
    """The settings of a fit, except its signals, representation and base. None means the preset's value."""

    start: Start = Start()
    preset: str = "cpu"
    rank: int | None = None
    """Of the adapters."""
    steps: int | None = None
    """Adam steps; by default the preset's, which takes more for signals that are not of the base's data set, and from
    encoded starts those that the encoder states."""
    points: int | None = None
    """Points per instance and step."""
    lr: float | None = None
    """Learning rate of the first step."""
    a_rate: float | None = None
    """Learning rate of an adapter's A in units of B's."""
    protocol: str | Protocol = PAPER_LIKE
    """A fit preset or its name: what changes learning rate, start, steps and levers (`wsr.presets.Protocol`)."""
    shared_points: bool | None = None
    """Whether all instances of a step share their points (`FitConfig.shared_points`)."""
    pull: float | None = None
    """Strength λ of the pull towards the start (`FitConfig.pull`)."""
    average: float | None = None
    """Share of the steps, at the end, whose weights are averaged (`FitConfig.average`)."""
    seed: int = 0
    """Seed of the points that are drawn. (The seed of the masks belongs to the base.)"""
    device: str | None = None
    """cpu or cuda; by default CUDA if available."""
    every: int = 10
    """Steps between two records of a stream; 0: only the last."""

    @classmethod
    def of(cls, given: Mapping[str, Any], known: type = StreamOptions) -> "FitSettings":
        """Builds settings from keywords, including those of `Start`. TypeError, with the nearest name, for a keyword
        that is not in `known`."""
        names = list(known.__annotations__)
        for name in given:
            if name not in names:
                near = difflib.get_close_matches(name, names, n=1, cutoff=0.4)
                hint = f" did you mean {near[0]!r}?" if near else ""
                raise TypeError(f"A fit has no setting {name!r}:{hint} It has {', '.join(names)}.")
        start = {name: given[name] for name in ({field.name for field in fields(Start)} & given.keys())}
        own = {name: value for name, value in given.items() if name not in start and name != "start"}
        return cls(start=Start.named(given.get("start", "plain"), **start), **own)

    def encoded(self, modality: Modality | str) -> bool:
        """Tells whether fits start where an encoder says: because the start or the fit preset says so."""
        return self.start.encoded or self._protocol(modality).encoded

    def _protocol(self, modality: Modality | str) -> Protocol:
        return find_protocol(self.protocol, modality)

    def config(
        self, representation: str, modality: Modality | str, steps: int | None = None, began_encoded: bool = False
    ) -> FitConfig:
        """Returns the configuration for fitting a representation: what is given here, else what the fit preset or the
        preset says. steps: the preset's number of steps, if another one applies. began_encoded: whether all fits begin
        where an encoder says; the rate is then that of `structured`, unless one is given or the fit preset has chosen
        it for such starts. WsrError if the number of steps is not a whole number in [1, 1,000,000], for a pull that is
        negative or not finite, and for an average outside [0, 1).
        """
        config, protocol = find_preset(self.preset, modality).fit.of(representation), self._protocol(modality)
        config = protocol.of(replace(config, steps=steps or config.steps))
        if began_encoded and not protocol.encoded:
            # At the usual rate the first steps lead away: eight unseen faces have 26.2 dB after 30 steps and 32.1 after
            # 150, at a quarter of it 29.4 and 32.8, and from the plain start 32.5 after 300.
            structured = PROTOCOLS[STRUCTURED].get(find(modality).name, Protocol())
            config = replace(config, lr=config.lr * structured.lr)
        steps = config.steps if self.steps is None else self.steps
        if not (isinstance(steps, (int, np.integer)) and 1 <= steps <= MAX_STEPS):
            raise WsrError(f"steps must be a whole number between 1 and {MAX_STEPS:,}, not {steps!r}.")
        given = {"points": self.points, "lr": self.lr, "a_rate": self.a_rate}
        found = {name: value for name, value in given.items() if value is not None}
        levers = {name: value for name in LEVERS if (value := getattr(self, name)) is not None}
        return _checked(replace(config, steps=int(steps), **found, **levers))


def _checked(config: FitConfig) -> FitConfig:
    for what, value in (("learning rate", config.lr), ("rate of A", config.a_rate)):
        if not 0 < value < math.inf:
            raise WsrError(f"The {what} must be a positive number, not {value!r}.")
    if not (isinstance(config.points, (int, np.integer)) and config.points >= 1):
        raise WsrError(f"A step takes one point or more of each instance, not {config.points!r}.")
    if not 0 <= config.pull < math.inf:
        raise WsrError(f"The pull towards the start must be 0 (none) or a positive number, not {config.pull!r}.")
    if not 0 <= config.average < 1:
        raise WsrError(
            f"The average is of a share of the steps, from 0 (none) to below 1, not {config.average!r}: 0.5 averages "
            "the weights of the last half."
        )
    return config
