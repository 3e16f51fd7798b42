"""The reports that claims are judged by."""

from typing import Any

from precompute.experiment import Context
from precompute.records import asset_hash, parsed


class Reports:
    """Reads reports of assets/reports, of which a group of claims may ask for those that it has declared.

    declared: their names without ".json".
    """

    def __init__(self, context: Context, declared: tuple[str, ...]):
        self.context, self.declared = context, frozenset(declared)

    def __call__(self, name: str) -> Any:
        """The content of a report; None if there is none. Treat it as read-only."""
        if name not in self.declared:
            raise KeyError(f"The claims read {name!r} without declaring it among their group's reports.")
        path = self.context.path(path_of(name))
        return parsed(path) if path.exists() else None


def path_of(name: str) -> str:
    """The path of a report below assets/. A name with a slash is that of another file of assets/."""
    return name if "/" in name else f"reports/{name}.json"


def hashes(context: Context, names: tuple[str, ...]) -> dict[str, str]:
    """The content of those reports that exist, as the beginnings of hashes."""
    paths = {path_of(name): context.path(path_of(name)) for name in sorted(names)}
    return {asset: asset_hash(path)[:16] for asset, path in paths.items() if path.exists()}
