"""Summaries of a generator on the plane of an audit: medians and shares over its weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wsr.metrics.registry import Metric, register

if TYPE_CHECKING:
    import pandas as pd


def novelty(rows: pd.DataFrame) -> float:
    """The median distance from copies, in units of held-out fits."""
    return float(rows["novelty"].median())


def quality(rows: pd.DataFrame) -> float:
    """The median distance from real fits, in units of held-out fits."""
    return float(rows["quality"].median())


def share(word: str, rows: pd.DataFrame) -> float:
    """The share of weights with a verdict: "replica", "blend" or "novel"."""
    return float((rows["verdict"] == word).mean())


def replicas(rows: pd.DataFrame) -> float:
    return share("replica", rows)


def blends(rows: pd.DataFrame) -> float:
    return share("blend", rows)


def novel(rows: pd.DataFrame) -> float:
    return share("novel", rows)


register(Metric("novelty", "novelty", novelty, "placements", "near", 1.0, decimals=2))
register(Metric("quality", "unlike real", quality, "placements", decimals=2))
register(Metric("replica", "replica", replicas, "placements", unit="%", decimals=0))
register(Metric("blend", "blend", blends, "placements", unit="%", decimals=0))
register(Metric("novel", "novel", novel, "placements", "higher", 1.0, unit="%", decimals=0))
