"""The paper's claims, and what our reports say about each of them.

A file of this folder with a `GROUP` holds the claims of one table, figure or section. A claim says in our words what
the paper says, gives the paper's numbers, and names the values of our reports that decide about it (`claim.Evidence`).
It does not say how the decision goes: `rule.py` derives every verdict from the reports, by one rule for all. When a
report gains an experiment that was missing, the verdict therefore changes without an edit here.

The experiment `claims` writes all of it into assets/reports/claims.json and REPRODUCTION.md.
"""

import importlib
import pkgutil

from precompute.claims.claim import Group


def groups() -> list[Group]:
    """All groups of claims, ordered by their `place`."""
    modules = [importlib.import_module(f"{__name__}.{one.name}") for one in pkgutil.iter_modules(__path__)]
    return sorted((one.GROUP for one in modules if hasattr(one, "GROUP")), key=lambda group: group.place)
