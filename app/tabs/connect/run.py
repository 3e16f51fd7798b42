"""Content of the Connect tab: pairs of fits, the fields on the line between them, and their quality."""

import contextlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from app.components.field import files
from app.shared import library, pairs, work
from app.shared.pairs import OWN, STARTS
from app.shared.palette import NAMES
from app.shell import looking, workers
from wsr.caching import cached_by_file
from wsr.data import load_signals
from wsr.data import registry as data_sets
from wsr.errors import WsrError, unknown_name
from wsr.fields import registry
from wsr.memory import remembered
from wsr.paths import assets_dir

if TYPE_CHECKING:
    from wsr.analysis.connectivity import Pair
    from wsr.data.signals import Signals
    from wsr.modalities import Modality

VIEW = 192  # pixels of a drawn surface
STEP = 0.05  # step of the slider of α
KEPT = 600  # cached pictures: about thirty places on the six lines of three targets
SIGMAS, LAMBDAS = (0.0, 0.5), (0.0, 1.0)


@dataclass(eq=False)
class Lane:
    """One representation's pair of fits of one target. pair: as fitted. aligned: with the second fit aligned to the
    first. alphas, raw_curve, aligned_curve: k values of α, and the qualities there along both lines."""

    pair: "Pair"
    aligned: "Pair"
    alphas: list[float]
    raw_curve: list[float]
    aligned_curve: list[float]


@dataclass
class Race:
    """The pairs of one target, by representation. init: where their fits began; "" for pairs that a visitor has had
    fitted."""

    dataset: str
    target: str
    label: str
    lanes: dict[str, Lane]
    init: str = ""

    @property
    def modality(self) -> "Modality":
        return next(iter(self.lanes.values())).pair.model.modality


def datasets() -> list[str]:
    """Data sets with precomputed pairs and their report, in the order of their registry."""
    there = [name for name in pairs.datasets() if _report(name)]
    return sorted(there, key=lambda name: (data_sets.order(_source(name)), name))


def titles() -> list[tuple[str, str]]:
    """Titles and names of these data sets, as choices."""
    return [(library.title(name, _source(name)), name) for name in datasets()]


def examples(dataset: str, count: int) -> list[str]:
    """Ids of the first targets to choose from."""
    return library.examples(_source(dataset), targets(dataset), count)


def _source(dataset: str) -> str:
    """A data set with pairs as `wsr.load_signals` takes it."""
    return str(_metas(dataset)[0]["dataset"])


def _metas(dataset: str) -> list[dict[str, Any]]:
    """The descriptions of a data set's zoos of pairs."""
    found = [library.meta_of(folder) for kind in pairs.kinds(dataset) if (folder := pairs.folder(dataset, *kind))]
    if not found:
        raise unknown_name("data set", dataset, pairs.datasets())
    return found


def _report_files(dataset: str) -> list[Path]:
    return [assets_dir() / "reports" / f"{what}-{dataset}.json" for what in ("figure3", "zero-starts")]


def _pair_files(dataset: str, *kind: str) -> list[str | Path]:
    """Paths of the files from which a zoo of pairs is read. kind: its representation and start."""
    folder = pairs.folder(dataset, *kind)
    own = [folder / "zoo.json", folder / "index.parquet"] if folder else []
    return [*_report_files(dataset), *own, *library.bases()]


def _race_files(dataset: str, target: str, init: str = OWN) -> list[str | Path]:
    return [file for name, start in pairs.kinds(dataset) if start == init for file in _pair_files(dataset, name, start)]


def _report(dataset: str) -> dict[str, Any]:
    return library.report(f"figure3-{dataset}")


def _rows(dataset: str) -> list[dict[str, Any]]:
    """The measurements of a data set's pairs. Of those that were measured for both reports, the last are of the fits
    that were kept."""
    return [*library.report(f"zero-starts-{dataset}").get("rows", ()), *_report(dataset)["rows"]]


def targets(dataset: str) -> list[str]:
    """Ids of the precomputed targets."""
    if dataset not in datasets():
        raise unknown_name("data set", dataset, datasets())
    return _report(dataset)["ids"]


@cached_by_file(_race_files, maxsize=32)
def race(dataset: str, target: str, init: str = OWN) -> Race:
    """The precomputed pairs of a target, for all representations that have one. init: "own", or "normal" for zero-mean
    starts. Names may come from the page: WsrError for an unknown one."""
    if target not in targets(dataset):
        raise unknown_name("target", target, targets(dataset))
    if init not in STARTS:
        raise unknown_name("start", init, STARTS)
    rows = {
        row["representation"]: row
        for row in _rows(dataset)
        if (row["series"], row["lambda"]) == (init, 1.0) and "curves" in row["raw"]
    }
    at = targets(dataset).index(target)
    lanes = {
        name: _lane(dataset, _pairs(dataset, name, init), at, rows[name])
        for name, start in pairs.kinds(dataset)
        if start == init and name in rows
    }
    return Race(dataset, target, library.label_of(_source(dataset), target), lanes, init)


def _lane(dataset: str, pair: "Pair", at: int, row: dict[str, Any]) -> Lane:
    one = _one(pair, at)
    return Lane(one, one.aligned(), _report(dataset)["alphas"], row["raw"]["curves"][at], row["aligned"]["curves"][at])


@cached_by_file(_pair_files, maxsize=16)
def _pairs(dataset: str, name: str, init: str) -> "Pair":
    """All pairs of a zoo of pairs."""
    from wsr import Zoo
    from wsr.analysis.connectivity import Pair

    zoo = Zoo.open(pairs.folder(dataset, name, init))
    ids, model, meta = targets(dataset), zoo.representation, zoo.meta
    both = [zoo.weights([f"{item}@{number}" for item in ids]) for number in (0, 1)]
    starts = tuple(model.initial(meta["init"], meta["sigma"], meta["init_seed"], mix) for mix in (0.0, meta["perturb"]))
    return Pair(model, ids, *both, starts, model.initial_mean(meta["init"]))


def _one(pair: "Pair", at: int) -> "Pair":
    here = slice(at, at + 1)
    return replace(pair, ids=pair.ids[here], a=pair.a[here], b=pair.b[here])


def pictures(of: Race, alpha: float, aligned: bool) -> dict[str, np.ndarray | None]:
    """The picture at α of each representation; None where a shape has no surface."""
    if not 0 <= alpha <= 1:
        raise WsrError(f"α is between 0 and 1, not {alpha!r}.")
    shown = _six.map(lambda lane: _drawn(lane, round(alpha, 4), aligned), of.lanes.values())
    return dict(zip(of.lanes, shown, strict=True))


def look_ahead(of: Race, alpha: float, aligned: bool) -> None:
    """Draws the pictures of the next places on both sides while the visitor looks at this one, so that the next step
    of the slider need not wait for them."""
    for place in (alpha + STEP, alpha - STEP):
        if 0 <= place <= 1:  # none waits behind another's: all visitors share what computes ahead
            looking.ahead(pictures, of, place, aligned)


_six = ThreadPoolExecutor(max(2, os.cpu_count() or 1), "wsr-six")


@remembered(most=KEPT)
def _drawn(lane: Lane, alpha: float, aligned: bool) -> np.ndarray | None:
    image = picture(lane.aligned if aligned else lane.pair, alpha)
    return image if image is None or image.dtype == np.uint8 else np.round(np.clip(image, 0, 1) * 255).astype(np.uint8)


def picture(pair: "Pair", alpha: float) -> np.ndarray | None:
    """The picture at α of one pair; None where a shape has no surface."""
    from wsr.render.decode import decode

    modality = pair.model.modality
    shown = decode(pair.model, pair.line(alpha), modality.resolutions.beside)[0]
    return None if modality.empty(shown) else modality.picture(shown, VIEW)


def in_page(lane: Lane) -> dict[str, Any] | None:
    """What the page needs to draw a pair's pictures on both lines without the server; None where it cannot."""
    ends, model = {"a": lane.pair.a[0], "b": lane.pair.b[0], "aligned": lane.aligned.b[0]}, lane.pair.model
    field = files.field_of(model, ends, files.Shape(model.modality.resolutions.beside, VIEW))
    if field is None:
        return None
    curves = {"b": lane.raw_curve, "aligned": lane.aligned_curve}
    rounded = {name: [round(float(one), 4) for one in curve] for name, curve in curves.items()}
    return {**field, "curves": {"alphas": lane.alphas, "of": rounded, "decimals": lane.pair.model.modality.decimals}}


def quality_at(lane: Lane, alpha: float, aligned: bool) -> float:
    """Quality at α, interpolated along the curve."""
    return float(np.interp(alpha, lane.alphas, lane.aligned_curve if aligned else lane.raw_curve))


def check_live(names: list[str], sigma: float, perturb: float) -> None:
    """Checks a visitor's settings of a new pair. WsrError for a value that is unknown or out of range."""
    unknown = [name for name in names if name not in registry.names()]
    if unknown or not names:
        raise WsrError(f"Choose one or more representations of: {', '.join(NAMES.values())}.")
    for name, value, (low, high) in (("standard deviation σ", sigma, SIGMAS), ("distance λ", perturb, LAMBDAS)):
        if not low <= value <= high:
            raise WsrError(f"The {name} is between {low} and {high}, not {value!r}.")


class NotHere(WsrError):
    """Raised if the target's data is not on this machine. The text tells visitors what to do."""


def _signals(dataset: str, target: str) -> "Signals":
    """Loads the target. NotHere if its data set has to be fetched first."""
    try:
        return load_signals(_source(dataset), [target])
    except WsrError:
        if not (missing := not_here(dataset)):
            raise
    raise NotHere(missing)


def not_here(dataset: str) -> str:
    """Returns the sentences that say why no new pair can be fitted to targets of a data set, and what to do; "" for one
    that is on this machine."""
    found, _ = data_sets.find(_source(dataset))
    if found is None or found.is_here:
        return ""
    here = [title for title, name in titles() if (other := data_sets.find(_source(name))[0]) and other.is_here]
    instead = f"Choose {' or '.join(here)} above, which can be read here, or ask" if here else "Ask"
    return (
        f"{library.title(dataset, _source(dataset))} is a data set that is not on this machine, so no new pair can be "
        f"fitted to one of its targets. {instead} whoever runs this page to fetch it once with "
        f"`wsr data {found.part_of or found.name}`."
    )


def _made(dataset: str) -> work.Made:
    """How the pairs of a data set were fitted, by the descriptions of their zoos."""
    metas = _metas(dataset)
    base = next((str(meta["base"]) for meta in metas if meta.get("base")), None)  # networks without a base have none
    return work.Made(str(metas[0]["preset"]), int(metas[0]["steps"]), base)


_fitting = workers.Task(work.fit_pairs, duration=120, what="The fit")


def fit_live(
    dataset: str, target: str, names: list[str], sigma: float, perturb: float,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[tuple[float, Race | None]]:  # fmt: skip
    """Fits the target twice with each representation, from starts that are λ = `perturb` apart and whose standard
    deviation is σ. Yields the share of the work that is done, in [0, 1], and after each representation all pairs so
    far, otherwise None. NotHere if the target's data is not on this machine."""
    from wsr.analysis.connectivity import ALPHAS

    check_live(names, sigma, perturb)
    if target not in targets(dataset):
        raise unknown_name("target", target, targets(dataset))
    asked = _signals(dataset, target)[0].carried(), _made(dataset), names
    found = Race(dataset, target, library.label_of(_source(dataset), target), {})
    with contextlib.closing(_fitting(*asked, sigma, perturb, stopped=stopped)) as running:
        for done, ready in running:
            if ready:
                found.lanes[ready.representation] = Lane(
                    ready.pair, ready.aligned, list(ALPHAS), ready.raw_curve, ready.aligned_curve
                )
            yield done, found if ready else None
