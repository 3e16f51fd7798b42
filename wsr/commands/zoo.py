"""The sub-command `wsr zoo`."""

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from rich.table import Table
from tyro.conf import OmitArgPrefixes, Positional, subcommand

from wsr.commands import FAILED, OK, PresetName, RepresentationName, console
from wsr.errors import WsrError
from wsr.progress import bar


@dataclass
class ZooInfo:
    """What a zoo holds. Example: `wsr zoo info emoji-mlora-asym`."""

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
    """Decode a zoo and recompute the quality that its index states. Exit code 1 where something does not hold.

    Example: `wsr zoo check shapes10-mlora-asym --sample 100`.
    """

    zoo: Positional[str]
    """A zoo's folder, or its name in assets/zoos."""
    sample: int | None = None
    """Only this many instances, evenly spread."""

    def run(self) -> int:
        from wsr.zoo import Zoo, check_zoo

        zoo = Zoo.open(self.zoo)
        with bar("check") as update:
            report = check_zoo(zoo, self.sample, update)
        if report.targets_missing:
            console.print(f"The targets are not at hand, so only the decode was checked. {report.targets_missing}")
        else:
            found = list(report.recomputed.values())
            console.print(
                f"Recomputed {len(found)} qualities: mean {sum(found) / max(len(found), 1):.4f}, largest "
                f"difference from the index {report.largest_difference:.2g}."
            )
        for problem in report.problems[:20]:
            console.print(f"[red]✗[/red] {problem}")
        console.print(
            f"{report.instances} instances: " + ("all hold." if report.ok else f"{len(report.problems)} problems.")
        )
        return OK if report.ok else FAILED


@dataclass
class ZooBuild:
    """Fit a data set, or a selection of it, into a zoo. Goes on where a killed run stopped.

    Example: `wsr zoo build images:photos --base photos.safetensors --out zoos/photos`.
    """

    dataset: Positional[str]
    """emoji, faces, shapes10, one of their classes, images:DIR or meshes:DIR."""
    out: Path
    """The zoo's folder."""
    representation: RepresentationName = "mlora-asym"
    """What the weights are."""
    base: str | None = None
    """emoji, shapes10 or a checkpoint's path; by default the one for the kind of signal."""
    count: int | None = None
    """Only the first so many signals."""
    rank: int | None = None
    """Rank of the adapters; by default the preset's."""
    steps: int | None = None
    """Adam steps; by default the preset's."""
    init_seed: int = 0
    """Of the shared start's random part."""
    seed: int = 0
    """Of the points that are drawn."""
    sigma: float = 0.02
    """Spread of the centred start."""
    init: Literal["centered", "normal", "spread", "first"] = "centered"
    """The start that all share; `first`: the first instance's own weights, HyperDiffusion's trick for MLPs."""
    preset: PresetName = "cpu"
    """Steps, points and batch."""
    device: str | None = None
    """cpu or cuda; by default CUDA where there is one."""
    workers: int | None = None
    """Batches fitted side by side; by default one for each core."""
    shard: str | None = None
    """Only this range of the signals, as 3/16 (of 0/16 to 15/16); `wsr zoo merge` joins the shards."""

    def run(self) -> int:
        from wsr.data import load_signals
        from wsr.devices import usable
        from wsr.fitting.fit import representation_for
        from wsr.presets import preset
        from wsr.zoo import Zoo, build_zoo, shard

        device = usable(self.device)
        if self.count is not None and self.count < 1:
            raise WsrError(f"A zoo holds one instance or more: --count cannot be {self.count}.")
        signals = load_signals(self.dataset)[: self.count]
        if self.shard:
            signals = shard(signals, self.shard)
        model = representation_for(self.representation, self.base, signals.modality, self.rank, self.preset)
        zoo = Zoo.create(
            self.out,
            model,
            dataset=self.dataset,
            preset=self.preset,
            init=self.init,
            sigma=self.sigma,
            init_seed=self.init_seed,
            seed=self.seed,
            steps=self.steps or preset(self.preset, signals.modality).fit.steps,
        )
        records = build_zoo(zoo, signals, device=device, workers=self.workers)
        first = next(records, None)  # what is refused is refused before there is a bar
        if first is None:
            console.print(f"{self.out} is complete already: {len(zoo)} instances.")
            return OK
        with bar(f"zoo {self.out.name}") as update:
            for record in itertools.chain([first], records):
                update(record.done, record.total, f"quality {record.quality:.3f}")
        return OK


@dataclass
class ZooMerge:
    """Join zoos that were made in shards, in the order given. May be repeated.

    Example: `wsr zoo merge zoos/photos shards/0 shards/1`.
    """

    out: Positional[Path]
    """The zoo's folder."""
    parts: Positional[tuple[Path, ...]]
    """The shards' folders."""

    def run(self) -> int:
        from wsr.zoo import merge_zoos

        console.print(f"{len(merge_zoos(self.out, list(self.parts)))} instances in {self.out}.")
        return OK


@dataclass
class ZooCompress:
    """Copy a finished zoo in a byte a number, half its size, at a loss of some hundredths of a dB.

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
