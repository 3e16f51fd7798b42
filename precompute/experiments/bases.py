"""The bases, one for each data set, trained on its training split. After a kill, training goes on from its last
checkpoint."""

import math

from precompute.experiment import Cell, Context, Experiment
from precompute.selection import bases_of, training_signals
from wsr.data import load_signals
from wsr.fitting.bases import train_base
from wsr.progress import bar


def run(cell: Cell, context: Context) -> None:
    out = context.path(f"bases/{context.base(cell.data)}.safetensors")
    records = train_base(load_signals(cell.data), out, preset=context.preset, device=context.device)
    with bar(str(cell)) as update:
        for record in records:
            update(record.step, record.steps, "there already" if math.isnan(record.loss) else f"loss {record.loss:.4f}")


def settings(cell: Cell, context: Context) -> dict:
    found = context.settings(cell.data)
    return {"field": found.field, "schedule": found.base}


EXPERIMENT = Experiment(
    name="bases",
    title="`bases/*.safetensors`: variational autodecoders, 7,000 steps on the 2,936 emoji that are not held out and "
    "15,000 on 4,500 shapes (generated in 26 s, occupancy sampled in 1 min 43 s before it)",
    data=("emoji", "shapes10", "faces"),
    grid=lambda context: [{"data": one} for one in bases_of(context.data(EXPERIMENT))],
    signals=training_signals,
    settings=settings,
    makes=("bases/{base}.safetensors",),
    run=run,
    place=1,
    size="2.1, 2.5 MB",
    work=lambda cell, context: {"base steps": sum(one.steps for one in context.settings(cell.data).base.stages)},
    time="50 min ᵇ (emoji) to 58 min ᵃ each",
)
