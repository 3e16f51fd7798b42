"""The interface of a layout: how somebody else's files become instances, and their tensors a network of ours."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import nan
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wsr.errors import WsrError, counted
from wsr.fields.networks import NetworkConfig, bias_name, weight_name
from wsr.fields.representation import Representation, make_representation
from wsr.formats.files import shown, there
from wsr.imports.reading import Arrays, read_files
from wsr.limits import MB

TOGETHER, BYTES = 256, 64 * MB  # files, and their bytes, that are read in one call
MOST_OMEGA = 1e6
SHOWN = 6  # tensors that a message names
_DIGITS = re.compile(r"(\d+)")

Shapes = Mapping[str, tuple[int, ...]]


class Mismatch(WsrError):
    """Raised for tensors that are not those of a layout. Its text is a clause that says why."""


HELDOUT_SHARE = 0.1  # of the instances of an import whose source states no splits


@dataclass(frozen=True)
class Options:
    """What the files do not state. omega: ω0 of sines; resolution: pixels of a side of the pictures that were fitted;
    values: of shapes, whether outputs are logits of occupancy or signed distances (negative inside); additive:
    whether adapters add to the base's weights instead of scaling them; skip: whether files that cannot be used are
    left out instead of ending the import; heldout: share that is set aside where the files state no splits."""

    omega: float | None = None
    resolution: int | None = None
    values: Literal["occupancy", "distance"] = "occupancy"
    additive: bool = False
    skip: bool = False
    heldout: float = HELDOUT_SHARE

    def __post_init__(self):
        if self.omega is not None and not 0 < self.omega < MOST_OMEGA:
            raise WsrError(f"omega is the frequency scale of sines and must be positive, not {self.omega!r}.")
        if self.resolution is not None and not 8 <= self.resolution <= 4096:
            raise WsrError(f"The pictures have 8 to 4,096 pixels a side, not {self.resolution!r}.")
        if not 0 <= self.heldout < 1:
            raise WsrError(f"The held-out share must lie in [0, 1), not {self.heldout!r}.")


@dataclass(frozen=True)
class Item:
    """An instance: where it is, its class and split ("" where neither is stated), and the quality that is stated."""

    id: str
    path: Path
    cls: str = ""
    split: str = ""
    quality: float = nan


@dataclass
class Batch:
    """Instances of one architecture. tensors: by name, each (n, …); left_out: a sentence for each instance that cannot
    be read; total: number of all instances in the source."""

    items: list[Item]
    tensors: dict[str, Float[Tensor, "n ..."]]
    left_out: list[str] = field(default_factory=list)
    total: int = 0

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of each tensor of one instance."""
        return {name: tuple(tensor.shape[1:]) for name, tensor in self.tensors.items()}


class Layout(ABC):
    """A layout. `pattern` matches the names of its tensors (from their beginning), by which a file of another layout is
    recognised as one of this."""

    pattern: ClassVar[str]
    endings: ClassVar[tuple[str, ...]] = (".pth", ".pt", ".ckpt")

    def __init__(self, name: str):
        self.name = name

    @abstractmethod
    def batches(self, source: Path, options: Options) -> Iterator[Batch]:
        """Yields the instances of a file or folder. WsrError for files that are not what they should be."""

    @abstractmethod
    def config(self, shapes: Shapes, options: Options) -> NetworkConfig:
        """Returns the network that tensors of these shapes are. Mismatch, with why, if they are none of this
        layout."""

    def held(self, batch: Batch) -> Shapes:
        """Returns names and shapes of what the source holds, for messages."""
        return batch.shapes

    def recognises(self, shapes: Shapes, options: Options) -> bool:
        """Tells whether instances with tensors of these shapes are of this layout."""
        try:
            self.config(shapes, options)
        except WsrError:
            return False
        return True

    def model(self, batch: Batch, options: Options, folder: Path, out: Path) -> Representation:
        """Builds what decodes the instances. folder: for files that they share, which will lie in the zoo's folder
        `out`."""
        config = self.config(batch.shapes, options)
        return make_representation(config.network.kind(), None, config)

    def resolution(self, model: Representation, options: Options) -> int | None:
        """Returns the resolution at which instances are decoded by default; None for the preset's."""
        return options.resolution

    def vectors(self, model: Representation, batch: Batch) -> Float[Tensor, "n p"]:
        """Returns the stored vectors of a batch."""
        found = {}
        for layer, (weight, bias) in enumerate(self.layers(batch.shapes)):
            found |= {weight_name(layer): batch.tensors[weight], bias_name(layer): batch.tensors[bias]}
        return model.layout.flatten(found)

    def layers(self, shapes: Shapes) -> list[tuple[str, str]]:
        """Returns the names of the weight (outputs, inputs) and bias of each layer, by `pattern`, whose first group is
        the layer's number. Mismatch if they do not make a chain."""
        found = {}
        for name in shapes:
            matched = re.fullmatch(self.pattern, name)
            if matched is None:
                raise Mismatch(f"its tensor {name[:80]!r} is none of this format")
            found.setdefault(int(matched[1]), {})[name.rpartition(".")[2]] = name
        layers = [found[number] for number in sorted(found)]
        if not layers or any(set(layer) != {"weight", "bias"} for layer in layers):
            raise Mismatch("a layer of it lacks its weight or its bias")
        named = [(layer["weight"], layer["bias"]) for layer in layers]
        require_chain([shapes[weight] for weight, _ in named], [shapes[bias] for _, bias in named])
        return named


def require_chain(weights: Sequence[tuple[int, ...]], biases: Sequence[tuple[int, ...]]) -> None:
    """Raises a Mismatch if matrices (outputs, inputs) and biases of these shapes do not follow each other."""
    if len(weights) < 2:
        raise Mismatch("it has fewer than two layers")
    for number, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        if 0 in weight:
            raise Mismatch(f"layer {number} has a weight {weight}, which holds no number")
        if len(weight) != 2 or bias != weight[:1]:
            raise Mismatch(f"layer {number} has a weight {weight} and a bias {bias}: no fully connected layer")
        if number and weight[1] != weights[number - 1][0]:
            given = weights[number - 1][0]
            raise Mismatch(f"layer {number} reads {weight[1]} numbers, and the layer before it gives {given}")


class PerInstance(Layout):
    """A layout with a file for each instance."""

    @abstractmethod
    def items(self, source: Path, files: list[Path]) -> list[Item]:
        """Returns the instances in files of the layout's endings, in the order of the zoo."""

    def batches(self, source, options):
        items = self.items(source, files_of(source, self.endings))
        first = None
        for part in _parts(items):
            answers = read_files([item.path for item in part])
            good, held, left_out = [], [], []
            for item, answer in zip(part, answers, strict=True):
                try:
                    state = self._counting(answer, item.path)
                except WsrError as error:
                    if not options.skip:
                        raise
                    left_out.append(str(error))
                    continue
                first = first or (item, state)
                require_same(item.path, state, *first)
                good.append(item)
                held.append(state)
            names = first[1] if held else ()
            tensors = {name: torch.from_numpy(np.stack([one[name] for one in held])) for name in names}
            yield Batch(good, tensors, left_out, len(items))

    def _counting(self, arrays: Arrays | WsrError, path: Path) -> Arrays:
        """Returns the arrays that count. Where they lie within something else, as in "model.seq.0.weight" beside the
        state of an optimizer, all that lies there is taken out of it. WsrError if several places have such names, for
        weights that are whole numbers, and for a file that could not be read."""
        if isinstance(arrays, WsrError):
            raise arrays
        plain = {name: one for name, one in arrays.items() if one.ndim}
        found = self._within(plain, path)
        for name, one in found.items():
            if one.dtype.kind in "iub" and re.fullmatch(self.pattern, name):
                raise WsrError(
                    f"{shown(path)} holds whole numbers in {name[:60]!r} ({one.dtype}), such as quantized weights: "
                    "save them as the floating-point numbers that they stand for."
                )
        return found

    def _within(self, plain: Arrays, path: Path) -> Arrays:
        if any(re.fullmatch(self.pattern, name) for name in plain):
            return plain
        places = {}
        for name in plain:
            cuts = [found.end() for found in re.finditer(r"\.", name)]
            if cut := next((at for at in cuts if re.fullmatch(self.pattern, name[at:])), 0):
                places[name[:cut]] = None
        if len(places) > 1:
            names = " and ".join(repr(place[:60].rstrip(".")) for place in list(places)[:2])
            raise WsrError(f"{shown(path)} holds several networks of this format, in {names}: keep one of them.")
        place = next(iter(places), "")
        return {name[len(place) :]: one for name, one in plain.items() if name.startswith(place)}


def require_same(path: Path, state: Arrays, first: Item, known: Arrays) -> None:
    """WsrError if a file's tensors have other names or shapes than those of the first one."""
    mine, its = ({name: one.shape for name, one in held.items()} for held in (state, known))
    if mine != its:
        raise WsrError(
            f"{shown(path)} is of another architecture ({listed(mine)}) than {shown(first.path)} ({listed(its)}): a "
            "zoo holds one architecture, so import them apart."
        )


def require_finite(tensors: Mapping[str, Tensor], what: str) -> None:
    """WsrError if what all instances share (`what`) is not finite."""
    name = next((name for name, one in tensors.items() if not bool(one.isfinite().all())), None)
    if name is not None:
        raise WsrError(f"{what} holds NaN or infinite numbers in {name[:60]!r}. Nothing was imported.")


def listed(shapes: Shapes) -> str:
    """Lists the first few names and shapes."""
    said = [f"{name[:60]} {tuple(shape)}" for name, shape in list(shapes.items())[:SHOWN]]
    return ", ".join(said) + (f" and {len(shapes) - SHOWN:,} more" if len(shapes) > SHOWN else "")


def files_of(source: Path, endings: Sequence[str]) -> list[Path]:
    """Returns the files with these endings in a folder and the folders in it, in natural order; a file itself. WsrError
    if there is none, with what there is."""
    if there(source):
        return [source]
    if not there(source, Path.is_dir):
        raise WsrError(f"There is neither a file nor a folder {shown(source)}.")
    files = [path for path in source.rglob("*") if _is_file(path) and not path.name.startswith(".")]
    found = sorted((path for path in files if path.suffix.lower() in endings), key=natural)
    if not found:
        others = ", ".join(shown(path.relative_to(source)) for path in sorted(files)[:3])
        here = f": it holds {counted(len(files), 'file')}, such as {others}" if files else ", which is empty"
        raise WsrError(f"There is no file that ends in {' or '.join(endings)} in {shown(source)}{here}.")
    return found


def _is_file(path: Path) -> bool:
    """Tells whether there is a file, or a link to one that has not been fetched, which is an instance as well."""
    return path.is_file() or (path.is_symlink() and not path.exists())


def natural(path: Path) -> list[tuple[bool, int | str]]:
    """The key by which files are sorted so that 10 comes after 9."""
    return [(not part.isdecimal(), int(part) if part.isdecimal() else part) for part in _DIGITS.split(path.as_posix())]


def _parts(items: Sequence[Item]) -> Iterator[list[Item]]:
    """Splits items into parts that are read together."""
    part, size = [], 0
    for item in items:
        part.append(item)
        size += item.path.stat().st_size if there(item.path) else 0
        if len(part) >= TOGETHER or size > BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part
