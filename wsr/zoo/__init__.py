"""Zoos: data sets of fitted weights on disk. Building, reading, checking, compressing and merging them.

Its names are imported when they are first used, for the reason that `wsr.fitting` states.
"""

from importlib import import_module
from typing import Any

_HOMES = {
    "CheckReport": "check", "Zoo": "zoo", "ZooRecord": "build", "build_zoo": "build", "check_zoo": "check",
    "compress_zoo": "compress", "merge_zoos": "shards", "require_alike": "check", "shard": "shards",
}  # fmt: skip
__all__ = list(_HOMES)  # noqa: PLE0605


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    found = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = found
    return found
