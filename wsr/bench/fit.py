"""`wsr bench fit`: the batched fit, the machine's rate of products and the sequential peer, side by side."""

import math
import platform
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from wsr.bench.peer import PeerConfig, fit_peer
from wsr.bench.rates import fit_flops, product_rate
from wsr.data import Signals
from wsr.errors import counted
from wsr.fields import registry
from wsr.fields.base import BaseField, compute_dtype, multiplies_bf16
from wsr.fields.mlora import MultiplicativeLoRA
from wsr.fields.representation import Representation
from wsr.fitting.fit import representation_for
from wsr.fitting.loop import run_fit
from wsr.fitting.problem import Problem, make_problem
from wsr.fitting.threads import cores, side_by_side, workers_for
from wsr.presets import FitConfig, preset

TRIED_ON = 4  # instances for searching the peer's learning rate and schedule; not among the measured ones
RATES = (0.005, 0.01, 0.02, 0.04)  # the search goes on doubling while the highest rate is the best
HIGHEST = 1.0
BUDGETS = tuple(2 ** (i / 2) for i in range(7))  # the peer's numbers of steps, in units of the batched fit's
PARTLY = 0.2  # share of a fit's steps that is run if only its time is measured
FLAGS = ("avx2", "fma", "avx512f", "avx512_bf16", "amx_bf16")
SOUGHT_ON = 8  # measured instances on which the peer's number of steps is searched, before it is confirmed on all

Say = Callable[[str], None]


@dataclass
class Side:
    """Result of one side: seconds an instance, mean quality, points a second."""

    steps: int
    points: int
    lr: float
    seconds: float
    quality: float

    @property
    def rate(self) -> float:
        return self.steps * self.points / self.seconds


class FitBench:
    """The comparison, with the instances and the start that both sides share. rate_seconds: duration of each
    measurement of the rate of products."""

    rate_seconds = 2.0

    def __init__(self, signals: Signals, base: str | BaseField, instances: int, say: Say, name: str = "mlora-asym"):
        self.settings, self.say, self.base = preset("cpu", signals.modality), say, base
        self.model: MultiplicativeLoRA = representation_for(name, base, signals.modality)
        self.start = self.model.initial()
        self.signals, self.tried = signals[:instances], signals[instances : instances + TRIED_ON]
        self.problem = make_problem(self.signals, self.settings.resolution)
        self.config = self.settings.fit.of(name)

    def report(self) -> dict:
        before = self.rates()
        batched, qualities = self.batched()
        after = self.rates()
        rates = {kind: (before[kind] + after[kind]) / 2 for kind in before}
        by_name = self.every_representation()
        same = self.peer_same()
        own, tried = self.peer_own(qualities)
        field = self.model.config
        done = fit_flops(field.layers, field.channels, 1) * batched.rate
        kind = str(compute_dtype("cpu")).removeprefix("torch.")
        return {
            "machine": machine(),
            "dataset": self.signals.name,
            "representation": self.model.name,
            "instances": len(self.signals),
            "product_rate": rates,
            "product_rate_before_and_after": [before, after],
            "compute_dtype": kind,
            "seconds_by_representation": by_name,
            "batched": asdict(batched) | {"points_per_second": batched.rate, "flops": done},
            "share_of_product_rate": done / rates[kind],
            "peer_same_steps": asdict(same),
            "speedup_same_steps": same.seconds / batched.seconds,
            "peer_equal_quality": asdict(own) if own else None,
            "speedup_equal_quality": own.seconds / batched.seconds if own else None,
            "peer_search": tried,
        }

    def rates(self) -> dict[str, float]:
        """Measures the current rates of matrix products; they change with the load of other virtual machines."""
        kinds = {"bfloat16": torch.bfloat16, "float32": torch.float32}
        found = {name: product_rate(kind, seconds=self.rate_seconds) for name, kind in kinds.items()}
        self.say(", ".join(f"{kind} products: {rate / 1e9:.0f} GFLOP/s" for kind, rate in found.items()))
        return found

    def batched(self) -> tuple[Side, Float[np.ndarray, "n"]]:
        """Measures the batched fit of all instances, as for a zoo, after a few warm-up steps. Returns the qualities
        too."""
        self._fit_all(self.model, self.start, replace(self.config, steps=10))
        seconds, quality = self._fit_all(self.model, self.start, self.config)
        side = Side(self.config.steps, self.config.points, self.config.lr, seconds, float(quality.mean()))
        self.say(f"batched: {side.seconds:.2f} s an instance, quality {side.quality:.3f}")
        return side, quality

    def every_representation(self) -> dict[str, float]:
        """Measures seconds an instance for each representation, extrapolated from the share PARTLY of a fit's steps."""
        found = {}
        for name in registry.names():
            model, config = representation_for(name, self.base, self.signals.modality), self.settings.fit.of(name)
            seconds, _ = self._fit_all(model, model.initial(), replace(config, steps=round(config.steps * PARTLY)))
            found[name] = seconds / PARTLY
            self.say(f"{name}: {found[name]:.2f} s an instance")
        return found

    def _fit_all(self, model: Representation, start: Tensor, config: FitConfig) -> tuple[float, np.ndarray]:
        """Seconds an instance, and qualities."""
        parts = [self.part(first, config.batch) for first in range(0, len(self.signals), config.batch)]
        workers = workers_for("cpu", len(parts))

        def fit(problem: Problem):
            *_, last = run_fit(problem, model, start, config, self.settings.resolution, 0)
            return last.result

        with side_by_side(fit, parts, workers) as results:
            results = list(results)
        seconds = sum(result.seconds for result in results) / workers / len(self.signals)
        return seconds, np.concatenate([result.quality for result in results])

    def part(self, first: int, count: int) -> Problem:
        return make_problem(self.signals[first : first + count], self.settings.resolution)

    def peer(self, config: PeerConfig, problem: Problem | None = None) -> Side:
        problem = problem or self.problem
        weights, seconds = fit_peer(problem, self.model, self.start, config)
        quality = float(np.mean(problem.evaluator.quality(self.model, weights)))
        return Side(config.steps, config.points, config.lr, seconds / len(problem.ids), quality)

    def peer_same(self) -> Side:
        """(a) Measures the peer with the batched fit's steps, points, learning rate and optimiser."""
        ours = self.config
        side = self.peer(PeerConfig(ours.steps, ours.points, ours.lr, ours.betas, a_rate=ours.a_rate))
        self.say(f"peer, same steps: {side.seconds:.2f} s an instance, quality {side.quality:.3f}")
        return side

    def peer_own(self, wanted: Float[np.ndarray, "n"]) -> tuple[Side | None, list[dict]]:
        """(b) Measures the peer with its own best learning rate and schedule, and with increasing numbers of steps
        until its mean quality reaches ours but for a negligible difference: first on SOUGHT_ON instances, then, from
        the number of steps that suffices there, on all. None if no number in BUDGETS suffices."""
        few = make_problem(self.signals[:SOUGHT_ON], self.settings.resolution)
        tried = self.peer_search()
        best = max(tried, key=lambda row: row["quality"])
        budgets = [round(self.config.steps * factor) for factor in BUDGETS]
        for problem in (few, self.problem):
            equal = float(np.mean(wanted[: len(problem.ids)])) - self.signals.modality.negligible
            while budgets:
                config = PeerConfig(budgets[0], self.config.points, best["lr"], schedule=best["schedule"])
                side = self.peer(config, problem)
                self.say(
                    f"peer, {counted(side.steps, 'step')}, {counted(len(problem.ids), 'instance')}: "
                    f"{side.seconds:.2f} s each, quality {side.quality:.3f}, wanted {equal:.3f}"
                )
                if side.quality >= equal:
                    break
                budgets.pop(0)
        return side if budgets else None, tried

    def peer_search(self) -> list[dict]:
        """Searches the peer's learning rate and schedule at our number of steps, on other instances. Returns the mean
        quality of each."""
        problem, tried = make_problem(self.tried, self.settings.resolution), []
        for schedule in ("cosine", "constant"):
            rates, best = list(RATES), -math.inf
            for lr in rates:
                config = PeerConfig(self.config.steps, self.config.points, lr, schedule=schedule)
                quality = self.peer(config, problem).quality
                tried.append(asdict(config) | {"quality": quality})
                self.say(f"peer, {schedule} from {lr}: quality {quality:.3f}")
                if lr == rates[-1] and quality > best and lr < HIGHEST:
                    rates.append(2 * lr)
                best = max(best, quality)
        return tried


def machine() -> dict:
    """Describes the machine of a measurement. flags: CPU features that determine the speed of products."""
    model, flags = cpu()
    return {
        "processor": model,
        "flags": [flag for flag in FLAGS if flag in flags],
        "bf16_in_hardware": multiplies_bf16("cpu"),
        "cores": cores(),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "capability": torch.backends.cpu.get_cpu_capability(),
        "date": time.strftime("%Y-%m-%d"),
    }


def cpu() -> tuple[str, set[str]]:
    """Returns the CPU's name and flags on Linux; on other systems the platform's name and no flags."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    told = dict(reversed([[part.strip() for part in line.split(":", 1)] for line in lines if ":" in line]))
    return told.get("model name") or platform.processor() or platform.machine(), set(told.get("flags", "").split())
