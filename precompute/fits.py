"""What experiments that fit signals share: their start, their base, and the settings that their results depend on."""

from precompute.experiment import Cell, Context
from precompute.tables import PAPER
from wsr.fields import registry
from wsr.zoo.meta import FIT_VERSION

SIGMA, INIT_SEED = 0.02, 0


def fitted(cell: Cell, context: Context) -> dict:
    """All settings that fits of the cell's data set depend on; signals and base come in addition."""
    settings = context.settings(cell.data)
    found = {"fit": settings.fit, "field": settings.field, "resolution": settings.resolution}
    # records name the rates of the paper's six: one that is registered later must not make all of them stale
    rated = dict.fromkeys([*PAPER["representations"], cell.values.get("representation", registry.DEFAULT)])
    found |= {"rates": {name: settings.fit.of(name).lr for name in rated}}
    return found | {"fit_version": FIT_VERSION}


def base_needed(cell: Cell, context: Context) -> list[str]:
    """The path of the base that the cell's fits adapt; standalone networks have none."""
    alone = "representation" in cell.values and not registry.named(cell.representation).needs_base
    return [] if alone else ["bases/{base}.safetensors"]
