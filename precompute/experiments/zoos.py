"""The zoos: the same signals fitted by each representation. A killed run loses at most the batches in hand.

The zoos of a part of a data set (of people, what generators of faces learn from) are made in the cache and compressed
into assets/, as are three of the twelve others.
"""

import shutil

from precompute.experiment import Cell, Context, Experiment
from precompute.fits import INIT_SEED, SIGMA, base_needed, fitted
from precompute.selection import zoo_signals
from wsr.fields import registry
from wsr.fitting.fit import representation_for
from wsr.paths import cache_dir
from wsr.progress import bar
from wsr.zoo import Zoo, build_zoo, compress_zoo

COMPACT = ("emoji-lora", "emoji-lora-asym", "emoji-mlp-asym")  # so that assets/ stays below 450 MB


def run(cell: Cell, context: Context) -> None:
    name = context.zoo(cell.data, cell.representation)
    final, compact = context.path(f"zoos/{name}"), "/" in cell.data.partition(":")[0] or name in COMPACT
    if compact and final.exists():
        return  # the run before was killed just after: only a whole one is renamed there
    signals, preset = zoo_signals(cell.data), context.settings(cell.data)
    kind = registry.named(cell.representation)
    base = context.base(cell.data) if kind.needs_base else None
    model = representation_for(cell.representation, base, signals.modality, preset=context.preset)
    zoo = Zoo.create(
        cache_dir() / "training" / name if compact else final,
        model,
        dataset=cell.data,
        preset=context.preset,
        init=kind.zoo_inits.get(signals.modality.name, "centered"),
        sigma=SIGMA,
        init_seed=INIT_SEED,
        steps=preset.fit.steps,
    )
    with bar(str(cell)) as update:
        for record in build_zoo(zoo, signals, device=context.device):
            update(record.done, record.total, f"quality {record.quality:.3f}")
    if zoo.path != final:
        with bar(f"compress {name}") as update:
            compress_zoo(zoo, final, update)
        shutil.rmtree(zoo.path)


EXPERIMENT = Experiment(
    name="zoos",
    title="`zoos/<data set>-<representation>/`: 1,000 fits each, the same instances, 300 steps (emoji) or 700 (shapes) "
    "× 512 points; `zoos/emoji-people-*/`: 1,000 emoji of people, what generators of faces learn from",
    data=("emoji", "shapes10", "emoji/people"),
    grid={"representation": registry.names},
    signals=zoo_signals,
    settings=fitted,
    needs=base_needed,
    makes=("zoos/{zoo}",),
    run=run,
    place=2,
    size="12 × 15.8 MB, 6 × 8 MB",
    time="3 min (MLPs) to 13 min each, shapes 6 to 27 min",
)
