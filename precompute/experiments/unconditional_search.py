"""The search for the networks of the generators without classes or guidance (Tables 2, 3 and 5): learning rate, width,
depth and, for MLPs, the size of tokens, judged by the loss on weights that were set aside.

Every generator has the same budget: so many trials, and so much CPU time for each. That without the layer encoder
(table 5) is searched as those with it. The search ends before its last trial where all neighbours of the best one have
been tried (`diffusion_search`).
"""

from collections.abc import Iterable
from dataclasses import replace

from precompute.experiment import Cell, Context
from precompute.experiments.diffusion_search import Budget, axes_of, searching
from precompute.generators import unconditional_search_report
from precompute.selection import has_surfaces, modality_of
from wsr.generators.diffusion import DiffusionConfig, diffusion_preset

# Those of which the paper's text speaks. One more costs a search and three cells, up to an hour of a core each.
COMPARED = ("mlp", "mlora", "mlora-asym")
WITHOUT_ENCODER = "mlora-asym"  # the representation of table 5
TRIALS, SECONDS = 30, 90


def plain(cell: Cell, context: Context) -> DiffusionConfig:
    """The preset's settings with the paper's schedule, without classes, and without all that is given to samplers
    because it makes samples better."""
    config = diffusion_preset(context.preset, cell.representation, modality_of(cell.data))
    fair = {"beta": DiffusionConfig.beta, "clusters": 0, "guidance": 1.0, "final_noise": 0.0}
    return replace(config, encoder=config.encoder and cell["encoder"], conditional=False, **fair)


def kinds(data: Iterable[str]) -> list[dict]:
    """The generators of each data set: of COMPARED with the layer encoder and, of shapes, one without. The two of table
    5 come first."""
    compared = [{"representation": WITHOUT_ENCODER, "encoder": encoder} for encoder in (True, False)]
    compared += [{"representation": name, "encoder": True} for name in COMPARED if name != WITHOUT_ENCODER]
    return [{"data": one, **kind} for one in data for kind in compared if kind["encoder"] or has_surfaces(one)]


EXPERIMENT = searching(
    lambda cell, context: context.open_zoo(cell),
    lambda cell: Budget(TRIALS, SECONDS),
    plain,
    axes_of,
    name="unconditional_search",
    title="`reports/unconditional-search-*.json`: networks of generators without classes, with the same budget for all",
    data=("shapes10", "faces"),
    grid=lambda context: kinds(context.data(EXPERIMENT)),
    needs=("zoos/{zoo}",),
    reports=lambda cell, context: [unconditional_search_report(cell.data, context)],
    size="10 kB a data set",
    time="20 to 80 min a cell, beside other work",
)
