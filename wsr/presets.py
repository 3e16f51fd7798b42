"""The presets. `paper` has all of the paper's settings (section 8); `cpu` has sizes that train in an hour on two cores
and fit while a visitor waits. Every published number names its preset."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from wsr.errors import WsrError, unknown_name
from wsr.fields.registry import named
from wsr.modalities import Modality, find, of_file

Preset = Literal["cpu", "paper"]
LEVERS: tuple[str, ...] = ("shared_points", "pull", "average")
"""The settings of `FitConfig` that make weights easier to learn from; each is off where it is false or 0."""


def later(default: Any) -> Any:
    """Declares a setting that was added after runs had been recorded without it. Identities (`wsr.identity`) leave it
    out where it has its default, so that those runs remain the same runs."""
    return field(default=default, metadata={"later": True})


@dataclass(frozen=True)
class FieldConfig:
    """The sizes of the base field, and of the standalone MLP with a similar number of parameters, for one modality."""

    dim: int
    """Dimension of the domain."""
    channels: int
    """Width of the synthesis layers."""
    blocks: int
    """Synthesis blocks, with two modulated layers each."""
    omega: float
    """Frequency scale ω0 of the Fourier layer, shared with the standalone MLP."""
    latent: int
    """Size d_z of an instance's latent code."""
    mapping_layers: int
    """Layers of the mapping network."""
    mapping_width: int
    """Width of the mapping network."""
    mlp_width: int
    """Width N of the standalone MLP."""
    rank: int
    """Default rank of the adapters."""
    mlp_asym_width: int = 0
    """Width of the masked standalone MLP; 0: the same as the plain one, as in the paper. At `cpu` it is wider, so that
    the numbers of trained parameters of all six representations are within 5 % of each other."""

    modality: str = ""
    """Name of the modality of its values; by default the one that this dimension implies in old files."""

    def __post_init__(self):
        object.__setattr__(self, "modality", of_file(self.modality, self.dim).name)

    @property
    def layers(self) -> int:
        """Number of synthesis layers."""
        return 2 * self.blocks

    @property
    def outputs(self) -> int:
        """Values at a point: three for images (RGB), one for shapes (an occupancy logit)."""
        return find(self.modality).channels


@dataclass(frozen=True)
class FitConfig:
    """How instances are fitted (section 8.1)."""

    steps: int
    """Adam steps for the data set that the base was trained on; all its zoos use this number."""
    points: int
    """Points per instance and step."""
    batch: int
    """Instances fitted together."""
    far_steps: int | None = None
    """Adam steps for signals of other data sets, which are further from the base; None: the same number. For
    photographs on the emoji's base, 1,500 steps instead of 300 give 3.0 dB more (astronaut: 25.3 dB)."""
    lr: float = 1e-2
    """Learning rate of the first step; it decays with a cosine to `lr_end`."""
    regime: str = ""
    """Preset and modality, as in "cpu image"; a representation may state its own learning rate for each
    (`RepresentationKind.rates`)."""
    lr_end: float = 1e-5
    """Learning rate of the last step."""
    betas: tuple[float, float] = (0.9, 0.999)
    """β₁ and β₂ of Adam. Short fits need short averages: with 300 steps, (0.8, 0.95) at a learning rate of 4e-2 gives
    2.0 dB more on 12 held-out emoji than the usual (0.9, 0.999) at the same rate. With 225 steps, (0.7, 0.85) gives
    another 0.6 dB on 16, and 0.2 dB at the midpoint of two fits; a rate of 8e-2 gives 0.8 dB, but loses 1.2 dB at the
    midpoint. All six representations gain, the MLPs most: with the best learning rate of four each, (0.9, 0.99) instead
    of (0.7, 0.85) loses 5.2 dB for mlp, 11 dB for mlp-asym, 1.4 dB for lora and lora-asym, and 1.0 dB for mlora (300
    steps, 16 training emoji)."""
    a_rate: float = 1.0
    """Learning rate of an adapter's A in units of B's. The centred start of mLoRA has entries of 1 in A and 1/r in B,
    so with equal rates B would change far more, relative to its size, than A. With 225 steps on 16 held-out emoji
    (4e-2, (0.8, 0.95)), quality and quality at the midpoint of two fits are 31.4 and 30.3 dB at 1, 32.2 and 30.6 at 3,
    32.3 and 30.4 at 4; doubling B's rate instead gives 31.7 and 28.2."""

    # The levers that make weights easier to learn from, all off by default (`wsr.analysis.learnability` measures them).
    # They came later: zoos and identities of runs state them only where they are on, so that a fit without them is the
    # same run as before.
    shared_points: bool = later(False)
    """Whether a step draws its points at the same places for all instances, so that the noise of the draw is the same
    for all of them too. Pictures of one size share their places anyway; shapes have half of theirs near their own
    surface otherwise."""
    pull: float = later(0.0)
    """λ of the pull towards the start: each step first moves the weights by a share lr · λ of the way back to it. Like
    the weight decay of AdamW, and unlike a penalty λ‖w − w₀‖² in the loss, it does not pass through Adam's division by
    the root of the second moment. Adam makes steps of one length in all entries, so that entries which the data do not
    determine wander as far as the others; the pull returns all of them at the same rate, and its strength does not
    depend on the scale of the loss."""
    average: float = later(0.0)
    """Share of the steps, at the end, whose weights are averaged (uniformly): the average is what is returned, judged
    and recorded. 0: the last step's weights."""

    def of(self, representation: str) -> "FitConfig":
        """Returns the configuration with the learning rates of a representation; `a_rate` applies only to those that
        have an A."""
        kind = named(representation)
        a_rate = self.a_rate if kind.two_rates else 1.0
        return replace(self, lr=kind.rates.get(self.regime, self.lr), a_rate=a_rate)

    def settings(self, representation: str) -> dict:
        """Returns the settings of a fit, except its steps, that a zoo.json records so that the zoo can be continued."""
        return self.of(representation).stated()

    def stated(self) -> dict:
        """Returns the same settings if the representation's rates have been chosen already (`of`)."""
        rates = {"lr": self.lr, "a_rate": self.a_rate, "lr_end": self.lr_end}
        found = {"points": self.points, **rates, "betas": list(self.betas), "batch": self.batch}
        return found | {name: value for name in LEVERS if (value := getattr(self, name))}


@dataclass(frozen=True)
class Protocol:
    """A fit preset: how fits differ from those of a preset of sizes. lr, steps: factors of that preset's. encoded:
    whether fits start where an encoder says; `steps` is then a factor of the encoder's. The others as in
    `FitConfig`."""

    lr: float = 1.0
    steps: float = 1.0
    encoded: bool = False
    shared_points: bool = False
    pull: float = 0.0
    average: float = 0.0

    def of(self, config: FitConfig) -> FitConfig:
        """Returns a configuration that is changed accordingly."""
        levers = {name: getattr(self, name) for name in LEVERS}
        return replace(config, lr=config.lr * self.lr, steps=max(1, round(config.steps * self.steps)), **levers)


@dataclass(frozen=True)
class Stage:
    """A stage of the base's progressive schedule, which goes from many instances with few points to few instances with
    many points (section 8.3)."""

    steps: int
    instances: int
    points: int
    lr: float


@dataclass(frozen=True)
class BaseTrainingConfig:
    """How the base field is trained as a variational autodecoder (section 8.3, equation 4)."""

    stages: tuple[Stage, ...]
    """The progressive schedule."""
    latent_penalty: float = 1e-4
    """λ_r of equation 4."""
    ema: float = 0.999
    """Decay of the exponential moving average of the parameters."""


@dataclass(frozen=True)
class PresetConfig:
    """All settings of a preset for one modality."""

    resolution: int
    """Pixels of an image's longer side, or samples along an edge of a surface's grid."""
    field: FieldConfig
    fit: FitConfig
    base: BaseTrainingConfig = field(repr=False)


def _cpu_fit(modality: str, steps: int, far_steps: int, lr: float) -> FitConfig:
    more = {"far_steps": far_steps, "lr": lr, "regime": f"cpu {modality}", "betas": (0.7, 0.85), "a_rate": 3.0}
    return FitConfig(steps, 512, 8, **more)


def _cpu_base(*steps: int) -> BaseTrainingConfig:
    sizes = (64, 256, 2e-3), (32, 512, 1e-3), (16, 1024, 5e-4)
    return BaseTrainingConfig(tuple(Stage(count, *size) for count, size in zip(steps, sizes, strict=True)))


def _paper_base() -> BaseTrainingConfig:
    """From 256 instances of 2,048 points to 16 of 32,768, in five stages, as section 8.3 says of both modalities. What
    lies between these it does not say. A picture of 128×128 has 16,384 pixels, each of which a step takes once at
    most: to take each twice would give the same gradient."""
    sizes = (256, 2048, 1e-3), (128, 4096, 3e-4), (64, 8192, 1e-4), (32, 16384, 3e-5), (16, 32768, 1e-5)
    return BaseTrainingConfig(tuple(Stage(70_000, *size) for size in sizes))


_PRESETS: dict[tuple[str, str], PresetConfig] = {
    ("cpu", "image"): PresetConfig(
        128, FieldConfig(2, 128, 4, 24.0, 128, 3, 128, 50, 4, 54), _cpu_fit("image", 300, 1500, 4e-2),
        _cpu_base(3000, 2000, 2000),
    ),
    ("cpu", "occupancy"): PresetConfig(
        96, FieldConfig(3, 128, 4, 3.0, 128, 3, 128, 50, 4, 54), _cpu_fit("occupancy", 700, 2000, 3e-2),
        _cpu_base(6000, 5000, 4000),
    ),
    ("paper", "image"): PresetConfig(
        128, FieldConfig(2, 256, 6, 32.0, 256, 8, 256, 94, 4), FitConfig(10_000, 8192, 16, regime="paper image"),
        _paper_base(),
    ),
    ("paper", "occupancy"): PresetConfig(
        128, FieldConfig(3, 512, 4, 1.0, 128, 4, 256, 99, 3), FitConfig(10_000, 8192, 16, regime="paper occupancy"),
        _paper_base(),
    ),
}  # fmt: skip
PRESETS: tuple[str, ...] = ("cpu", "paper")

PAPER_LIKE, STRUCTURED = "paper-like", "structured"
# Fit presets by name and modality. `paper-like` is the paper's protocol: fits as the presets above state them.
# `structured` makes weights that are easier to learn from, and costs at most 0.5 dB or an IoU of 0.005: it starts where
# an encoder says. `python -m precompute run learnability` compares it with other levers. Faces have 31.7 dB and an own
# noise share of 0.016 (0.37 for `paper-like` at the same quality, in a first look at 32 faces). Shapes have an IoU of
# 0.969 and an own noise share of 0.062; at the full rate, with half the steps, they have 0.964 and 0.122.
PROTOCOLS: dict[str, dict[str, Protocol]] = {
    PAPER_LIKE: {},
    STRUCTURED: {
        "image": Protocol(encoded=True, lr=0.25, steps=5.0),
        "occupancy": Protocol(encoded=True, lr=0.5, steps=2.0),
    },
}


def protocol(name: str | Protocol, modality: Modality | str | int) -> Protocol:
    """Returns a fit preset for a modality; one that is given as an object is returned as it is. WsrError for an unknown
    name, or if the preset has not been measured for this modality."""
    if isinstance(name, Protocol):
        return name
    if name not in PROTOCOLS:
        raise unknown_name("fit preset", name, PROTOCOLS)
    modality = find(modality)
    found = Protocol() if name == PAPER_LIKE else PROTOCOLS[name].get(modality.name)
    if found is None:
        raise WsrError(
            f"There is no fit preset {name!r} for {modality.plural} yet, because no study has chosen one: use "
            f"{PAPER_LIKE!r}, or set shared_points, pull, average, lr and steps yourself."
        )
    return found


def preset(name: str, modality: Modality | str | int) -> PresetConfig:
    """Returns a preset for a modality: the one stated above, or the modality's own, or that of images with the
    modality's dimension and resolution. modality: also its dimension, as in old files (2: images, 3: shapes). WsrError
    for an unknown preset or modality."""
    if name not in PRESETS:
        raise unknown_name("preset", name, PRESETS)
    modality = find(modality)
    known = _PRESETS.get((name, modality.name)) or modality.preset(name)
    if known is not None:
        return known
    image = _PRESETS[name, "image"]
    sizes = replace(image.field, dim=modality.dim, modality=modality.name)
    return replace(image, resolution=modality.resolutions.final, field=sizes)
