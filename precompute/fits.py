"""Helpers of experiments that fit signals: the settings that their results depend on, and the path of their base."""

from precompute.experiment import Cell, Context
from precompute.tables import PAPER
from wsr.data import Signals
from wsr.fields import registry
from wsr.progress import bar
from wsr.zoo import Zoo, build_zoo
from wsr.zoo.meta import FIT_VERSION

SIGMA, INIT_SEED = 0.02, 0


def fitted(cell: Cell, context: Context) -> dict:
    """All settings that fits of the cell's data set depend on. Signals and base are not among them."""
    settings = context.settings(cell.data)
    found = {"fit": settings.fit, "field": settings.field, "resolution": settings.resolution}
    # Records state the rates of the paper's six representations and of the cell's own. A representation that is
    # registered later then does not make all records stale.
    rated = dict.fromkeys([*PAPER["representations"], cell.values.get("representation", registry.DEFAULT)])
    found |= {"rates": {name: settings.fit.of(name).lr for name in rated}}
    return found | {"fit_version": FIT_VERSION}


def fill(zoo: Zoo, signals: Signals, title: str, context: Context) -> None:
    """Fits the signals that a zoo lacks, with a bar of this title. A killed run loses at most the batches that were
    being fitted."""
    with bar(title) as update:
        for record in build_zoo(zoo, signals, device=context.device):
            update(record.done, record.total, f"quality {record.quality:.3f}")


def base_needed(cell: Cell, context: Context) -> list[str]:
    """The path of the base that the cell's fits adapt; standalone networks have none."""
    alone = "representation" in cell.values and not registry.named(cell.representation).needs_base
    return [] if alone else ["bases/{base}.safetensors"]
