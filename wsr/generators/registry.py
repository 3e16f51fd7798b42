"""The registry of generators: each has a line here, or calls `register` from anywhere.

Importing this module does not load torch, because the page and the command line list generators before they use one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from wsr.registry import Registry, imported


@dataclass(frozen=True)
class GeneratorKind:
    """A kind of generator.

    title: its name in tables and charts; home: its class (a `wsr.generators.base.Generator`), or "module:Class", which
    is imported on first use; config_schema: a pydantic model that the settings in a file must pass, stated like `home`,
    or None if the generator checks them itself; learns_from: "fits", or "trajectories" for snapshots of fits; role:
    "own" is ours, "peer" another paper's, "baseline" one that copies or adds noise; suffix: what the names of its
    models and samples append to the zoo's name, by default -<name>; audited: whether audits compare its samples with
    others'; in_steps: whether a sample is made in steps, of which there may be more or fewer.
    """

    name: str
    title: str
    home: str | type
    config_schema: str | type | None = None
    learns_from: str = "fits"
    role: str = "peer"
    suffix: str | None = None
    audited: bool = True
    in_steps: bool = True

    @property
    def generator(self) -> type:
        """Its class. Loads torch."""
        return imported(self.home)

    @property
    def schema(self) -> type | None:
        """The pydantic model that its settings in a file must pass, or None."""
        return imported(self.config_schema)

    def stem(self, zoo: str) -> str:
        """Returns the name of its model of a zoo in assets/diffusion, and of its samples in assets/samples."""
        return zoo + (f"-{self.name}" if self.suffix is None else self.suffix)


_KINDS = Registry[GeneratorKind]("generator")


def register(kind: GeneratorKind) -> GeneratorKind:
    """Registers a kind for the command line, the page, audits and tables. WsrError if its name is taken."""
    return _KINDS.register(kind)


def named(name: str) -> GeneratorKind:
    """Returns the kind of this name. WsrError, with the nearest name, if there is none."""
    return _KINDS.named(name)


def names() -> tuple[str, ...]:
    """Returns all names in order of registration."""
    return _KINDS.names()


def kinds(role: str | None = None) -> list[GeneratorKind]:
    """Returns all kinds, or those of a role, in order of registration."""
    return [kind for kind in _KINDS.everything() if role in (None, kind.role)]


@contextmanager
def registered(*added: GeneratorKind) -> Iterator[None]:
    """Registers kinds for the duration of the context."""
    with _KINDS.restored():
        for kind in added:
            register(kind)
        yield


_BASELINE = {"role": "baseline", "audited": False, "in_steps": False}
_DIFFUSION = "wsr.formats.generators:DiffusionConfigSchema"

register(GeneratorKind(
    "diffusion", "diffusion", "wsr.generators.diffusion.jobs:Diffusion", _DIFFUSION, role="own", suffix="",
))  # fmt: skip
register(GeneratorKind(
    "hyperdiffusion", "HyperDiffusion", "wsr.generators.hyperdiffusion:HyperDiffusion", _DIFFUSION, suffix="-flat",
    audited=False,
))  # fmt: skip
register(GeneratorKind("gpt", "G.pt", "wsr.generators.g_pt:CheckpointGenerator", learns_from="trajectories"))
register(GeneratorKind(
    "hyper-representations", "Hyper-Representations", "wsr.generators.hyper_representations:HyperRepresentations",
    in_steps=False,
))  # fmt: skip
register(GeneratorKind("p-diff", "p-diff", "wsr.generators.p_diff:PDiff"))
register(GeneratorKind("noise", "noise", "wsr.generators.baselines:Noise", **_BASELINE))
register(GeneratorKind("average", "average", "wsr.generators.baselines:Average", **_BASELINE))
register(GeneratorKind("gaussian", "Gaussian", "wsr.generators.baselines:Gaussian", **_BASELINE))
