"""The encoders of starts, one for each base, trained through it on its own training set. After a kill, training goes on
from its last checkpoint.

The signals are not declared, so that they are read once, by the training. The base has learnt from the same ones and is
stale if they change, and an encoder's file states the hash of its data, which `train_encoder` compares.
"""

import math

from precompute.experiment import Cell, Context, Experiment
from precompute.selection import bases_of, modality_of
from wsr.fields import registry
from wsr.fitting.encoders import encoder_config, train_encoder
from wsr.progress import bar


def run(cell: Cell, context: Context) -> None:
    context.prepare(cell.data)
    base = context.path(f"bases/{context.base(cell.data)}.safetensors")
    out = context.path(f"encoders/{context.base(cell.data)}-{cell.representation}.safetensors")
    with bar(str(cell)) as update:
        for record in train_encoder(base, cell.representation, out, device=context.device):
            update(record.step, record.steps, "there already" if math.isnan(record.loss) else f"loss {record.loss:.4f}")


def settings(cell: Cell, context: Context) -> dict:
    return {"config": encoder_config(cell.representation, modality_of(cell.data), context.preset)}


def cells(context: Context) -> list[dict]:
    """One encoder for each base, of the representation that generators and live fits use."""
    return [{"data": one, "representation": registry.DEFAULT} for one in bases_of(context.data(EXPERIMENT))]


EXPERIMENT = Experiment(
    name="encoders",
    title="`encoders/<base>-mlora-asym.safetensors`: one look at an instance says where its fit starts",
    data=("emoji", "shapes10", "faces"),
    grid=cells,
    settings=settings,
    needs=("bases/{base}.safetensors",),
    makes=("encoders/{base}-{representation}.safetensors",),
    run=run,
    place=4,
    size="7 and 9 MB",
    time="1 min on an H100 (shapes)",
)
