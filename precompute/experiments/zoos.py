"""The zoos: the same signals, fitted with each representation. A killed run loses at most the batches that were being
fitted.

The zoos of a part of a data set (emoji of people) and three of the emoji's are made in the cache and compressed into
assets/. Of the zoos of faces, which stay in the cache, half are.
"""

import shutil

from precompute.experiment import Cell, Context, Experiment
from precompute.fits import INIT_SEED, SIGMA, base_needed, fill, fitted
from precompute.selection import modality_of, shipped_signals, zoo_signals, zoo_size
from wsr.fields import registry
from wsr.fields.representation import Representation
from wsr.fitting.fit import representation_for
from wsr.paths import cache_dir
from wsr.progress import bar
from wsr.zoo import Zoo, compress_zoo
from wsr.zoo.meta import ZooSettings, changed_settings, zoo_meta

COMPACT = ("emoji-lora", "emoji-lora-asym", "emoji-mlp-asym")  # so that assets/ stays below 450 MB


def run(cell: Cell, context: Context) -> None:
    name, shipped = context.zoo(cell.data, cell.representation), shipped_signals(cell.data)
    final, temporary = context.path(f"zoos/{name}"), "/" in cell.data.partition(":")[0] or name in COMPACT
    if (shipped or temporary) and final.exists():
        return  # an earlier run was killed just after compressing, which writes a whole zoo or none
    model, settings = made_as(cell, context)
    path = cache_dir() / ("zoos" if shipped else "training") / name if shipped or temporary else final
    zoo = Zoo.create(path, model, **settings)
    fill(zoo, zoo_signals(cell.data), str(cell), context)
    if zoo.path != final:
        with bar(f"compress {name}") as update:
            compress_zoo(zoo, final, update, ids=shipped.ids if shipped else None)
        if temporary:
            shutil.rmtree(zoo.path)


def made_as(cell: Cell, context: Context) -> tuple[Representation, ZooSettings]:
    """The representation of a zoo, and the settings that it is made with."""
    kind, modality, preset = registry.named(cell.representation), modality_of(cell.data), context.settings(cell.data)
    base = context.base(cell.data) if kind.needs_base else None
    model = representation_for(cell.representation, base, modality, preset=context.preset)
    init = kind.zoo_inits.get(modality.name, "centered")
    about = {"dataset": cell.data, "shown_as": context.named(cell.data), "preset": context.preset}
    return model, {**about, "steps": preset.fit.steps, "init": init, "sigma": SIGMA, "init_seed": INIT_SEED}


def changed(cell: Cell, context: Context) -> list[str]:
    """The differences, in words, between the settings and the base that a zoo states and those of now."""
    begun = context.open_zoo(cell).meta
    model, settings = made_as(cell, context)
    return changed_settings(begun, zoo_meta(model, **settings) | {"dtype": begun["dtype"]})


EXPERIMENT = Experiment(
    name="zoos",
    title="`zoos/<data set>-<representation>/`: 1,000 fits each, the same instances, 300 steps (emoji) or 700 (shapes) "
    "× 512 points; `zoos/faces-*/`: 1,000 of 2,000 faces",
    data=("emoji", "shapes10", "faces", "emoji/people"),  # the last for `clusters`, and not shipped
    grid={"representation": registry.names},
    signals=zoo_signals,
    settings=fitted,
    needs=base_needed,
    makes=("zoos/{zoo}",),
    run=run,
    changed=changed,
    place=2,
    size="12 × 15.8 MB, 6 × 8 MB",
    work=lambda cell, context: {"fits": zoo_size(cell.data)},
    time="3 min (MLPs) to 13 min each, shapes 6 to 27 min",
)
