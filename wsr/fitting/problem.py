"""Turns what a user gives into what a fit needs: ids, training targets, and what judges the result."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from wsr import modalities
from wsr.data.signals import Signal, Signals
from wsr.errors import WsrError
from wsr.modalities import Modality
from wsr.modalities.targets import Evaluator, Targets
from wsr.presets import preset as find_preset


@dataclass
class Problem:
    """A batch of instances to fit: their ids, targets and the evaluator that judges them."""

    ids: list[str]
    targets: Targets
    evaluator: Evaluator

    @property
    def modality(self) -> Modality:
        return self.targets.modality

    @property
    def dim(self) -> int:
        return self.modality.dim


def make_problem(
    signals,
    resolution: int | None,
    seed: int = 0,
    device: torch.device | str = "cpu",
    evaluation_points: int = 100_000,
    shared_points: bool = False,
) -> Problem:
    """Makes the problem of a batch from anything `wsr.fit` accepts: Signals, a Signal, an image array (n, h, w, 3) in
    [0, 1], PIL images, meshes, or paths, one or a list. Pictures and files larger than `resolution` are reduced to it;
    arrays keep their size. evaluation_points: fresh points on which shapes are judged. shared_points: whether a step
    draws its points at the same places for all instances (`FitConfig.shared_points`)."""
    items = as_signals(signals, resolution)
    modality = items.modality
    samples = modality.shared_samples(items) if shared_points else modality.samples(items)
    targets = modality.targets(samples, device, seed)
    return Problem(items.ids, targets, modality.evaluator(items, samples, evaluation_points))


def as_signals(given, resolution: int | None = None, *, preset: str | None = None) -> Signals:
    """Converts any accepted input to Signals. WsrError for any other input, for an empty list, and for a mix of
    modalities.

    resolution: pixels of the longer side to which pictures and files are reduced; with `preset`, it is that preset's
    for the modality of each item.
    """
    if isinstance(given, Signals):
        items = list(given)
    elif isinstance(given, (np.ndarray, Tensor)):
        items = _from_array(_array(given))
    elif isinstance(given, Sequence) and not isinstance(given, (str, bytes)):
        items = _distinct([_one(item, i, resolution, preset) for i, item in enumerate(given)])
    else:
        items = [_one(given, 0, resolution, preset)]
    if not items:
        raise WsrError("There is nothing to fit: give at least one image or shape.")
    found = list(dict.fromkeys(signal.modality for signal in items))
    if len(found) > 1:
        one, other = (modality.plural for modality in found[:2])
        raise WsrError(
            f"{one.capitalize()} and {other} cannot be fitted in one batch: they have different bases. "
            "Fit them in turn."
        )
    name = given.name if isinstance(given, Signals) else "given"
    return Signals(name, found[0].dim, items)


def _distinct(items: list[Signal]) -> list[Signal]:
    """Makes all ids distinct by numbering items of the same name, such as files in different folders."""
    seen: set[str] = set()
    for i, item in enumerate(items):
        name, number = item.id, 2
        while name in seen:
            name, number = f"{item.id}-{number}", number + 1
        seen.add(name)
        items[i] = item if name == item.id else replace(item, id=name)
    return items


def _array(given):
    """A tensor as an array, wherever it is and whether or not gradients flow through it; others as they are."""
    if not isinstance(given, Tensor):
        return given
    given = given.detach().cpu()
    return (given.float() if given.is_floating_point() else given).numpy()


def _from_array(array: np.ndarray) -> list[Signal]:
    for modality in modalities.everything():
        things = modality.unbatched(array)
        if things is not None:
            return [modality.signal(_unnamed(modality, i), modality.read(thing)) for i, thing in enumerate(things)]
    raise modalities.IMAGE.refuse(array)


def _one(item, position: int, resolution: int | None, preset: str | None) -> Signal:
    if isinstance(item, Signal):
        return item
    item = _array(item)
    named = isinstance(item, (str, Path))
    modality = modalities.of_given(item)
    if modality is None and (named or isinstance(item, np.ndarray)):
        modality = modalities.IMAGE  # its error message says what is wrong with it
    if modality is None:
        raise WsrError(
            f"A {type(item).__name__} cannot be fitted: give image arrays (n, h, w, 3) in [0, 1], PIL images, "
            "trimesh meshes, paths, or what wsr.load_signals returns."
        )
    longest = resolution if preset is None else find_preset(preset, modality).resolution
    name = Path(item).stem if named else _unnamed(modality, position)
    return modality.signal(name, modality.read(item, longest))


def _unnamed(modality: Modality, position: int) -> str:
    return f"{modality.given or modality.noun}-{position}"
