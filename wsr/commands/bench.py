"""The sub-command `wsr bench`."""

import json
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

from tyro.conf import OmitArgPrefixes, Positional, subcommand

from wsr.bench.figure import draw_growth
from wsr.commands import OK, DataSetName, PresetName, console
from wsr.paths import assets_dir, atomic_path, require_writable


def report_path(name: str, out: Path | None) -> Path:
    """Where a report goes. WsrError, before minutes of measuring, where it cannot be written there."""
    return require_writable(out or assets_dir() / "reports" / f"{name}.json")


def write_report(path: Path, report: dict | list) -> None:
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(report, indent=1))
    console.print(f"Written to {path}.", highlight=False)


@dataclass
class BenchFit:
    """Compare the batched fit with this machine's rate of matrix products, with a sequential peer, and with fits that
    start where an encoder says, if there is one. Takes some 20 minutes on two cores; nothing else should be running.

    With `--batches`: measure instead how many fits per second this device makes of so many instances at once, and how
    much memory that takes.

    Examples: `wsr bench fit emoji`; `wsr bench fit --preset paper --device cuda --batches 64 256 1024 4096`.
    """

    dataset: Positional[DataSetName] = DataSetName("emoji")
    """The data set whose held-out instances are fitted."""
    instances: int = 32
    """Number of instances."""
    batches: tuple[int, ...] = ()
    """Numbers of instances to fit at once. Their targets are noise, and nothing is compared."""
    preset: PresetName = "cpu"
    """Sizes of the field and of a fit, with `--batches`."""
    device: str | None = None
    """cpu or cuda, with `--batches`; by default CUDA if available."""
    out: Path | None = None
    """The report's file; by default assets/reports/bench-fit-<data set>.json, or bench-batches-<preset>.json."""

    def run_batches(self) -> int:
        from wsr.bench.batches import BatchSettings, bench_batches
        from wsr.devices import usable

        device, path = usable(self.device), report_path(f"bench-batches-{self.preset}", self.out)
        report = {"preset": self.preset, "device": device}
        report |= dict(bench_batches(BatchSettings.of(self.preset, sizes=self.batches), device, say=console.print))
        write_report(path, report)
        return OK

    def run(self) -> int:
        if self.batches:
            return self.run_batches()
        from wsr.bench.encoded import encoded_row
        from wsr.bench.fit import FitBench, Side
        from wsr.data import load_signals

        path = report_path(f"bench-fit-{self.dataset}", self.out)
        held_out = load_signals(self.dataset).where(split="heldout")
        spread = held_out.ids[:: max(1, len(held_out) // (self.instances + 4))]
        bench = FitBench(held_out.select(spread), self.dataset, self.instances, console.print)
        report = bench.report()
        batched = report["batched"]
        report["encoded"] = encoded_row(bench, Side(*(batched[field.name] for field in fields(Side))))
        console.print(
            f"On {report['machine']['processor']} ({', '.join(report['machine']['flags'])}) the batched step runs at "
            f"{report['share_of_product_rate']:.0%} of the rate of {report['compute_dtype']} products. "
            f"Against the sequential peer: {report['speedup_same_steps']:.1f} times faster at the same steps, "
            + (
                f"{report['speedup_equal_quality']:.1f} times at equal quality."
                if report["speedup_equal_quality"]
                else "which reached no equal quality."
            )
        )
        console.print(report["encoded"]["said"], highlight=False)
        write_report(path, report)
        return OK


@dataclass
class BenchGrowth:
    """Measure seconds per instance and memory, from 64 to 4,096 instances. Writes a report and (with the extra
    `report`) a figure.

    Example: `wsr bench growth`.
    """

    sizes: tuple[int, ...] = (64, 256, 1024, 4096)
    """Number of instances of each zoo."""
    workers: int | None = None
    """Batches fitted side by side; by default one per core."""
    out: Path | None = None
    """The report's file; by default assets/reports/bench-growth.json."""

    def run(self) -> int:
        from wsr.bench.growth import bench_growth
        from wsr.data import load_signals

        path = report_path("bench-growth", self.out)
        rows = bench_growth(load_signals("emoji"), "emoji", self.sizes, self.workers, console.print)
        write_report(path, rows)
        draw_growth(rows, path.with_suffix(".png"))
        return OK


@dataclass
class BenchSurfaces:
    """Compare the hierarchical grid with evaluating every sample. Example: `wsr bench surfaces --resolution 128`."""

    zoo: str = "shapes10-mlora-asym"
    """The zoo whose surfaces are extracted."""
    resolution: int = 128
    """Samples along an edge of the grid."""
    count: int = 10
    """Number of surfaces."""
    out: Path | None = None
    """The report's file; by default assets/reports/bench-surfaces.json."""

    def run(self) -> int:
        from wsr.bench.surfaces import bench_surfaces
        from wsr.zoo import Zoo

        path = report_path("bench-surfaces", self.out)
        report = bench_surfaces(Zoo.open(self.zoo), self.resolution, self.count, console.print)
        console.print(f"{report['speedup']:.1f} times faster, {report['same_surface']} of {self.count} the same.")
        write_report(path, report)
        return OK


@dataclass
class BenchPhotograph:
    """Measure how much of `wsr fit` of a photograph is not spent on fitting, alone and beside busy processes.

    Example: `wsr bench photograph --steps 300`.
    """

    steps: int = 1500
    """Steps of the fit."""
    busy: int = 2
    """Number of busy processes beside the second run."""
    code: Path | None = None
    """The folder of another version of wsr, to measure that one instead."""
    out: Path | None = None
    """The report's file; by default assets/reports/bench-photograph.json."""

    def run(self) -> int:
        from wsr.bench.photograph import bench_photograph

        path = report_path("bench-photograph", self.out)
        report = bench_photograph(self.steps, busy=self.busy, code=self.code, say=console.print)
        write_report(path, report)
        return OK


@dataclass
class Bench:
    """Measure speed: fit, growth, surfaces, photograph."""

    command: OmitArgPrefixes[
        Annotated[BenchFit, subcommand("fit")]
        | Annotated[BenchGrowth, subcommand("growth")]
        | Annotated[BenchSurfaces, subcommand("surfaces")]
        | Annotated[BenchPhotograph, subcommand("photograph")]
    ]

    def run(self) -> int:
        return self.command.run()
