"""The networks of the generators that learn from the large zoos, searched as `diffusion_search` does: with as many
trials of as many seconds for MLPs (HyperDiffusion) as for mLoRA-Asym, judged by the loss on the validation split. Where
the trials of MLPs also change the size of tokens, those of adapters also leave the layer encoder out."""

from precompute.experiment import Cell
from precompute.experiments.diffusion_search import Budget, axes_of, preset_of, searching
from precompute.generators import large_search_report
from precompute.large import REPRESENTATIONS, whole
from wsr.fields import registry

# From ten times as many weights it takes longer until two networks differ, so trials are longer.
TRIALS, SECONDS, DECAYS = 16, 1200, (None, 3000, 10_000)


def axes(cell: Cell) -> tuple[str, ...]:
    return (*["encoder"] * registry.named(cell.representation).needs_base, *axes_of(cell))


EXPERIMENT = searching(
    whole,
    lambda: Budget(TRIALS, SECONDS, DECAYS),
    preset_of,
    axes,
    name="large_search",
    title="`reports/large-search-*.json`: rates, widths, depths and tokens for the generators of the large zoos",
    data=("faces", "shapes10"),
    grid={"representation": REPRESENTATIONS},
    needs=("zoos/{large_zoo}",),
    reports=lambda cell, context: [large_search_report(cell.data, context)],
    size="2 × 10 kB",
    time="5 min on an H100, else up to 5 h each (estimated)",
)
