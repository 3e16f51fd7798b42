"""The learning rate of the generator without the layer encoder (table 5): up to four trials of some 800 steps, judged
by the loss on weights that were set aside. `diffusion_search` has searched those of the six for `shapes10` in three or
four trials, those of adapters of 500 steps.
"""

from dataclasses import replace

from precompute.experiment import Cell, Context
from precompute.experiments.diffusion_search import Budget, searching
from precompute.generators import SEARCHED, flat_search_report
from wsr.generators.diffusion import DiffusionConfig, diffusion_preset

WITHOUT_ENCODER = "mlora-asym"  # the representation of table 5
# The 60 seconds of a trial of the others were as many steps on a CPU that computes with bf16.
TRIALS, SECONDS = 4, 150


def preset_of(cell: Cell, context: Context) -> DiffusionConfig:
    return replace(diffusion_preset(context.preset, cell.representation), encoder=False)


EXPERIMENT = searching(
    lambda cell, context: context.open_zoo(cell),
    lambda cell: Budget(TRIALS, SECONDS),
    preset_of,
    lambda cell: (),
    name="flat_search",
    title="`reports/flat-search-*.json`: the learning rate of the generator without the layer encoder",
    data=(SEARCHED,),
    grid={"representation": (WITHOUT_ENCODER,)},
    needs=("zoos/{zoo}",),
    reports=lambda cell, context: [flat_search_report(cell.data, context)],
    size="1 kB",
    time="10 min",
)
