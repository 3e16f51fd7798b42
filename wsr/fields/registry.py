"""The registry of representations: the name, properties and display settings of each. Importing it does not load torch.

All other code asks a representation's kind for what depends on it, and never inspects its name. To add a
representation, write a class in a file of this folder (`Representation` lists the methods it needs) and `register` it
below.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wsr.errors import unknown_name
from wsr.registry import Registry, imported

if TYPE_CHECKING:
    from wsr.fields.representation import Representation

DEFAULT = "mlora-asym"
"""The representation that is used, or shown first, if none is named."""
SYMMETRIES: tuple[str, ...] = ("permutation", "sign", "scale", "basis")
"""Permutation of the rank components or neurons; change of their signs; change of their scales; GL(r), any change of
basis of the rank components."""


@dataclass(frozen=True, kw_only=True)
class RepresentationKind:
    """What is known about a representation without a base, sizes or weights."""

    name: str
    """As used in files, links and on the command line."""
    label: str
    """As shown to people."""
    home: "str | type[Representation]"
    """Its class, or "module:Class", which is imported on first use."""
    family: str = ""
    """A name shared by a masked representation and its unmasked twin; by default `name`."""
    twin: str | None = None
    """The name of the same representation without a mask; None if this one has no mask."""
    needs_base: bool = True
    """Whether it adapts a base field; otherwise it is a standalone network."""
    fitted: bool = True
    """Whether instances are fitted here. Otherwise its weights come from other programs (`wsr import`), and lists of
    representations to choose from leave it out."""
    symmetries: tuple[str, ...] = ()
    """Those of `SYMMETRIES` that change the weights but not the field, whether a mask allows them or not."""
    mask_keeps: tuple[str, ...] = ()
    """For a masked representation, the symmetries that do not change its frozen entries."""
    unresolved: tuple[str, ...] = ()
    """Symmetries that no canonical form removes, so that an audit can miss copies that they transform."""
    parts: str = ""
    """What a permutation exchanges, in words."""
    two_rates: bool = False
    """Whether it consists of pairs A and B, where A has a learning rate of its own (`FitConfig.a_rate`)."""
    rates: Mapping[str, float] = field(default_factory=dict)
    """Learning rate of a fit's first step, by preset and modality, as in {"cpu image": 0.02}. Where none is stated, the
    preset's is used."""
    zoo_inits: Mapping[str, str] = field(default_factory=dict)
    """How the fits of a zoo start, by modality, as in {"image": "first"}; "centered" where none is stated."""
    centred: bool = False
    """Whether its starts lie around a centre other than zero, so that `init` and `sigma` have an effect."""
    predict: str | None = None
    """What a diffusion model of its weights predicts (`DiffusionConfig.predict`); None for the preset's choice."""
    colour: str = ""
    """Key of its colour in the page's palette; grey if empty."""

    def __post_init__(self):
        if not self.family:
            object.__setattr__(self, "family", self.name)

    @property
    def masked(self) -> bool:
        """Whether it has a mask."""
        return self.twin is not None

    @property
    def unmasked(self) -> "RepresentationKind":
        """The kind of its twin without a mask; itself if it has no mask."""
        return self if self.twin is None else named(self.twin)

    @property
    def allowed(self) -> tuple[str, ...]:
        """The symmetries that change neither its field nor its frozen entries."""
        return self.mask_keeps if self.masked else self.symmetries

    @property
    def dash(self) -> str:
        """The style of its line in a chart. Masked representations are solid and unmasked ones dashed, so that twins
        can be told apart without colour."""
        return "solid" if self.masked else "dash"

    @property
    def cls(self) -> "type[Representation]":
        """Its class. Loads torch."""
        return imported(self.home)


_KINDS = Registry[RepresentationKind]("representation")


def register(kind: RepresentationKind) -> RepresentationKind:
    """Adds a representation. WsrError if its name is taken, if its twin is not registered, or if it names an unknown
    symmetry."""
    if kind.twin is not None:
        named(kind.twin)
    for symmetry in (*kind.symmetries, *kind.mask_keeps, *kind.unresolved):
        if symmetry not in SYMMETRIES:
            raise unknown_name("symmetry", symmetry, SYMMETRIES)
    return _KINDS.register(kind)


@contextmanager
def registered(kind: RepresentationKind) -> Iterator[RepresentationKind]:
    """Registers a representation for the duration of the context."""
    with _KINDS.restored():
        yield register(kind)


def named(name: str) -> RepresentationKind:
    """Returns the kind of this name. WsrError, with the nearest name, if there is none."""
    return _KINDS.named(name)


def names() -> tuple[str, ...]:
    """Returns the names of all representations that are fitted here, in order of registration."""
    return tuple(kind.name for kind in _KINDS.everything() if kind.fitted)


def readable() -> tuple[str, ...]:
    """Returns the names of all representations that files may hold: also of those that are never fitted here."""
    return _KINDS.names()


def families() -> tuple[str, ...]:
    """Returns the names of all families."""
    return tuple(dict.fromkeys(kind.family for kind in _KINDS.everything() if kind.fitted))


# One search by one rule over one grid chose the learning rates of all representations together with `a_rate`
# (`python -m precompute run learning_rates`). The best `a_rate` was the same for all adapters.
_MLP = dict(
    family="mlp", home="wsr.fields.mlp:StandaloneMLP", needs_base=False, symmetries=SYMMETRIES[:3],
    # to undo a permutation of the neurons, an audit would need weight matching against every training instance
    unresolved=("permutation",), parts="neurons", rates={"cpu image": 2e-2, "cpu occupancy": 1.5e-2},
    # HyperDiffusion starts all fits from the first one; like the paper (section 8.1), we do not for multi-class shapes
    zoo_inits={"image": "first"},
    predict="sample",  # the clean weights instead of the noise, as in HyperDiffusion
)  # fmt: skip
_LORA = dict(
    family="lora", home="wsr.fields.lora:AdditiveLoRA", symmetries=SYMMETRIES, parts="rank components", two_rates=True,
    rates={"cpu image": 1e-2},
)  # fmt: skip
# Like W + B A, W ⊙ (B A) depends on the product B A only, but no canonical form removes its changes of basis
_MLORA = dict(
    family="mlora", home="wsr.fields.mlora:MultiplicativeLoRA", symmetries=SYMMETRIES, unresolved=("basis",),
    parts="rank components", two_rates=True, centred=True,
)  # fmt: skip

register(RepresentationKind(name="mlp", label="MLP", colour="sky blue", **_MLP))
# no mask_keeps: its frozen entries are not zero, and every symmetry would change some of them
register(RepresentationKind(name="mlp-asym", label="MLP-Asym", twin="mlp", colour="blue", **_MLP))
register(RepresentationKind(name="lora", label="LoRA", colour="orange", **_LORA))
register(RepresentationKind(name="lora-asym", label="LoRA-Asym", twin="lora", colour="vermillion", **_LORA))
register(RepresentationKind(name="mlora", label="mLoRA", colour="purple", rates={"cpu occupancy": 1.5e-2}, **_MLORA))
register(
    RepresentationKind(
        name="mlora-asym", label="mLoRA-Asym", twin="mlora", colour="green",
        mask_keeps=("sign", "scale"),  # frozen zeros remain zero
        **_MLORA,
    )  # fmt: skip
)

# Of other people's zoos (`wsr.imports`); `Network.kind` says which one an architecture belongs to.
_IMPORTED = dict(
    home="wsr.fields.networks:ImportedNetwork", needs_base=False, fitted=False, unresolved=("permutation",),
    parts="neurons", predict="sample",
)  # fmt: skip
register(RepresentationKind(name="siren", label="SIREN", symmetries=("permutation", "sign"), **_IMPORTED))
register(RepresentationKind(name="relu-mlp", label="ReLU MLP", symmetries=("permutation", "scale"), **_IMPORTED))
register(
    RepresentationKind(
        name="functa", label="Functa", home="wsr.fields.modulated:ModulatedNetwork", needs_base=False, fitted=False,
        parts="modulations",
    )  # fmt: skip
)
register(RepresentationKind(name="fourier-mlp", label="Fourier MLP", symmetries=SYMMETRIES[:3], **_IMPORTED))
