"""Figure 3: do independent fits of one target lie in one linear mode?

30 held-out targets of each data set are fitted twice with each representation, in three series of starts:

- `own`: each representation has its usual starts, at a distance of λ = 0 (the control: one start, but other points),
  0.25, 0.5, 0.75 and 1 (independent starts).
- `spread`: λ = 1. All six representations have one mean start and random starts around it, with the same relative
  standard deviation σ = 0.02, 0.1 or 0.3.
- `normal`: λ = 1. The multiplicative adapters have zero-mean starts. `zero_starts` has those of all adapters.

The independent fits of `own` and `normal` are kept as the zoos <data set>-<representation>-pairs and …-normal-pairs,
with which the app's Connect tab opens. A target's two fits have the ids `<id>@0` and `<id>@1` there.

Each row has three cosines: of the two starts, of the two fits, and of the two fits' changes from the mean start. The
last two have a floor beside them, which is the same cosine for fits of different targets. The row also has the quality
at eleven points of the line between the two weights, and for shapes the Chamfer distance ×10² of the surfaces (at 64³,
2,048 points) at the ends and halfway. Both are measured for the fits as they are, and with the second one aligned to
the first. Values are means and standard deviations over targets.
"""

import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from precompute.experiment import Cell, Context, Experiment, Found
from precompute.figure3_drawn import draw
from precompute.fits import base_needed, fitted
from precompute.selection import zoo_signals
from precompute.tables import write_json, write_tables
from wsr.analysis.connectivity import ALPHAS, Connection, Pair, chamfers, connect, fit_pair, similarity
from wsr.data.signals import Signal, Signals
from wsr.fields import registry
from wsr.fitting.problem import make_problem
from wsr.zoo import Zoo
from wsr.zoo.build import require_same_run

INSTANCES, SURFACE = 30, 64
POINTS = 25_000  # points of an IoU: the mean over 30 shapes is then known to 0.001
LAMBDAS, SIGMAS = (0.0, 0.25, 0.5, 0.75, 1.0), (0.02, 0.1, 0.3)
SERIES = [
    *(("own", 0.02, value) for value in LAMBDAS),
    *(("spread", value, 1.0) for value in SIGMAS),
    ("normal", 1.0, 1.0),
]
AXES = ("representation", "series", "sigma", "lambda")
INITS = {"own": "centered", "spread": "spread", "normal": "normal", "lognormal": "lognormal"}


def cases() -> list[tuple]:
    """The values of `AXES` of every cell. Only multiplicative adapters have the series `normal` here."""
    kinds = map(registry.named, registry.names())
    return [(kind.name, *case) for kind in kinds for case in SERIES if case[0] != "normal" or kind.centred]


def signals_of(data: str) -> Signals:
    return zoo_signals(data).where(split="heldout")[:INSTANCES]


def kept(cell: Cell) -> bool:
    """Whether a cell's pairs are kept as a zoo. Those of independent fits (λ = 1) are, from the preset's starts as well
    as from zero-mean starts."""
    return cell["lambda"] == 1 and cell["series"] in ("own", "normal")


def pairs(cell: Cell, context: Context) -> str:
    normal = "-normal" if cell["series"] == "normal" else ""
    return f"zoos/{context.zoo(cell.data, cell.representation)}{normal}-pairs"


class Study:
    """The data that all cells of a data set share: the targets, and the first fits, which are the same for all λ of a
    series."""

    def __init__(self, data: str, context: Context):
        self.data, self.context = data, context
        self.signals: Signals = signals_of(data)
        self.settings = context.settings(data)
        self.problem = make_problem(self.signals, self.settings.resolution, evaluation_points=POINTS)
        self.firsts: dict[tuple, torch.Tensor] = {}
        self.ends: dict[tuple, np.ndarray] = {}  # Chamfer distances of the first fits
        self.targets = [signal.read() for signal in self.signals] if self.signals.modality.has_surface else []

    def row(self, cell: Cell, keep: bool) -> dict:
        """Fits and measures the pairs of a cell. keep: whether they are stored as a zoo."""
        name, series, sigma, value = (cell[axis] for axis in AXES)
        begun, key, init = time.monotonic(), (name, series, sigma), INITS[series]
        base = self.context.base(self.data) if registry.named(name).needs_base else None
        fits = {"preset": self.context.preset, "steps": self.settings.fit.steps, "device": self.context.device}
        first = self.firsts.get(key)
        pair = fit_pair(self.signals, name, base, init=init, sigma=sigma, perturb=value, first=first, **fits)
        self.firsts[key] = pair.a
        if keep:
            self.keep(pair, cell)
        raw = self.connection(pair, key)
        aligned = pair.aligned()
        moved = raw if torch.equal(aligned.b, pair.b) else self.connection(aligned, key, raw)
        return {
            **{axis: cell[axis] for axis in AXES},
            "start_cosine": float(torch.nn.functional.cosine_similarity(*pair.starts, dim=0)),
            **_similar("cosine", pair, 0.0),
            **_similar("change_cosine", pair, pair.start_mean),
            "raw": _line(pair, raw, kept(cell)),
            "aligned": _line(aligned, moved, kept(cell)),
            "seconds": time.monotonic() - begun,
        }

    def keep(self, pair: Pair, cell: Cell) -> None:
        """Stores the pairs as a zoo of their own."""
        steps = self.settings.fit.steps
        zoo = Zoo.create(
            self.context.path(pairs(cell, self.context)), pair.model, dataset=self.data,
            shown_as=self.context.named(self.data), preset=self.context.preset, init=INITS[cell["series"]],
            sigma=cell["sigma"], init_seed=0, steps=steps, perturb=1.0,
        )  # fmt: skip
        if len(zoo):
            require_same_run(zoo, self.signals, None)
            return
        # the quality in a zoo's index is measured at all points
        evaluator = make_problem(self.signals, zoo.resolution).evaluator
        for number, weights in enumerate((pair.a, pair.b)):
            stored = weights.half()
            quality = evaluator.quality(pair.model, stored.float())
            zoo.append(
                stored,
                [_stored(signal, number, float(q), steps) for signal, q in zip(self.signals, quality, strict=True)],
            )

    def connection(self, pair: Pair, key: tuple, raw: Connection | None = None) -> Connection:
        """Measures the line between the two fits. raw: the measurement of the same pair before it was aligned, whose
        ends are the same fields."""
        found = connect(pair, self.problem.evaluator)
        if self.targets:
            if key not in self.ends:
                self.ends[key] = self.chamfers(pair, 0.0)
            last = self.chamfers(pair, 1.0) if raw is None else raw.chamfer[:, 2]
            found.chamfer = np.stack([self.ends[key], self.chamfers(pair, 0.5), last], axis=1)
        return found

    def chamfers(self, pair: Pair, alpha: float) -> np.ndarray:
        return 100 * chamfers(pair, self.targets, SURFACE, (alpha,))[:, 0]


def study(cell: Cell, context: Context) -> Study:
    """What the cells of a data set share, also those of other experiments that measure other starts."""
    return context.shared(("figure 3", cell.data), lambda: Study(cell.data, context))


def run(cell: Cell, context: Context) -> dict:
    return study(cell, context).row(cell, keep=kept(cell))


def settings(cell: Cell, context: Context) -> dict:
    return fitted(cell, context) | {"points": POINTS, "surfaces": SURFACE, "alphas": ALPHAS}


def report(found: Found, paths: list[Path], context: Context) -> None:
    data, rows = found[0][0].data, [row for _, row in found]
    about = {
        "preset": context.preset, "dataset": data, "ids": signals_of(data).ids, "init_seed": 0, "point_seeds": [0, 1],
        "alphas": list(ALPHAS), "iou_points": POINTS,
        "surface": f"{SURFACE}³, 2,048 points, plain distances, both directions summed, ×10²", "rows": rows,
    }  # fmt: skip
    whole, table, text, picture = paths
    write_json(whole, about)
    write_tables([table, text], flat(rows))
    draw(rows, data, picture)


def _line(pair: Pair, found: Connection, whole: bool) -> dict:
    """The measurements of the line between two fits. whole: include the curve of every target, which the app draws
    beside its pictures."""
    distance = (pair.a - pair.b).norm(dim=1).numpy()
    summary = _summary(found) | {"distance": _spread(distance), "drops": found.drop.round(4).tolist()}
    summary |= {"rises": found.rise.round(3).tolist()} if found.chamfer.size else {}
    return summary | ({"curves": found.quality.round(4).tolist()} if whole else {})


def _stored(signal: Signal, number: int, quality: float, steps: int) -> dict:
    row = {"id": f"{signal.id}@{number}", "class": signal.cls, "split": signal.split, "quality": quality}
    return row | {"steps": steps, "seconds": 0.0, "target_sha256": signal.sha256(), "status": "ok"}


def _similar(name: str, pair: Pair, centre) -> dict:
    found = similarity(pair.a, pair.b, centre)
    return {name: _spread(found.cosine), f"{name}_floor": found.floor}


def _summary(found: Connection) -> dict:
    curve = [_spread(values) for values in found.quality.T]
    summary = {"curve": curve, "drop": _spread(found.drop)}
    if found.chamfer.size:
        summary |= {"chamfer": [_spread(values) for values in found.chamfer.T], "rise": _spread(found.rise)}
    return summary


def _spread(values: np.ndarray) -> dict:
    return {"mean": float(np.mean(values)), "sd": float(np.std(values))}


def flat(rows: list[dict]) -> pd.DataFrame:
    """A flat table with the values that Figure 3 draws."""
    lines = []
    for row in rows:
        raw, aligned = row["raw"], row["aligned"]
        line = {key: row[key] for key in ("representation", "series", "sigma", "lambda", "start_cosine")}
        line |= {"cosine": row["cosine"]["mean"], "floor": row["cosine_floor"]}
        line |= {"change cosine": row["change_cosine"]["mean"], "change floor": row["change_cosine_floor"]}
        middle = ALPHAS.index(0.5)
        line |= {"ends": (raw["curve"][0]["mean"] + raw["curve"][-1]["mean"]) / 2}
        line |= {"middle": raw["curve"][middle]["mean"], "drop": raw["drop"]["mean"], "drop sd": raw["drop"]["sd"]}
        line |= {
            "drop aligned": aligned["drop"]["mean"],
            "nearer by": 1 - aligned["distance"]["mean"] / raw["distance"]["mean"],
        }
        lowered = np.array(aligned["drops"]) < np.array(raw["drops"]) - 1e-3
        line |= {"barrier lowered": float(lowered.mean())}
        if "rise" in raw:
            line |= {
                "CD rise": raw["rise"]["mean"],
                "CD rise sd": raw["rise"]["sd"],
                "CD rise aligned": aligned["rise"]["mean"],
            }
        lines.append(line)
    return pd.DataFrame(lines)


EXPERIMENT = Experiment(
    name="figure3",
    title="`reports/figure3-*`: two fits of 30 targets each, the line between them; `zoos/*-pairs/`, which Connect "
    "opens with",
    data=("emoji", "shapes10"),
    grid=lambda context: [
        {"data": data, **dict(zip(AXES, case, strict=True))} for data in context.data(EXPERIMENT) for case in cases()
    ],
    signals=signals_of,
    settings=settings,
    needs=base_needed,
    makes=lambda cell, context: [pairs(cell, context)] if kept(cell) else [],
    run=run,
    report=report,
    work=lambda cell, context: {"fits": 2 * INSTANCES},
    held=lambda report, cell, context: any(all(row[axis] == cell[axis] for axis in AXES) for row in report["rows"]),
    reports=tuple(f"reports/figure3-{{data}}.{ending}" for ending in ("json", "csv", "md", "png")),
    report_by=("data",),
    place=9,
    size="16 MB",
    time="about 4 h a data set",
)
