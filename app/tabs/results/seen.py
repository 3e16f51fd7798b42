"""Links from a claim to what the app shows of it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from app.shared import library, pairs
from app.tabs.audit import run as audits
from app.tabs.generate import models
from wsr.fields import registry

Link = tuple[str, str]  # what it says, and the address
# The tabs that show what the claims of a group are about.
TABS = {
    "table1": ("atlas",),
    "table2": ("generate", "audit"),
    "table3": ("generate", "audit"),
    "table4": ("atlas",),
    "table5": ("generate", "audit"),
    "figure3": ("connect",),
    "theorems": ("symmetry",),
    "figures": ("generate", "atlas"),
}
SAID = {
    "atlas": "the map of these fits",
    "generate": "samples of this generator",
    "audit": "whether its samples are copies",
    "connect": "the line between two fits",
    "symmetry": "these changes of weights, tried out",
}


def links(claims: Sequence[Mapping[str, Any]], first: str = "") -> list[Link]:
    """Links to what the app has of these claims; none if it has nothing. first: the representation that is meant, by
    default the one that each claim is about."""
    found: dict[str, str] = {}  # one link for each tab: that of the first claim
    for claim in claims:
        for tab in TABS.get(claim["group"], ()):
            said = f"{tab.title()}: {SAID[tab]}"
            if said not in found and (asked := _asked(tab, claim, first)) is not None:
                found[said] = f"?{urlencode({'tab': tab, **asked})}"
    return list(found.items())


def _asked(tab: str, claim: Mapping[str, Any], first: str) -> dict[str, str] | None:
    """What a link to this tab asks for; None if the tab does not have it."""
    if tab == "symmetry":
        return {} if library.collection_names() else None
    if tab == "connect":
        return _pairs(claim)
    there = {"atlas": library.collection_names, "generate": models.models, "audit": audits.names}[tab]()
    return _collection(there, claim, first)


def _collection(there: Iterable[str], claim: Mapping[str, Any], first: str) -> dict[str, str] | None:
    """The collection that a claim is about, of those that a tab has."""
    meant = [first, *claim["paper"], *(side["name"] for side in claim.get("ours", ()))]
    kinds = [name for name in meant if name in registry.names()] or list(reversed(registry.names()))
    data = [part.strip() for part in str(claim.get("data") or "").split(",")]
    found = {(one.source, one.representation): one.dataset for one in reversed([*map(library.collection, there)])}
    for kind in kinds:
        for source in data:
            if (source, kind) in found:
                return {"data": found[source, kind], "kind": kind}
    return None


def _pairs(claim: Mapping[str, Any]) -> dict[str, str] | None:
    data = claim.get("data")
    if data not in pairs.datasets():
        return None
    centred = claim.get("more", {}).get("series") == pairs.NORMAL
    normal = centred and any(start == pairs.NORMAL for _, start in pairs.kinds(data))
    return {"data": data, **({"init": pairs.NORMAL} if normal else {})}
