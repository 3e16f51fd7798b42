"""The sub-commands by which weights come in from other programs and go out to them."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from tyro.conf import Positional, arg

from wsr.commands import OK, console
from wsr.errors import WsrError, counted, were
from wsr.exports.registry import described as forms
from wsr.imports.registry import described as layouts
from wsr.imports.registry import named
from wsr.progress import bar

SAID = 5  # instances that were left out and are named one by one


@dataclass
class Import:
    """Turn weights of another program into a zoo. No pickle is executed, and nothing is written unless all is right.

    Example: `wsr import dwsnets mnist-inrs --out zoos/mnist`, then `wsr zoo check zoos/mnist`.
    """

    format: Annotated[Positional[str], arg(help=lambda: f"{layouts()}.")]
    source: Positional[Path]
    """The folder of the files, or one file."""
    out: Path
    """The zoo's folder, which must not exist yet."""
    omega: float | None = None
    """Frequency scale of the sines, where the files do not state it; by default the format's."""
    resolution: int | None = None
    """Pixels of a side of the pictures that were fitted; by default those of the format's data set."""
    values: Literal["occupancy", "distance"] = "occupancy"
    """What networks of shapes give: logits of occupancy, or signed distances."""
    additive: bool = False
    """Adapters add to the base's weights, as LoRA's do, instead of scaling them."""
    heldout: float = 0.1
    """Share of the instances that is set aside, where the files state no splits."""
    dataset: str | None = None
    """The data set that the weights were fitted to, if it is here and has the same ids."""
    skip_faulty: bool = False
    """Leave out instances that cannot be read or are not finite, instead of ending at the first."""

    def run(self) -> int:
        from wsr.imports.base import Options
        from wsr.imports.run import import_zoo

        named(self.format)  # an error for an unknown one, before the bar is shown
        options = Options(
            omega=self.omega, resolution=self.resolution, values=self.values, additive=self.additive,
            skip=self.skip_faulty, heldout=self.heldout,
        )  # fmt: skip
        with bar(f"import {self.format}") as update:
            made = import_zoo(
                self.format, self.source, self.out, options, dataset=self.dataset, progress=update
            )  # fmt: skip
        for said in made.left_out[:SAID]:
            console.print(f"Left out: {said}", markup=False, highlight=False, soft_wrap=True)
        if more := len(made.left_out) - SAID:
            console.print(f"{more:,} more {were(more)} left out." if more > 0 else "", end="\n" if more > 0 else "")
        console.print(f"{counted(len(made.zoo), 'instance')} in {self.out}.", soft_wrap=True)
        return OK


@dataclass
class Export:
    """Write a zoo in a form that other programs open.

    Example: `wsr export shapes10-mlora-asym --to meshes --out chairs --count 10`, or
    `wsr export emoji-mlora-asym --to embedding-atlas --out atlas`.
    """

    zoo: Positional[str]
    """A zoo's folder, or its name in assets/zoos."""
    to: Annotated[str, arg(help=lambda: f"{forms()}.")]
    out: Path
    """The folder to write, which must not exist yet."""
    ids: tuple[str, ...] = ()
    """Ids of the instances; by default all whose fits succeeded."""
    count: int | None = None
    """Only the first so many of them."""
    resolution: int | None = None
    """Pixels of a picture's longer side, or samples along an edge of a shape's grid."""
    method: Literal["umap", "tsne", "pca"] = "umap"
    """How the map of an embedding atlas is made."""

    def run(self) -> int:
        from wsr.exports.base import export_zoo
        from wsr.zoo import Zoo

        if self.count is not None and self.count < 1:
            raise WsrError(f"--count must be 1 or more, not {self.count}.")
        zoo = Zoo.open(self.zoo)
        ids = list(self.ids) or zoo.good()["id"].tolist()
        with bar(f"export {self.to}") as update:
            export_zoo(
                zoo, self.to, self.out, ids[: self.count], size=self.resolution, method=self.method, progress=update
            )
        console.print(f"Wrote {self.out}.", soft_wrap=True)
        readme = self.out / "README.md"
        if readme.is_file():
            console.print(f"{readme} says how it is opened.", soft_wrap=True)
        return OK


@dataclass
class Push:
    """Put a zoo, a base or a generator on the Hugging Face Hub. Log in first, by `hf auth login`.

    Example: `wsr push zoos/photos me/photos`, then `wsr pull hub:me/photos --out zoos/photos` elsewhere.
    """

    path: Positional[str]
    """A zoo's folder, its name in assets/zoos, or the file of a base or of a generator."""
    repo: Positional[str]
    """OWNER/NAME; it is made if it does not exist."""
    public: bool = False
    """Let everybody see it, if it is made now; by default only you can."""

    def run(self) -> int:
        from wsr.publishing import push

        address = push(self.path, self.repo, private=not self.public)
        console.print(f"{self.path} is at {address} now.", soft_wrap=True, highlight=False)
        return OK


@dataclass
class Pull:
    """Fetch a zoo, a base or a generator from the Hugging Face Hub.

    Example: `wsr pull hub:me/photos --out zoos/photos`. A base needs no pull: `wsr fit me.png --base hub:me/base`.
    """

    repo: Positional[str]
    """hub:OWNER/NAME, or hub:OWNER/NAME@REVISION."""
    out: Path
    """The folder to write, which must not exist yet."""

    def run(self) -> int:
        from wsr.publishing import pull

        console.print(f"{self.repo} is in {pull(self.repo, self.out)} now.", soft_wrap=True, highlight=False)
        return OK
