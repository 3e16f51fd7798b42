"""The networks of the generators that learn from the large zoos, searched as `diffusion_search` does: with as many
trials of as many seconds for MLPs (HyperDiffusion) as for mLoRA-Asym, judged by the loss on the validation split. Where
the trials of MLPs also change the size of tokens, those of adapters also leave the layer encoder out."""

from precompute.experiment import Cell
from precompute.experiments.diffusion_search import Budget, axes_of, preset_of, searching
from precompute.generators import large_search_report
from precompute.large import REPRESENTATIONS, whole
from wsr.fields import registry

# What was tried, on GPUs. The trials of shapes ran twelve side by side, and made 2,000 to 5,000 steps each.
BUDGETS = {"faces": Budget(12, 100), "shapes10": Budget(16, 30, (None, 3000, 6000))}
# Any other data set, on a core: from ten times as many weights it takes longer until two networks differ.
OTHERS = Budget(16, 1200, (None, 3000, 10_000))


def axes(cell: Cell) -> tuple[str, ...]:
    return (*["encoder"] * registry.named(cell.representation).needs_base, *axes_of(cell))


EXPERIMENT = searching(
    whole,
    lambda cell: BUDGETS.get(cell.data, OTHERS),
    preset_of,
    axes,
    name="large_search",
    title="`reports/large-search-*.json`: rates, widths, depths and tokens for the generators of the large zoos",
    data=("faces", "shapes10"),
    grid={"representation": REPRESENTATIONS},
    needs=("zoos/{large_zoo}",),
    reports=lambda cell, context: [large_search_report(cell.data, context)],
    size="2 × 10 kB",
    time="2 min on an H200, 5 min on an H100; on a core up to 20 min for faces, 8 min for shapes (estimated)",
)
