"""Content of the Audit tab: quality and novelty of each generator's samples, and any sample beside its nearest training
networks."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from app.figures.plane import YOURS, called, point_id
from app.shared import library, networks, own
from app.shell import looking
from app.tabs.generate import drawn
from wsr.caching import cached_by_file
from wsr.data.splits import names_of
from wsr.errors import WsrError, unknown_name
from wsr.formats.schema import read_json
from wsr.formats.tables import read_table
from wsr.generators.registry import GeneratorKind, kinds
from wsr.paths import assets_dir

if TYPE_CHECKING:
    from torch import Tensor

HELD_OUT = "held out"
# Columns that a report must have, one row for each sample.
COLUMNS = {
    "generator": "str", "sample": "int64", "novelty": "float64", "quality": "float64", "distance": "float64",
    "nearest": "str", "between": "str", "verdict": "str",
}  # fmt: skip
NEAREST = 3  # number of training networks below the sample in the heat map


@dataclass(frozen=True)
class Report:
    """An audit as `python -m precompute run audits` has written it. rows: a table with a row for each sample. about:
    units, thresholds and rates."""

    name: str
    rows: pd.DataFrame
    about: Mapping[str, Any]

    def has(self, point: str) -> bool:
        """Whether a point, whose id may come from the page, is one of this report."""
        return point in _places(self.name)

    def row(self, point: str) -> pd.Series:
        """Row of a point, whose id may come from the page. WsrError for an unknown id."""
        try:
            return self.rows.iloc[_places(self.name)[point]]
        except KeyError:
            raise unknown_name("point", point, list(_places(self.name))[:50]) from None


def generators() -> dict[str, GeneratorKind]:
    """The registered generators whose samples audits compare, by their titles."""
    return {kind.title: kind for kind in kinds() if kind.audited}


def made(name: str) -> list[str]:
    """Titles of the generators whose samples the audit of a collection is about."""
    return [YOURS] if own.find(name) else list(generators())


def _stem(name: str, generator: str) -> str:
    """Name of the folder that holds a generator's samples of a collection."""
    kind = generators().get(generator)
    return kind.stem(name) if kind else name


def _samples(name: str, generator: str) -> Path:
    """The folder of a generator's samples of a collection."""
    mine = own.find(name)
    return mine.samples if mine else assets_dir() / "samples" / _stem(name, generator)


def names() -> list[str]:
    """Names of the audited collections, in the order of the Generate tab. Empty until the assets are made."""
    there = [name for name in library.collection_names() if _path(name, "parquet").is_file()]
    return library.nameable_first(name for name in there if _readable(name))


def _report_files(name: str) -> list[Path]:
    return [_path(name, kind) for kind in ("parquet", "json")]


def _audit_files(name: str) -> list[str | Path]:
    return [*_report_files(name), *library.files_of(name)]


def _weight_files(name: str, generator: str, sample: int) -> list[str | Path]:
    kept = _samples(name, generator)
    return [*_audit_files(name), kept / "zoo.json", kept / "index.parquet"]


@cached_by_file(_report_files, maxsize=16)
def report(name: str) -> Report:
    """The audit of a collection, whose name may come from the page. WsrError if it has not been audited."""
    if not own.find(name) and name not in names():
        raise unknown_name("audit", name, names())
    return _read(name)


def _read(name: str) -> Report:
    rows = read_table(_path(name, "parquet"), "an audit", COLUMNS)
    return Report(name, rows, read_json(_path(name, "json"), "what an audit is of"))


@cached_by_file(_report_files, maxsize=32)
def _readable(name: str) -> bool:
    try:
        _read(name)
    except WsrError as error:
        library.log.error("The audit of %s is left out of the page. %s", name, error)
        return False
    return True


def first_point(name: str) -> str:
    """The id of the point that is open at first: the sample with the lowest novelty, the clearest copy."""
    rows = report(name).rows
    chosen = rows[rows["generator"].isin(made(name))]
    row = chosen.loc[chosen["novelty"].idxmin()]
    return point_id(row["generator"], row["sample"])


def distances(of: Report) -> dict[str, list[float]]:
    """Distances to the nearest training network (for training networks: to the nearest other one), by name: of the
    training networks, of held-out fits, and of each generator's samples."""
    found = {"training": list(of.about["training distances"])}
    for generator, part in of.rows.groupby("generator", sort=False):
        if generator in made(of.name) or generator == HELD_OUT:
            found[generator] = part["distance"].tolist()
    return found


@cached_by_file(_weight_files, maxsize=256)
def weights(name: str, generator: str, sample: int) -> "Tensor":
    """Weights (1, p) of a point: a stored sample, a held-out fit, or a baseline that is drawn again from its seed."""
    if generator in made(name):
        from wsr import Zoo

        kept = Zoo.open(_samples(name, generator))
        return kept.weights([kept.ids[sample]])
    if generator == HELD_OUT:
        return networks.zoo(name).weights([_split(name, "heldout")[sample]])
    found = _baselines(name)
    if generator not in found:
        raise unknown_name("generator", generator, [*generators(), HELD_OUT, *found])
    return found[generator][sample : sample + 1].clone()  # not a view, which would keep all of them


@cached_by_file(_audit_files, maxsize=2)
def _baselines(name: str) -> "dict[str, Tensor]":
    from wsr.generators.baselines import baselines

    about = report(name).about
    training = networks.zoo(name).weights(_audited(name))
    return dict(baselines(training, about["baseline count"], about["seed"]))


def pictures(of: Report, point: str) -> list[tuple[str, np.ndarray]]:
    """Captions and pictures of a point, of the training network whose weights are nearest (for a blend, of both), and
    of the training network that looks most like it."""
    row, zoo = of.row(point), networks.zoo(of.name)
    near, like = origins(row), row["looks like"]
    shown = [(called(row["generator"], row["sample"]), weights(of.name, row["generator"], int(row["sample"])))]
    words = ("nearest weights",) if len(near) == 1 else ("a mix of", "and of")
    for word, item in zip(words, near, strict=True):
        shown.append((f"{word}: {drawn.label(of.name, item)}", zoo.weights([item])))
    if like not in near:
        shown.append((f"looks most like: {drawn.label(of.name, like)}", zoo.weights([like])))
    return [(title, _drawn(of.name, one, zoo.modality.resolutions.opened)) for title, one in shown]


def _drawn(name: str, weights: "Tensor", resolution: int) -> np.ndarray:
    key = networks.zoo(name), resolution, looking.digest(weights)
    return looking.SEEN.get(key, lambda: drawn.pictures(name, weights, resolution)[0])


def compared(of: Report, point: str) -> list[tuple[str, np.ndarray]]:
    """Returns names and standardised weights of a point and its nearest training networks, for the heat map. The
    training networks that are also shown as pictures come first, even if a symmetry had to be undone to find them."""
    return looking.SEEN.get((networks.zoo(of.name), "compared", point), lambda: _compared(of, point))


def _compared(of: Report, point: str) -> list[tuple[str, np.ndarray]]:
    import torch

    row = of.row(point)
    ids = _audited(of.name)
    training = networks.zoo(of.name).weights(ids)
    mean, std = training.mean(0), training.std(0).clamp_min(1e-6)
    own = (weights(of.name, row["generator"], int(row["sample"])) - mean) / std
    standard = (training - mean) / std
    first = [ids.index(item) for item in origins(row)]
    near = [*first, *(i for i in torch.cdist(own, standard)[0].argsort().tolist() if i not in first)][:NEAREST]
    lines = [("this one", own[0])] + [(drawn.label(of.name, ids[i]), standard[i]) for i in near]
    return [(title, line.numpy()) for title, line in lines]


def told(of: Report, point: str) -> str:
    row = of.row(point)
    name = called(row["generator"], row["sample"])
    return f"{name[0].upper()}{name[1:]} is {drawn.MEANING[row['verdict']]}."


def origins(row: pd.Series) -> list[str]:
    """Ids of the nearest training networks of a point: one, or two for a blend."""
    return row["between"].split(" + ") if row["verdict"] == "blend" else [row["nearest"]]


def headline(of: Report) -> str:
    """The text above the chart: what share of each generator's samples is judged to be copies."""
    places = dict(shares(of))
    copies = {name: 1 - places[name]["novel"] for name in made(of.name) if name in places}
    order = sorted(copies, key=copies.get, reverse=True)
    told = ", ".join(f"{copies[name]:.0%} of {name}" for name in order)
    return f"Judged to be copies: {told}. Of really new networks, {of.about['alarm']:.0%} would be judged so as well."


def shares(of: Report) -> list[tuple[str, dict[str, float]]]:
    """The names of all generators, each with the shares of its verdicts and the medians of its samples."""
    return list(of.about["summaries"].items())


@cached_by_file(lambda name, what="samples": [_generation(name)], maxsize=16)
def measured(name: str, what: str = "samples") -> dict[str, float]:
    """Metrics of our model's samples, or for "floor" of training fits, against held-out fits, by the metrics' symbols.
    `precompute` measures them; empty if it has not yet."""
    if not _generation(name).is_file():
        return {}
    rows = read_json(_generation(name), "measures of a generator").get("rows", [])
    wanted = {"model": name, "set": what, "against": HELD_OUT.replace(" ", "")}
    return next((row for row in rows if wanted.items() <= row.items()), {})


def _generation(name: str) -> Path:
    return assets_dir() / "reports" / f"generation-{name}.json"


@cached_by_file(_report_files, maxsize=16)
def _places(name: str) -> dict[str, int]:
    rows = report(name).rows
    return {point_id(g, s): i for i, (g, s) in enumerate(zip(rows["generator"], rows["sample"], strict=True))}


def _audited(name: str) -> list[str]:
    from wsr.analysis.novelty import audited_ids

    if own.find(name):
        return list(report(name).about["audited"])
    return audited_ids(networks.zoo(name))


@cached_by_file(library.files_of, maxsize=16)
def _split(name: str, split: str) -> list[str]:
    index = library.collection(name).index
    return index[index["split"].isin(names_of(split))]["id"].astype(str).tolist()


def _path(name: str, kind: str) -> Path:
    if mine := own.find(name):
        return mine.report.with_suffix(f".{kind}")
    return assets_dir() / "reports" / f"audit-{name}.{kind}"


def checked(dataset: Any, representation: Any) -> Report:
    """The audit that a visitor asks for. WsrError if there is none."""
    if not (isinstance(dataset, str) and isinstance(representation, str)):
        raise WsrError("An audit needs the name of a data set and of a representation.")
    return report(library.name_of(dataset, representation))
