"""The registry of representations: what each is called, may do, and is drawn with. It needs no torch.

What depends on the representation is asked of its kind here, and never read off the letters of its name. Another
representation is a class in a file of this folder (`Representation` tells which methods it needs), and its `register`
below.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING

from wsr.errors import WsrError, unknown_name

if TYPE_CHECKING:
    from wsr.fields.representation import Representation

DEFAULT = "mlora-asym"
"""The representation that is taken, or shown first, where none is named."""
SYMMETRIES: tuple[str, ...] = ("permutation", "sign", "scale", "basis")
"""Permutations of rank components or neurons; their signs; their scales; GL(r), any change of basis of the ranks."""


@dataclass(frozen=True, kw_only=True)
class RepresentationKind:
    """What is known of a representation without a base, sizes or weights."""

    name: str
    """As files, links and the command line have it."""
    label: str
    """As people read it."""
    home: "str | type[Representation]"
    """Its class, or "module:Class", which is imported when it is first asked for."""
    family: str = ""
    """Shared by a masked representation and its unmasked twin; by default the name."""
    twin: str | None = None
    """Name of the same representation without a mask; None where this one has no mask."""
    needs_base: bool = True
    """Whether it adapts a base field; otherwise it is a network of its own."""
    symmetries: tuple[str, ...] = ()
    """Of `SYMMETRIES`: what may be done to its weights while the field stays the same, allowed by a mask or not."""
    mask_keeps: tuple[str, ...] = ()
    """Of a masked one: the symmetries that leave its frozen entries as they are."""
    unresolved: tuple[str, ...] = ()
    """Symmetries that an audit does not see through: no canonical form takes them out."""
    parts: str = ""
    """What a permutation exchanges, in words."""
    two_rates: bool = False
    """Whether it is a pair of A and B, and A moves at a learning rate of its own (`FitConfig.a_rate`)."""
    rates: Mapping[str, float] = field(default_factory=dict)
    """First learning rate of a fit by preset and modality, as in "cpu image"; elsewhere the preset's."""
    zoo_inits: Mapping[str, str] = field(default_factory=dict)
    """Start of its zoos by modality, as in {"image": "first"}; elsewhere "centered"."""
    centred: bool = False
    """Whether its own starts vary around a centre other than zero, so that `init` and `sigma` matter."""
    predict: str | None = None
    """What a diffusion model of its weights predicts, where that is not the preset's (`DiffusionConfig.predict`)."""
    colour: str = ""
    """Key of a colour in the page's palette; grey without one."""

    def __post_init__(self):
        if not self.family:
            object.__setattr__(self, "family", self.name)

    @property
    def masked(self) -> bool:
        return self.twin is not None

    @property
    def unmasked(self) -> "RepresentationKind":
        """The kind of its twin without a mask; itself where it has none."""
        return self if self.twin is None else named(self.twin)

    @property
    def allowed(self) -> tuple[str, ...]:
        """The symmetries that leave both its field and its mask."""
        return self.mask_keeps if self.masked else self.symmetries

    @property
    def dash(self) -> str:
        """The style of its line in a chart: solid with a mask, so that twins can be told apart without colour."""
        return "solid" if self.masked else "dash"

    @property
    def cls(self) -> "type[Representation]":
        """Its class. Imports torch."""
        if not isinstance(self.home, str):
            return self.home
        module, _, name = self.home.partition(":")
        return getattr(import_module(module), name)


_KINDS: dict[str, RepresentationKind] = {}


def register(kind: RepresentationKind) -> RepresentationKind:
    """Adds a representation. WsrError where its name is taken, its twin is not there yet, or it names a symmetry that
    there is not."""
    if kind.name in _KINDS:
        raise WsrError(f"The representation {kind.name!r} is registered already: give the new one another name.")
    if kind.twin is not None:
        named(kind.twin)
    for symmetry in (*kind.symmetries, *kind.mask_keeps, *kind.unresolved):
        if symmetry not in SYMMETRIES:
            raise unknown_name("symmetry", symmetry, SYMMETRIES)
    _KINDS[kind.name] = kind
    return kind


@contextmanager
def registered(kind: RepresentationKind) -> Iterator[RepresentationKind]:
    """Registers a representation for as long as the context lasts."""
    register(kind)
    try:
        yield kind
    finally:
        del _KINDS[kind.name]


def named(name: str) -> RepresentationKind:
    """The kind of this name. WsrError, with the nearest name, where there is none."""
    if name not in _KINDS:
        raise unknown_name("representation", name, _KINDS)
    return _KINDS[name]


def names() -> tuple[str, ...]:
    """Of all representations, in the order in which they were registered."""
    return tuple(_KINDS)


def families() -> tuple[str, ...]:
    """Of all representations, each once."""
    return tuple(dict.fromkeys(kind.family for kind in _KINDS.values()))


# The learning rates were searched over one grid by one rule (precompute/learning_rates.py), together with `a_rate`, for
# which all adapters chose the same.
_MLP = dict(
    family="mlp", home="wsr.fields.mlp:StandaloneMLP", needs_base=False, symmetries=SYMMETRIES[:3],
    # another order of the neurons would take weight matching with every training weight
    unresolved=("permutation",), parts="neurons", rates={"cpu image": 2e-2, "cpu occupancy": 1.5e-2},
    # HyperDiffusion's trick; on the multi-class shapes the paper drops it for a shared random start, and so do we
    zoo_inits={"image": "first"},
    predict="sample",  # the weight itself, as HyperDiffusion does (design: section 2)
)  # fmt: skip
_LORA = dict(
    family="lora", home="wsr.fields.lora:AdditiveLoRA", symmetries=SYMMETRIES, parts="rank components", two_rates=True,
    rates={"cpu image": 1e-2},
)  # fmt: skip
# W ⊙ (B A) depends on B A alone, as W + B A does; but of a change of basis it has no canonical form
_MLORA = dict(
    family="mlora", home="wsr.fields.mlora:MultiplicativeLoRA", symmetries=SYMMETRIES, unresolved=("basis",),
    parts="rank components", two_rates=True, centred=True,
)  # fmt: skip

register(RepresentationKind(name="mlp", label="MLP", colour="sky blue", **_MLP))
# frozen at values that are not zero: any symmetry moves one
register(RepresentationKind(name="mlp-asym", label="MLP-Asym", twin="mlp", colour="blue", **_MLP))
register(RepresentationKind(name="lora", label="LoRA", colour="orange", **_LORA))
register(RepresentationKind(name="lora-asym", label="LoRA-Asym", twin="lora", colour="vermillion", **_LORA))
register(RepresentationKind(name="mlora", label="mLoRA", colour="purple", rates={"cpu occupancy": 1.5e-2}, **_MLORA))
register(
    RepresentationKind(
        name="mlora-asym", label="mLoRA-Asym", twin="mlora", colour="green",
        mask_keeps=("sign", "scale"),  # frozen zeros stay zeros
        **_MLORA,
    )  # fmt: skip
)
