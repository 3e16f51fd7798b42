"""Theorems 1 and 2 with their corollaries (section 7), and what the mask does to permutations (section 3.4).

Proofs need no experiment. What is computed here would show a mistake in one: the identities are tried on random
matrices, and the masks of the published zoos on all permutations of their ranks.
"""

import itertools
import math
from collections.abc import Callable

import numpy as np

from precompute.claims.claim import Claim, Evidence, Group, Value, label, not_measured
from precompute.claims.reports import Reports
from precompute.tables import PAPER
from wsr.fields.registry import named
from wsr.stats import exact

DRAWS, RANK, WIDE = 100, 4, 64
TOLERANCE = 1e-10  # of values of about 1 in double precision
ADAPTERS = [name for name in PAPER["representations"] if named(name).needs_base and named(name).twin]
Matrices = tuple[np.ndarray, np.ndarray, np.ndarray]  # W (d, d), B (d, r), A (r, d)


def claims(reports: Reports) -> list[Claim]:
    return [
        _identity("theorem1", "Theorem 1", "W + B A stays when the rank components are permuted", _additive),
        _identity("theorem2", "Theorem 2", "W ⊙ B A is the sum of diag(b_i) W diag(a_i) over i", _sum),
        _identity("corollary2.1", "Corollary 2.1", "W ⊙ B A stays when the rank components are permuted", _product),
        _identity(
            "corollary2.2", "Corollary 2.2",
            "a term diag(b_i) W diag(a_i) scales the channels of W and mixes none", _unmixed,
            "the mask breaks permutations alone: the sign and the scale of a pair (c a_i, b_i / c) stay free",
        ),
        *(_mask(reports, name) for name in ADAPTERS),
    ]  # fmt: skip


def _identity(name: str, where: str, says: str, broken: Callable[[Matrices], float], *notes: str) -> Claim:
    noise = np.random.default_rng(0)
    sizes = ((WIDE, WIDE), (WIDE, RANK), (RANK, WIDE))
    worst = max(broken(tuple(noise.normal(size=size) for size in sizes)) for _ in range(DRAWS))
    return Claim(
        id=name,
        says=says,
        where=f"{where}, section 7",
        command="wsr reproduce claims",
        evidence=Evidence(
            difference=exact(TOLERANCE - worst),
            measure=f"largest difference in {DRAWS} random draws stays below {TOLERANCE:g}",
            data=f"random matrices, {WIDE} × {WIDE}, rank {RANK}",
            notes=notes,
        ),
    )


def _additive(given: Matrices) -> float:
    w, b, a = given
    order = np.roll(np.arange(RANK), 1)
    return float(np.abs((w + b @ a) - (w + b[:, order] @ a[order])).max())


def _product(given: Matrices) -> float:
    w, b, a = given
    order = np.roll(np.arange(RANK), 1)
    return float(np.abs(w * (b @ a) - w * (b[:, order] @ a[order])).max())


def _sum(given: Matrices) -> float:
    w, b, a = given
    terms = sum(np.diag(b[:, i]) @ w @ np.diag(a[i]) for i in range(RANK))
    return float(np.abs(w * (b @ a) - terms).max())


def _unmixed(given: Matrices) -> float:
    """How much an entry of a term depends on any entry of W but its own."""
    w, b, a = given
    changed = w.copy()
    changed[0, 0] += 1
    moved = np.diag(b[:, 0]) @ (changed - w) @ np.diag(a[0])
    moved[0, 0] = 0
    return float(np.abs(moved).max())


def _mask(reports: Reports, name: str) -> Claim:
    path = _zoo(name)
    about = reports(path)
    evidence = Evidence(data="shapes10", faults=(not_measured(f"assets/{path} is not there"),))
    if about:
        kept = _kept([tensor for tensor in about["layout"] if tensor["frozen"]])
        evidence = Evidence(
            difference=exact(0.5 - kept),
            ours=(Value("permutations that keep the mask", kept, None, math.factorial(about["rank"]) - 1),),
            measure="permutations of the ranks of a layer, beside the identity, that keep its frozen entries: none",
            data="shapes10",
            preset=about["preset"],
            reports=(path,),
        )
    return Claim(
        id=f"mask.{name}",
        says=f"the mask of {label(name)} leaves no permutation of the rank components",
        where="Section 3.4",
        command="wsr reproduce claims",
        evidence=evidence,
    )


def _kept(tensors: list[dict]) -> int:
    """How many permutations of ranks keep the frozen positions of a layer, over all layers."""
    found = 0
    for tensor in tensors:
        frozen = np.zeros(math.prod(tensor["shape"]), dtype=bool)
        frozen[tensor["frozen"]] = True
        rows = frozen.reshape(tensor["shape"])
        orders = itertools.islice(itertools.permutations(range(len(rows))), 1, None)
        found += sum(bool((rows[list(order)] == rows).all()) for order in orders)
    return found


def _zoo(name: str) -> str:
    return f"zoos/shapes10-{name}/zoo.json"


GROUP = Group(
    name="theorems",
    title="Theorems 1 and 2, and the mask",
    place=7,
    claims=claims,
    further=tuple(map(_zoo, ADAPTERS)),
)
