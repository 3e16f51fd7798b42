"""Imports a zoo: reads somebody else's files batch by batch into a folder beside the zoo's, which is renamed when all
is done, so that nothing is half-imported."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float
from torch import Tensor

from wsr.data import IMPORTED
from wsr.data.registry import choices, find
from wsr.errors import WsrError, unknown_name
from wsr.fields.representation import Representation
from wsr.formats.files import shown, there
from wsr.imports.base import Batch, Item, Layout, Mismatch, Options, Shapes, listed
from wsr.imports.registry import kinds, named
from wsr.imports.splits import settled
from wsr.modalities import everything
from wsr.paths import make_dir, new_folder
from wsr.zoo.zoo import Zoo

CARRIED = ".carried"  # a folder for what instances share, until the zoo is begun: it begins in an empty folder


@dataclass
class Imported:
    """What came of an import: the zoo, and a sentence for each instance that was left out."""

    zoo: Zoo
    left_out: list[str]


def import_zoo(
    name: str, source: str | Path, out: str | Path, options: Options | None = None, *, dataset: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Imported:  # fmt: skip
    """Imports weights of the format `name` from a file or folder as a new zoo `out`. dataset: the data set that they
    were fitted to, if it is one of ours (its ids must be theirs). progress(done, total) is called after each batch.
    WsrError for an unknown format, for files of another one (with what they hold and the nearest format), if `out`
    exists, and unless `options.skip`, for a file that cannot be read and for weights that are not finite."""
    layout, source, out = named(name).layout, Path(source), Path(out)
    if there(source / "zoo.json"):
        remedy = "`wsr zoo check` says whether it is whole"
        raise WsrError(f"{shown(source)} is a zoo already and needs no import: {remedy}.")
    options, left_out = options or Options(), []
    with new_folder(out) as folder:
        zoo, model = None, None
        for batch in _finite(layout.batches(source, options), options):
            left_out += batch.left_out
            if not batch.items:
                continue
            if zoo is None:
                carried = make_dir(folder / CARRIED)
                model = _model(layout, batch, options, carried, out)
                _require_dataset(dataset, model)
                zoo = Zoo.create(folder, model, **_settings(layout, source, options, dataset, model))
                for path in carried.iterdir():
                    path.rename(folder / path.name)
                carried.rmdir()
            _append(zoo, layout.vectors(model, batch), batch.items)
            if progress:
                progress(len(zoo), batch.total)
        if zoo is None:
            raise WsrError(f"No instance of {shown(source)} can be used. {' '.join(left_out[:1])}".rstrip())
        _settle_splits(zoo, options)
    return Imported(Zoo.open(out), left_out)


def _model(layout: Layout, batch: Batch, options: Options, folder: Path, out: Path) -> Representation:
    try:
        return layout.model(batch, options, folder, out.resolve())
    except Mismatch as error:
        held = layout.held(batch)
        raise WsrError(
            f"{shown(batch.items[0].path)} is not of the format {layout.name!r}: {error}. It holds {listed(held)}. "
            f"{nearest(held, options)}"
        ) from None


def nearest(shapes: Shapes, options: Options) -> str:
    """Says which known format tensors of these names and shapes are nearest to."""
    scores = {}
    for kind in kinds():
        layout = kind.layout
        fits = sum(re.fullmatch(layout.pattern, name) is not None for name in shapes) / max(len(shapes), 1)
        try:
            layout.config(shapes, options)
            fits += 1
        except WsrError:
            pass
        scores[kind.name] = fits
    best = max(scores, key=scores.get)
    if not scores[best]:
        return f"No known format has such names; known are {', '.join(scores)}."
    same = [name for name in scores if scores[name] == scores[best]]
    return f"The nearest known format is {' or '.join(map(repr, same))}."


def _finite(batches: Iterator[Batch], options: Options) -> Iterator[Batch]:
    """Leaves out instances whose weights are not finite, or raises."""
    for batch in batches:
        good = torch.ones(len(batch.items), dtype=torch.bool)
        for tensor in batch.tensors.values():
            good &= tensor.flatten(1).isfinite().all(1) if tensor.is_floating_point() else True
        for row in (~good).nonzero().flatten().tolist():
            item = batch.items[row]
            said = f"The weights of {item.id!r} in {shown(item.path)} hold NaN or infinite numbers."
            if not options.skip:
                raise WsrError(f"{said} Nothing was imported; --skip-faulty leaves such instances out.")
            batch.left_out.append(said)
        kept = [item for item, fine in zip(batch.items, good.tolist(), strict=True) if fine]
        tensors = {name: tensor[good] for name, tensor in batch.tensors.items()}
        yield Batch(kept, tensors, batch.left_out, batch.total)


def _settings(layout: Layout, source: Path, options: Options, dataset: str | None, model: Representation) -> dict:
    stated = {key: value for key, value in vars(options).items() if key in ("omega", "resolution") and value}
    return {
        "dataset": dataset or f"{IMPORTED}:{layout.name}", "preset": "cpu", "init": "centered", "sigma": 0.0,
        "init_seed": 0, "steps": 0, "dtype": "float32", "resolution": layout.resolution(model, options),
        "imported": {"format": layout.name, "source": source.name, "values": options.values, **stated},
    }  # fmt: skip


def _require_dataset(name: str | None, model: Representation) -> None:
    """WsrError for a data set that is not here, or whose signals are of another kind than what a network gives."""
    if name is None:
        return
    found, kind = find(name)[0], name.partition(":")[0]
    modality = found.modality if found else next((one for one in everything() if one.folder == kind != name), None)
    if modality is None:
        raise unknown_name("data set", name, choices())
    if modality.name != model.modality.name:
        raise WsrError(
            f"The data set {name!r} holds {modality.plural}, and these networks give {model.modality.plural}: name the "
            "one that they were fitted to, or none."
        )


def _append(zoo: Zoo, weights: Float[Tensor, "n p"], items: list[Item]) -> None:
    taken, rows = set(zoo.ids), []
    for item in items:
        name = item.id if item.id not in taken else "-".join(item.path.with_suffix("").parts[-3:])
        if name in taken:
            raise WsrError(f"Two instances are called {name!r}, such as {shown(item.path)}: rename one of the files.")
        taken.add(name)
        rows.append(
            {"id": name, "class": item.cls, "split": item.split, "quality": item.quality, "steps": 0, "seconds": 0.0,
             "target_sha256": "", "status": "ok"}
        )  # fmt: skip
    for first in range(0, len(rows), zoo.rows_per_file):  # together they might make a file that is too large
        part = slice(first, first + zoo.rows_per_file)
        zoo.append(weights[part], rows[part])


def _settle_splits(zoo: Zoo, options: Options) -> None:
    """Replaces the splits that the source states by ours, once all of them are known."""
    stated = set(zoo.index["split"]) - {""}
    items = (Item(row.id, zoo.path, split=row.split) for row in zoo.index.itertuples())
    index = zoo.index.assign(split=[settled(item, stated, options.heldout) for item in items])
    index.to_parquet(zoo.path / "index.parquet", index=False)
