"""The experiments, a file each: what a file declares as EXPERIMENT (or EXPERIMENTS, where several belong together)."""

import importlib
import pkgutil

from precompute.experiment import Experiment


def experiments() -> dict[str, Experiment]:
    """All of them by name, in the order of `ORDER`, then of their names."""
    found: dict[str, Experiment] = {}
    for module in pkgutil.iter_modules(__path__):
        declared = importlib.import_module(f"{__name__}.{module.name}")
        for one in getattr(declared, "EXPERIMENTS", None) or [declared.EXPERIMENT]:
            found[one.name] = one
    return dict(sorted(found.items(), key=lambda item: (item[1].place, item[0])))
