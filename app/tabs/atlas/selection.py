"""A selection on the map: its summary, and the files that a visitor can download."""

from collections import Counter
from pathlib import Path

import numpy as np

from app.shared import library, networks, own
from app.shared.palette import class_colours
from app.shell import snippets
from wsr.errors import WsrError, counted

MOST = 20_000  # instances in one export: 300 MB of weights


def checked(name: str, ids: list[str]) -> list[str]:
    """Returns those of the page's ids that the collection contains."""
    found = set(library.collection(name).ids)
    return [item for item in ids if item in found]


def summary(name: str, ids: list[str]) -> str:
    """Returns a summary as HTML: how many items are selected, of which classes, and how well they are fitted."""
    if not ids:
        return snippets.settled("Select points of a 2D map with its box or lasso button.")
    found = library.collection(name)
    rows = [found.position(item) for item in ids]
    counts = Counter(found.classes[i] for i in rows)
    colours = class_colours(found.classes)
    value = snippets.quality(found.modality, float(np.mean(found.quality[rows])))
    held = sum(found.held_out[i] for i in rows)
    parts = [(cls, count / len(rows), colours[cls]) for cls, count in counts.most_common()]
    unseen = f", {held:,} not seen in training" if any(found.held_out) else ""
    said = value if len(rows) == 1 else f"{value} on average"
    return snippets.shares(f"{counted(len(rows), 'network')}{unseen}; {said}", parts)


def export(name: str, ids: list[str], folder: Path) -> list[str]:
    """Writes the selection to files and returns their paths: its rows of the index (CSV) and its weights (safetensors,
    which `wsr` decodes). WsrError for an empty selection or more than MOST items."""
    from wsr.fitting.saved import save_weights

    if not 0 < len(ids) <= MOST:
        raise WsrError(f"Select between 1 and {MOST:,} networks to download, not {len(ids):,}.")
    found = library.collection(name)
    rows = [found.position(item) for item in ids]
    stem = "yours" if own.find(name) else name
    table, weights = folder / f"{stem}-selection.csv", folder / f"{stem}-selection.safetensors"
    found.index.iloc[rows].to_csv(table, index=False)
    save_weights(weights, networks.weights(name)[rows].float(), networks.zoo(name).representation, ids)
    return [str(table), str(weights)]
