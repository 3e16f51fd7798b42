"""The experiments. Each file declares one as EXPERIMENT, or several that belong together as EXPERIMENTS."""

import importlib
import pkgutil

from precompute.experiment import Experiment


def experiments() -> dict[str, Experiment]:
    """All experiments by name, ordered by their `place` and then by name."""
    found: dict[str, Experiment] = {}
    for module in pkgutil.iter_modules(__path__):
        declared = importlib.import_module(f"{__name__}.{module.name}")
        for one in getattr(declared, "EXPERIMENTS", None) or [declared.EXPERIMENT]:
            found[one.name] = one
    return dict(sorted(found.items(), key=lambda item: (item[1].place, item[0])))
