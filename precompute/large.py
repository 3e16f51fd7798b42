"""The large zoos: weights of every signal of a data set, which generators learn from.

mLoRA-Asym is fitted with the fit preset `structured`, MLPs as HyperDiffusion fits them: all start from the first fit
(section 8.1). A whole zoo takes some 160 MB and stays in the cache; assets/ has a part of it.
"""

from pathlib import Path

from precompute.experiment import Cell, Context
from precompute.fits import INIT_SEED, SIGMA, fill
from precompute.selection import large_zoo_signals, modality_of
from wsr.fields import registry
from wsr.fields.representation import Representation
from wsr.fitting.fit import representation_for
from wsr.fitting.settings import FitSettings
from wsr.paths import cache_dir
from wsr.presets import PAPER_LIKE, STRUCTURED
from wsr.zoo import Zoo
from wsr.zoo.build import fit_settings
from wsr.zoo.meta import ZooSettings, changed_settings

REPRESENTATIONS = ("mlora-asym", "mlp")


def protocol(representation: str) -> str:
    """The fit preset of a large zoo."""
    return STRUCTURED if registry.named(representation).needs_base else PAPER_LIKE


def made_as(cell: Cell, context: Context) -> tuple[Representation, ZooSettings]:
    """The representation of a cell's large zoo, and the settings that it is made with."""
    kind, modality = registry.named(cell.representation), modality_of(cell.data)
    base = context.base(cell.data) if kind.needs_base else None
    model = representation_for(cell.representation, base, modality, preset=context.preset)
    asked = FitSettings(preset=context.preset, protocol=protocol(cell.representation))
    about = {"dataset": cell.data, "shown_as": context.large(cell.data), "preset": context.preset}
    about |= {"sigma": SIGMA, "init_seed": INIT_SEED}
    init = kind.zoo_inits.get(modality.name, "centered")
    return model, ZooSettings(**about, init=init, **fit_settings(model, asked))


def whole(cell: Cell, context: Context) -> Zoo:
    """The large zoo of a cell's data set and representation, opened once in a run. What it lacks is fitted first; a
    killed run loses at most the batches that were being fitted."""
    return context.shared(("large zoo", cell.data, cell.representation), lambda: _whole(cell, context))


def _whole(cell: Cell, context: Context) -> Zoo:
    model, settings = made_as(cell, context)
    name = context.large_zoo(cell.data, cell.representation)
    zoo = Zoo.create(cache_dir() / "zoos" / name, model, **settings)
    if not len(zoo):
        take_over(zoo, context.path(f"zoos/{name}"))
    signals = large_zoo_signals(cell.data)
    if len(zoo) < len(signals):
        context.prepare(cell.data)
        fill(zoo, signals, f"zoo {name}", context)
    return zoo


def take_over(zoo: Zoo, shipped: Path) -> None:
    """Begins an empty large zoo with the part of it that assets/ has, at `shipped`, if that was made with its settings:
    so no fit is made twice, and what is shipped stays a part of the whole. That part has eight bits a number."""
    if not (shipped / "zoo.json").exists():
        return
    held = Zoo.open(shipped)
    if changed_settings({**held.meta, "dtype": zoo.meta["dtype"]}, zoo.meta):
        return
    rows = held.index.to_dict("records")
    for first in range(0, len(rows), zoo.rows_per_file):
        part = rows[first : first + zoo.rows_per_file]
        zoo.append(held.weights([row["id"] for row in part]), part)
