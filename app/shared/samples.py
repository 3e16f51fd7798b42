"""Targets of the Fit tab: samples that are on this machine, and files that visitors bring."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from app.shared import library
from app.shell import snippets
from wsr.caching import cached_by_file
from wsr.data.registry import DataSet, everything, named, slug
from wsr.data.signals import Signal, Signals, same
from wsr.errors import WsrError, unknown_name
from wsr.fields import registry
from wsr.formats.files import there
from wsr.modalities import IMAGE, OCCUPANCY, Modality, of_file, of_given
from wsr.modalities import everything as modalities
from wsr.picture_formats import NAMES as PICTURES
from wsr.presets import preset

if TYPE_CHECKING:
    from wsr.modalities.targets import Evaluator

THUMB = 128
VIEW = 320  # pixels of a drawn shape
# Photographs that come inside scikit-image.
PHOTOGRAPHS = {"astronaut": "astronaut.png", "cat": "chelsea.png", "coffee": "coffee.png", "rocket": "rocket.jpg"}
MOST = 12  # samples in the strip
MOST_STEPS = 3000  # of a fit on the page


@dataclass
class Sample:
    """A sample to choose: its id, its name, and its modality."""

    id: str
    label: str
    modality: Modality


@dataclass
class Target:
    """A chosen target: its signal with its content, its name, a picture of it, and the usual number of steps. aspect:
    height and width at which fits of it are decoded; evaluator: judges fits of a shape, once it has been measured;
    trouble: the sentence that says why it cannot be fitted; seconds: time that reading it took."""

    signal: Signal
    label: str
    view: UInt8[np.ndarray, "h w 3"]
    steps: int
    aspect: tuple[int, int] = (1, 1)
    evaluator: "Evaluator | None" = None
    trouble: str = ""
    seconds: float = 0.0
    quick: int = 0  # steps after which a fit in the default representation looks right; 0 if not known
    base: str | None = None  # on which it is fitted, if not on the modality's own
    note: str = ""  # sentences about what was repaired in a visitor's shape, and what may lead to a poor fit

    @property
    def dim(self) -> int:
        return self.signal.dim

    @property
    def modality(self) -> Modality:
        return self.signal.modality


def samples() -> list[Sample]:
    """Lists photographs, what data sets on this machine offer, and the examples of modalities. No base was trained on
    any of them."""
    photos = [Sample(f"photo:{name}", name, IMAGE) for name in PHOTOGRAPHS]
    groups = [[sample for sample, _ in _offered(dataset.name).values()] for dataset in everything()]
    others = [Sample(key, signal.id, signal.modality) for key, signal in _examples().items()]
    mixed = [item for group in _rounds(*groups, others, photos) for item in group]
    return mixed[:MOST]


def _examples() -> dict[str, Signal]:
    """The examples that modalities bring along, by the sample's id."""
    return {f"{modality.name}:{signal.id}": signal for modality in modalities() for signal in modality.examples()}


def _rounds(*groups: list[Sample]) -> Iterator[list[Sample]]:
    """Mixes the groups, so that the first row of the strip shows some of each."""
    for start in range(0, MOST, 2):
        yield [item for group in groups for item in group[start : start + 2]]


def _fetched(*_: str) -> list[Path]:
    """The files that exist once data sets have been fetched, and the bases; photographs and what is generated never
    change."""
    return [*(path for dataset in everything() for path in dataset.fetched()), *map(Path, library.bases())]


@cached_by_file(_fetched, maxsize=16)
def _offered(name: str) -> dict[str, tuple[Sample, Signal]]:
    """The samples that a data set offers, with their signals, by the sample's id; none if it has not been fetched."""
    dataset, found = named(name), {}
    if not (dataset.samples and dataset.is_here):
        return {}
    signals = dataset.loaded()
    there = set(signals.ids)
    for signal in signals.select(item for item in dataset.samples if item in there):
        words = dataset.label_of(signal.id)
        key = f"{dataset.in_links or name}:{signal.id}"
        label = words if words != signal.id else dataset.called.format(signal.cls or words)
        found[key] = Sample(key, label, signal.modality), signal
    return found


@cached_by_file(_fetched, maxsize=32)
def target(sample: str) -> Target:
    """The target of a sample's id, which may come from the page. WsrError for an unknown one."""
    known = {item.id: item for item in samples()}
    if sample not in known:
        raise unknown_name("sample", sample, known)
    kind, _, name = sample.partition(":")
    if kind == "photo":
        return _read(_photograph(name), known[sample].label)
    for dataset in everything():
        if sample in (offered := _offered(dataset.name)):
            found = _seen(dataset.name, offered[sample][1], known[sample].label)
            return replace(found, quick=_quick(found, dataset, name))
    return _seen(known[sample].modality.default_base, _examples()[sample], known[sample].label)


def _quick(found: Target, dataset: DataSet, name: str) -> int:
    """The few steps of a quick sample, which are enough on the data set's own base alone; where that is not the base of
    all its kind, from an encoder's start."""
    from wsr.fitting.encoder_files import encoder_path

    own = (found.base or found.modality.default_base) == dataset.name
    if not own or (found.base and not there(encoder_path(found.base, registry.DEFAULT))):
        return 0
    return min(dataset.quick.get(name, 0), found.steps)


def uploaded(path: str) -> Target:
    """Reads a visitor's file as a target. WsrError for a file that is too big, damaged, or of another kind."""
    file = checked_file(path)
    return _read(file, file.stem[:60])


def checked_file(path: str) -> Path:
    """Checks the ending of a visitor's file and returns its path. WsrError for a kind that is not read."""
    file = Path(path)
    if of_given(file) is None:
        kinds = " nor ".join(f"{what} ({endings})" for what, endings in readable().items())
        raise WsrError(f"{file.name!r} is neither {kinds} by its ending.")
    return file


def readable() -> dict[str, str]:
    """Returns the kinds of visitors' files that can be read, with the formats of each, in words."""
    found = {"a picture": PICTURES, "a 3D shape": "OBJ, PLY, STL, GLB, OFF"}
    others = [one for one in modalities() if one not in (IMAGE, OCCUPANCY) and one.files]
    return found | {f"a {one.noun}": ", ".join(end.lstrip(".").upper() for end in one.files) for one in others}


def _read(path: Path, label: str) -> Target:
    from wsr.fitting.problem import as_signals

    modality = of_given(path)
    return _seen("yours", as_signals([path], preset(library.live_preset(modality), modality).resolution)[0], label)


def _photograph(name: str) -> Path:
    return Path(find_spec("skimage").origin).parent / "data" / PHOTOGRAPHS[name]


def _seen(dataset: str, signal: Signal, label: str) -> Target:
    from wsr.fields.checkpoint import load_base
    from wsr.fitting.fit import default_steps

    content, modality = signal.read(), signal.modality
    config = preset(library.live_preset(modality), modality).fit
    base, alone = own_base(dataset), Signals(dataset, signal.dim, [signal], modality)
    steps = min(default_steps(alone, config, load_base(base) if base else None), MOST_STEPS)
    note = " ".join(modality.warnings(content)) if dataset == "yours" else ""
    kept = replace(signal, reader=partial(same, content))  # a fit need not read it again
    view, aspect = modality.picture(content, VIEW), modality.aspect(content)
    return Target(kept, label, view, steps, aspect, base=base, note=note)


def own_base(dataset: str) -> str | None:
    """The base on which the zoo of a data set was fitted, if it is another than the modality's own and is here."""
    zoo = library.zoo_dir(f"{slug(dataset)}-{registry.DEFAULT}")
    if not (zoo / "zoo.json").is_file():
        return None
    meta = library.meta_of(zoo)
    base, modality = Path(str(meta["base"])).stem, of_file(str(meta.get("modality", "")), int(meta["dim"]))
    here = any(Path(path).stem == base for path in library.bases())
    return base if here and base != modality.default_base else None


def strip() -> list[dict[str, str]]:
    """The samples as items of the page's strip of pictures, with the number of steps of their fits. Those with the
    fewest come first: a step costs about the same for pictures and shapes (24 and 22 ms on two cores)."""
    steps = {item.id: usual_steps(target(item.id)) for item in samples()}
    ordered = sorted(samples(), key=lambda item: steps[item.id])
    return [
        {"id": item.id, "label": item.label, "note": f"{steps[item.id]:,} steps", "src": _thumb(item.id)}
        for item in ordered
    ]


def usual_steps(found: Target) -> int:
    """Returns the usual number of steps of a sample's fit without looking at its content: the sample's own if it is a
    quick one, that of an encoder if there is one and the sample is of the kind that it has learnt, otherwise the
    target's."""
    from wsr.fitting.encoder_files import encoder_path

    if found.quick:
        return found.quick
    modality = found.modality
    learnt = found.steps == preset(library.live_preset(modality), modality).fit.steps
    encoded = learnt and there(encoder_path(found.base or modality.default_base, registry.DEFAULT))
    return min(found.steps, modality.encoded_steps) if encoded else found.steps


@cached_by_file(_fetched, maxsize=32)
def _thumb(sample: str) -> str:
    small = Image.fromarray(target(sample).view)
    small.thumbnail((THUMB, THUMB))
    return snippets.data_uri(np.asarray(small), exact=False)


def first() -> tuple[str, str]:
    """Returns id and picture of the sample that is chosen at first, a photograph. Does not import the engine."""
    with Image.open(_photograph("cat")) as image:
        image.thumbnail((VIEW, VIEW))
        return "photo:cat", snippets.picture(np.asarray(image.convert("RGB")), "cat")
