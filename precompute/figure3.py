"""Figure 3: do independent fits of one target meet in one linear mode? `python -m precompute.figure3`, for both data
sets; name one to have that alone. Resumable: a killed run loses one row.

30 held-out targets of each data set, fitted twice by each representation. Two series:

- `own`: each from its own start, the second taken away from the first by λ = 0 (the control: the same start, other
  points), 0.25, 0.5, 0.75, 1 (an independent start).
- `spread`: λ = 1, all six from one fixed start with the same relative spread σ = 0.02, 0.1, 0.3 around it.
- `normal`: λ = 1, the multiplicative adapters from zero-mean starts.

The independent fits of `own` and `normal` are kept as zoos, assets/zoos/<data set>-<representation>-pairs and
…-normal-pairs, a target's two fits as `<id>@0` and `<id>@1`: the app's Connect tab opens with them.

Of each row: cosines of the two starts, of the two fits, and of their change from the mean of such starts, both beside
their floor; quality at eleven places of the line, and the Chamfer distance ×10² of the surfaces (at 64³, 2,048 points)
at its ends and halfway; raw, and with the second fit aligned to the first. Mean and standard deviation over targets.
Written to assets/reports/figure3-<data set>.{json,csv,md,png}.
"""

import sys
import time
from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from filelock import FileLock

from precompute.bases import prepare
from precompute.figure3_drawn import draw
from precompute.selection import zoo_signals
from precompute.tables import Resumed, fit_parts, markdown
from wsr import representations
from wsr.analysis.connectivity import ALPHAS, Connection, Pair, chamfers, connect, fit_pair, similarity
from wsr.data.signals import Signal, Signals
from wsr.fitting.problem import make_problem
from wsr.identity import Identity
from wsr.paths import assets_dir, atomic_path, cache_dir
from wsr.presets import preset
from wsr.progress import bar
from wsr.zoo import Zoo
from wsr.zoo.build import require_same_run

INSTANCES, SURFACE = 30, 64
POINTS = 25_000  # of an IoU: the mean over 30 shapes is known to 0.001
LAMBDAS, SIGMAS = (0.0, 0.25, 0.5, 0.75, 1.0), (0.02, 0.1, 0.3)
SERIES = [
    *(("own", 0.02, value) for value in LAMBDAS),
    *(("spread", value, 1.0) for value in SIGMAS),
    ("normal", 1.0, 1.0),
]
CASES = [  # only multiplicative adapters have a centre to start from, and so another start without one
    (name, *case) for name in representations for case in SERIES if case[0] != "normal" or name.startswith("mlora")
]
INITS = {"own": "centered", "spread": "spread", "normal": "normal"}


class Study:
    """One data set's rows, kept on disk as they come."""

    def __init__(self, dataset: str):
        prepare(dataset)
        self.dataset = dataset
        self.signals: Signals = zoo_signals(dataset).where(split="heldout")[:INSTANCES]
        resolution = preset("cpu", self.signals.modality).resolution
        self.problem = make_problem(self.signals, resolution, evaluation_points=POINTS)
        self.ends: dict[tuple, np.ndarray] = {}  # Chamfer distances of the first fits, which the λ of a series share
        self.targets = [signal.read() for signal in self.signals] if self.signals.modality.view == "surface" else []
        self.path = assets_dir() / "reports" / f"figure3-{dataset}.json"

        about = {"points": POINTS, "surface": SURFACE, "alphas": ALPHAS}
        self.identity = Identity.of("figure 3", 1, **fit_parts(self.signals, dataset), **about)

    def resumed(self) -> Resumed:
        """The report as it is; WsrError where another run has begun it."""
        return Resumed(self.path, self.identity)

    def rows(self) -> list[dict]:
        return self.resumed().report.get("rows", [])

    def run(self, names: Sequence[str] = tuple(representations)) -> None:
        todo = [case for case in CASES if case[0] in names]
        done = {_case(row) for row in self.rows()}
        firsts: dict[tuple, torch.Tensor] = {}
        with bar(f"figure 3 {self.dataset}") as update:
            for i, (name, series, sigma, value) in enumerate(todo):
                if (name, series, sigma, value) not in done:
                    row = self.row(name, series, sigma, value, firsts)
                    self.write(row)
                    update(
                        i + 1, len(todo), f"{name} {series} σ {sigma} λ {value}: drop {row['raw']['drop']['mean']:.3f}"
                    )

    def row(self, name: str, series: str, sigma: float, value: float, firsts: dict) -> dict:
        begun, key, init = time.monotonic(), (name, series, sigma), INITS[series]
        pair = fit_pair(self.signals, name, self.dataset, init=init, sigma=sigma, perturb=value, first=firsts.get(key))
        firsts[key] = pair.a
        kept = value == 1 and series != "spread"
        if kept:
            self.keep(pair, series, sigma)
        raw = self.connection(pair, key)
        aligned = pair.aligned()
        moved = raw if torch.equal(aligned.b, pair.b) else self.connection(aligned, key, raw)
        return {
            "representation": name,
            "series": series,
            "sigma": sigma,
            "lambda": value,
            "start_cosine": float(torch.nn.functional.cosine_similarity(*pair.starts, dim=0)),
            **_similar("cosine", pair, 0.0),
            **_similar("change_cosine", pair, pair.start_mean),
            "raw": _line(pair, raw, kept),
            "aligned": _line(aligned, moved, kept),
            "seconds": time.monotonic() - begun,
        }

    def keep(self, pair: Pair, series: str, sigma: float) -> None:
        """The pair as a zoo of its own."""
        name = f"{self.dataset}-{pair.model.name}" + ("-normal" if series == "normal" else "") + "-pairs"
        steps = preset("cpu", self.signals.modality).fit.steps
        zoo = Zoo.create(
            self.path.parent.parent / "zoos" / name, pair.model, dataset=self.dataset, preset="cpu",
            init=INITS[series], sigma=sigma, init_seed=0, steps=steps, perturb=1.0,
        )  # fmt: skip
        if len(zoo):
            require_same_run(zoo, self.signals, None)
            return
        truth = make_problem(self.signals, zoo.resolution).truth  # a zoo's quality is that of all points
        for number, weights in enumerate((pair.a, pair.b)):
            stored = weights.half()
            quality = truth.quality(pair.model, stored.float())
            zoo.append(
                stored,
                [_stored(signal, number, float(q), steps) for signal, q in zip(self.signals, quality, strict=True)],
            )

    def connection(self, pair: Pair, key: tuple, raw: Connection | None = None) -> Connection:
        """raw: that of the same pair before it was aligned, whose ends are the same fields."""
        found = connect(pair, self.problem.truth)
        if self.targets:
            if key not in self.ends:
                self.ends[key] = self.chamfers(pair, 0.0)
            last = self.chamfers(pair, 1.0) if raw is None else raw.chamfer[:, 2]
            found.chamfer = np.stack([self.ends[key], self.chamfers(pair, 0.5), last], axis=1)
        return found

    def chamfers(self, pair: Pair, alpha: float) -> np.ndarray:
        return 100 * chamfers(pair, self.targets, SURFACE, (alpha,))[:, 0]

    def write(self, row: dict) -> None:
        """The report with one more row; other runs add theirs."""
        with FileLock(cache_dir() / f"{self.path.stem}.lock"):
            self._write(sorted([*self.rows(), row], key=lambda known: CASES.index(_case(known))))

    def _write(self, rows: list[dict]) -> None:
        report = {
            "preset": "cpu",
            "dataset": self.dataset,
            "ids": self.signals.ids,
            "init_seed": 0,
            "point_seeds": [0, 1],
            "alphas": list(ALPHAS),
            "iou_points": POINTS,
            "surface": f"{SURFACE}³, 2,048 points, plain distances, both directions summed, ×10²",
            "rows": rows,
        }
        self.resumed().write(report)
        table = flat(rows)
        with atomic_path(self.path.with_suffix(".csv")) as temporary:
            table.to_csv(temporary, index=False)
        with atomic_path(self.path.with_suffix(".md")) as temporary:
            temporary.write_text(markdown(table))
        draw(rows, self.dataset, self.path.with_suffix(".png"))


def _line(pair: Pair, found: Connection, whole: bool) -> dict:
    """`whole`: with the curve of every target, which the app draws beside its pictures."""
    distance = (pair.a - pair.b).norm(dim=1).numpy()
    summary = _summary(found) | {"distance": _spread(distance), "drops": found.drop.round(4).tolist()}
    return summary | ({"curves": found.quality.round(4).tolist()} if whole else {})


def _case(row: dict) -> tuple:
    return row["representation"], row["series"], row["sigma"], row["lambda"]


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
    """A line for each row: what figure 3 draws."""
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


if __name__ == "__main__":
    named = [name for name in sys.argv[1:] if name in representations]
    for argument in [name for name in sys.argv[1:] if name not in named] or ("emoji", "shapes10"):
        Study(argument).run(named or tuple(representations))
