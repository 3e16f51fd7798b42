"""The sub-command `wsr zoo`."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from rich.table import Table
from tyro.conf import OmitArgPrefixes, Positional, arg, subcommand

from wsr.commands import FAILED, OK, PresetName, RepresentationName, a_data_set, console
from wsr.commands.levers import LeverOptions
from wsr.errors import WsrError, counted
from wsr.progress import bar


@dataclass
class ZooInfo:
    """Show what a zoo contains. Example: `wsr zoo info emoji-mlora-asym`."""

    zoo: Positional[str]
    """A zoo's folder, or its name in assets/zoos."""

    def run(self) -> int:
        from wsr.zoo import Zoo

        zoo = Zoo.open(self.zoo)
        for key in ("representation", "modality", "dim", "preset", "rank", "base", "dataset", "steps", "init", "sigma",
                    "dtype"):  # fmt: skip
            console.print(f"{key}: {zoo.meta.get(key)}")
        table = Table("split", "class", "count", "mean quality", "lowest")
        for (split, cls), part in zoo.index.groupby(["split", "class"]):
            quality = part["quality"]
            table.add_row(split, cls, str(len(part)), f"{quality.mean():.3f}", f"{quality.min():.3f}")
        for split, part in zoo.index.groupby("split"):
            table.add_row(split, "all", str(len(part)), f"{part['quality'].mean():.3f}", f"{part['quality'].min():.3f}")
        console.print(table)
        return OK


@dataclass
class ZooCheck:
    """Decode a zoo and recompute the quality that its index states. The exit code is 1 if anything is wrong.

    Example: `wsr zoo check shapes10-mlora-asym --sample 100`.
    """

    zoo: Positional[str]
    """A zoo's folder, or its name in assets/zoos."""
    sample: int | None = None
    """Check only this many instances, evenly spaced."""
    device: str | None = None
    """cpu or cuda; by default CUDA if available."""

    def run(self) -> int:
        from wsr.devices import usable
        from wsr.zoo import Zoo, check_zoo

        device = usable(self.device)
        zoo = Zoo.open(self.zoo).to(device)
        with bar("check") as update:
            report = check_zoo(zoo, self.sample, update)
        if report.targets_missing:
            console.print(f"The targets are not at hand, so only the decode was checked. {report.targets_missing}")
        else:
            found = list(report.recomputed.values())
            console.print(
                f"Recomputed {counted(len(found), 'quality', 'qualities')}: mean "
                f"{sum(found) / max(len(found), 1):.4f}, largest difference from the index "
                f"{report.largest_difference:.2g}."
            )
        for problem in report.problems[:20]:
            console.print(f"[red]✗[/red] {problem}")
        console.print(
            f"{counted(report.instances, 'instance')}: "
            + ("all hold." if report.ok else f"{counted(len(report.problems), 'problem')}.")
        )
        return OK if report.ok else FAILED


@dataclass
class ZooBuild(LeverOptions):
    """Fit a data set, or a part of it, into a zoo. A killed run continues where it stopped.

    Example: `wsr zoo build images:photos --base photos.safetensors --out zoos/photos`.
    """

    dataset: Annotated[Positional[str], arg(help=a_data_set())]
    out: str
    """The zoo's folder, or an address such as s3://bucket/zoo."""
    representation: RepresentationName = RepresentationName("mlora-asym")
    """What is fitted: an MLP, or adapters of a base."""
    base: str | None = None
    """emoji, shapes10, or the path of a checkpoint; by default the one for the kind of signal."""
    count: int | None = None
    """Fit only the first so many signals."""
    rank: int | None = None
    """Rank of the adapters; by default the preset's."""
    steps: int | None = None
    """Adam steps; by default the preset's."""
    start: Literal["plain", "encoded"] = "plain"
    """encoded: where the base's encoder says, with a tenth of the steps (`wsr encoder` trains one). Instances that it
    does not know are fitted from the plain start, with the preset's steps."""
    init_seed: int = 0
    """Seed of the random part of the shared start."""
    seed: int = 0
    """Seed of the points that are drawn."""
    sigma: float = 0.02
    """Standard deviation of the start around its centre, if it has one."""
    init: Literal["centered", "normal", "lognormal", "spread", "first"] = "centered"
    """The start that all fits share; `first`: the fitted weights of the first instance (HyperDiffusion's initialization
    of MLPs)."""
    own_starts: bool = False
    """Draw a start for each instance instead of one that all share."""
    preset: PresetName = "cpu"
    """Decides steps, points and batch."""
    device: str | None = None
    """cpu or cuda; by default CUDA if available."""
    workers: int | None = None
    """Batches fitted side by side; by default one per core."""
    cluster: str | None = None
    """Spread the batches over a Ray cluster: its address (auto, ray://host:port), or `local` for processes of this
    machine. Workers may die and join at any time."""
    shard: str | None = None
    """Fit only this range of the signals, such as 3/16 (of 0/16 to 15/16); `wsr zoo merge` joins the shards."""

    def run(self) -> int:
        from wsr.data import load_signals
        from wsr.devices import usable
        from wsr.fitting.fit import representation_for
        from wsr.fitting.settings import FitSettings, Start
        from wsr.fitting.threads import THREADS
        from wsr.zoo import Zoo, build_zoo, shard
        from wsr.zoo.build import fit_settings
        from wsr.zoo.cluster import cluster
        from wsr.zoo.recipe import FIRST
        from wsr.zoo.remote import arrived, local, sent
        from wsr.zoo.shards import WHOLE

        device = usable(self.device)
        if self.count is not None and self.count < 1:
            raise WsrError(f"A zoo holds one instance or more: --count cannot be {self.count}.")
        signals = load_signals(self.dataset)[: self.count]
        if self.shard:
            if self.init == FIRST:
                raise WsrError(f"The fits of a shard would begin at its own first one. {WHOLE}")
            signals = shard(signals, self.shard)
        model = representation_for(self.representation, self.base, signals.modality, self.rank, self.preset)
        spread = cluster(self.cluster) if self.cluster else THREADS  # joined before anything is written
        start = Start.named(self.start)
        asked = FitSettings(start=start, preset=self.preset, steps=self.steps, **self.levers())
        folder = local(self.out)
        zoo = Zoo.create(
            folder,
            model,
            dataset=self.dataset,
            preset=self.preset,
            init=self.init,
            sigma=self.sigma,
            init_seed=self.init_seed,
            seed=self.seed,
            own_starts=self.own_starts or None,
            **fit_settings(model, asked),
        )
        records = build_zoo(zoo, signals, device=device, workers=self.workers, spread=spread)
        first = next(records, None)  # errors are raised before the bar is shown
        if first is None:
            if not arrived(folder, self.out):  # an earlier run may have failed there
                sent(folder, self.out)
            console.print(f"{self.out} is complete already: {counted(len(zoo), 'instance')}.")
            return OK
        with bar(f"zoo {self.out.rpartition('/')[2]}") as update:
            for record in itertools.chain([first], records):
                update(record.done, record.total, f"quality {record.quality:.3f}")
        sent(folder, self.out)
        return OK


@dataclass
class ZooMerge:
    """Join zoos that were built as shards, in the order given. May be repeated.

    Example: `wsr zoo merge zoos/photos shards/0 shards/1`.
    """

    out: Positional[str]
    """The zoo's folder, or an address such as s3://bucket/zoo."""
    parts: Positional[tuple[str, ...]]
    """The shards' folders, or their addresses."""

    def run(self) -> int:
        from wsr.zoo import merge_zoos
        from wsr.zoo.remote import local, sent

        folder = local(self.out)
        merged = merge_zoos(folder, [local(part) for part in self.parts])
        sent(folder, self.out)
        console.print(f"{counted(len(merged), 'instance')} in {self.out}.")
        return OK


@dataclass
class ZooCompress:
    """Copy a finished zoo with one byte per weight, half its size, which costs some hundredths of a dB.

    Example: `wsr zoo compress zoos/photos zoos/photos-small`.
    """

    zoo: Positional[str]
    """A zoo's folder, or its name in assets/zoos."""
    out: Positional[Path]
    """The copy's folder."""

    def run(self) -> int:
        from wsr.zoo import Zoo, compress_zoo

        zoo = Zoo.open(self.zoo)
        with bar("compress") as update:
            made = compress_zoo(zoo, self.out, update)
        lost = float((zoo.index["quality"] - made.index["quality"]).mean())
        console.print(f"Wrote {self.out}; mean quality {made.index['quality'].mean():.4f}, {lost:.4f} less.")
        return OK


@dataclass
class ZooCommand:
    """Work with weight zoos: build, merge, compress, info, check."""

    command: OmitArgPrefixes[
        Annotated[ZooInfo, subcommand("info")]
        | Annotated[ZooCheck, subcommand("check")]
        | Annotated[ZooBuild, subcommand("build")]
        | Annotated[ZooMerge, subcommand("merge")]
        | Annotated[ZooCompress, subcommand("compress")]
    ]

    def run(self) -> int:
        return self.command.run()
