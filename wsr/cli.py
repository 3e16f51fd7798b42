"""One command, `wsr`, with sub-commands. Each is a dataclass: its fields are the options, its docstring the help."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro
from rich.console import Console
from rich.table import Table
from tyro.conf import OmitArgPrefixes, Positional, subcommand

from wsr.cleanup import TERMINATED, Terminated, end_on_sigterm
from wsr.commands import MISTAKE, OK, STOPPED, PresetName, RepresentationName, console
from wsr.commands.bench import Bench
from wsr.commands.generate import AuditCommand, Diffuse, Evaluate, Sample
from wsr.commands.zoo import ZooCommand
from wsr.errors import WsrError, unknown_name
from wsr.formats.files import there
from wsr.paths import disk_error, make_dir, use_writable_caches
from wsr.progress import bar

RECORD_EVERY = 25  # steps of a fit: what the bar shows moves twice a second or more, and costs a twentieth of the fit


@dataclass
class Data:
    """Get a data set ready: fetch the emoji (a 15 MB npm package), or generate the 5,000 shapes and sample them.

    Examples: `wsr data emoji`, `wsr data shapes10`, `wsr data images:photos` (counts and checks a folder of your own),
    `wsr data chair.obj` (says what a mesh is like: closed or open, what was mended, how thin its walls are).
    """

    name: Positional[str]
    """emoji, shapes10, images:DIR, meshes:DIR or a mesh file."""
    folder: Path | None = None
    """Take the emoji from this folder of the package's files instead of asking npm."""

    def run(self) -> int:
        from wsr.data import load_signals

        if Path(self.name).suffix and os.path.isfile(self.name):
            from wsr.data.mesh_report import describe_mesh

            console.print(" ".join(describe_mesh(self.name).sentences()), highlight=False, markup=False)
            return OK
        if self.name.split("/")[0] == "emoji":
            from wsr.data.emoji import fetch_emoji

            fetch_emoji(self.folder)
        signals = load_signals(self.name)
        if self.name.split("/")[0] == "shapes10":
            from wsr.data.shapes10 import build_cache

            with bar("shapes") as update:
                build_cache(progress=update)
        if signals.modality.prepares:
            with bar(signals.modality.prepares) as update:
                signals.modality.prepare(signals, update)
        table = Table("class", "train", "held out")
        for cls in sorted(set(signals.classes)):
            parts = [len(signals.where(cls=cls, split=split)) for split in ("train", "heldout")]
            table.add_row(cls or "(none)", *map(str, parts))
        console.print(table, f"{len(signals)} {signals.modality.plural}.")
        return OK


@dataclass
class Base:
    """Train a base field on a data set, as a variational autodecoder. Goes on where a killed run stopped.

    Example: `wsr base images:photos --out photos.safetensors`, then `wsr fit me.png --base photos.safetensors`.
    """

    dataset: Positional[str]
    """emoji, shapes10, one of their classes, images:DIR or meshes:DIR."""
    out: Path | None = None
    """The checkpoint to write; by default assets/bases/<data set>.safetensors, with the preset and the seeds in its
    name where they are not the default."""
    preset: PresetName = "cpu"
    """cpu: an hour on two cores. paper: the paper's sizes and 350,000 steps, for a GPU."""
    seed: int = 0
    """Of the network's start and of the order of the training set."""
    mask_seed: int = 0
    """Of the asymmetric masks of everything that will be adapted to this base."""
    device: str | None = None
    """cpu or cuda; by default CUDA where there is one."""
    overwrite: bool = False
    """Replace a base that another run has made; zoos that stand on it will not open any more."""

    def run(self) -> int:
        from wsr.data import load_signals
        from wsr.fitting.bases import default_base_path, train_base
        from wsr.fitting.fit import default_device

        out = self.out or default_base_path(self.dataset, self.preset, self.seed, self.mask_seed)
        signals = load_signals(self.dataset)
        with bar(f"base {self.dataset}") as update:
            for record in train_base(
                signals,
                out,
                preset=self.preset,
                seed=self.seed,
                mask_seed=self.mask_seed,
                device=self.device or default_device(),
                overwrite=self.overwrite,
            ):
                update(record.step, record.steps, "" if record.kept else f"loss {record.loss:.4f}")
        console.print(f"{out} is there already: the same run has written it." if record.kept else f"Wrote {out}.")
        return OK


@dataclass
class Fit:
    """Fit pictures or shapes of your own (or of a data set) as small neural fields, and save their weights.

    Examples: `wsr fit me.png`, `wsr fit chair.obj --rank 8 --render chair.glb`, `wsr fit emoji --ids 1f600 1f984`.
    """

    source: Positional[tuple[str, ...]]
    """Files (PNG, JPEG, WebP, HEIC, AVIF, GIF, BMP, TIFF; OBJ, PLY, STL, GLB, OFF), or the name of a data set."""
    ids: tuple[str, ...] = ()
    """Only these ids of the data set."""
    representation: RepresentationName = "mlora-asym"
    """What the weights are."""
    base: str | None = None
    """emoji, shapes10 or a checkpoint's path; by default the one for the kind of signal."""
    rank: int | None = None
    """Rank of the adapters; by default the preset's."""
    steps: int | None = None
    """Adam steps; by default the preset's."""
    init: Literal["centered", "normal", "spread"] = "centered"
    """The start: at the mean of the base, zero-mean, or around one fixed start with the same spread for all six."""
    sigma: float = 0.02
    """Spread of the start around its centre, where it has one."""
    init_seed: int = 0
    """Of the start's random part."""
    seed: int = 0
    """Of the points that are drawn."""
    preset: PresetName = "cpu"
    """The sizes of a standalone MLP, the number of steps and points."""
    device: str | None = None
    """cpu or cuda; by default CUDA where there is one."""
    out: Path = Path("weights.safetensors")
    """Where the weights go."""
    render: Path | None = None
    """Also decode the first one to this .png or .glb."""

    def run(self) -> int:
        from wsr.data import load_signals
        from wsr.fitting.fit import fit_stream

        single = len(self.source) == 1 and not os.path.exists(self.source[0])  # false for a name that is too long
        named = single and not Path(self.source[0]).suffix
        if named:
            signals = load_signals(self.source[0], list(self.ids) or None)
        else:
            signals = _described(self.source, self.preset)
        with bar("fit") as update:
            for record in fit_stream(
                signals,
                self.representation,
                self.base,
                self.steps,
                self.rank,
                self.init,
                self.sigma,
                self.init_seed,
                0.0,
                self.seed,
                self.device,
                self.preset,
                RECORD_EVERY,
            ):
                update(record.step, record.steps, f"quality {record.quality.mean():.3f}")
        result = record.result
        result.save(self.out)
        unit = result.modality.unit
        for name, quality, status in zip(result.ids, result.quality, result.status, strict=True):
            console.print(f"{name}: {quality:.3f} {unit}{'' if status == 'ok' else f' ({status})'}", markup=False)
        console.print(f"{result.representation.size:,} numbers each, {result.seconds:.1f} s. Wrote {self.out}.")
        if self.render:
            result.modality.save(result.render()[0], self.render)
        return OK


def _described(files: tuple[str, ...], preset: str):
    """The signals of a user's own files. What there is to say of them is printed before they are fitted."""
    from wsr.fitting.problem import as_signals
    from wsr.presets import preset as find_preset

    signals = as_signals(list(files), preset=preset)
    for signal in signals:
        if sentences := signal.modality.describe(signal.read(), find_preset(preset, signal.modality).resolution):
            console.print(f"{signal.id}: {' '.join(sentences)}", highlight=False, markup=False)
    return signals


@dataclass
class Render:
    """Decode weights of a zoo, or of a file that was taken home, to pictures (.png) or meshes (.glb).

    Example: `wsr render emoji-mlora-asym --ids 1f600 --resolution 512 --out decoded`, or `wsr render me.safetensors`.
    """

    zoo: Positional[str]
    """A zoo's folder, its name in assets/zoos, or a file of weights."""
    ids: tuple[str, ...] = ()
    """Which instances; by default the first ones."""
    count: int = 8
    """How many of the first ones."""
    resolution: int | None = None
    """Pixels of the longer side, or samples along an edge of the grid."""
    out: Path = Path("decoded")
    """The folder to write into."""

    def run(self) -> int:
        from wsr.fitting.saved import load_weights
        from wsr.zoo import Zoo

        held = load_weights(self.zoo) if there(self.zoo) else Zoo.open(self.zoo)
        ids, suffix = list(self.ids) or held.ids[: self.count], held.modality.suffix
        if unknown := set(ids) - set(held.ids):
            raise unknown_name("instance", min(unknown), held.ids[:50])
        make_dir(self.out)
        with bar("render") as update:
            for i, name in enumerate(ids):
                path = self.out / f"{_file_name(name)}{suffix}"
                held.modality.save(held.decode([name], self.resolution)[0], path)
                update(i + 1, len(ids), path.name)
        return OK


def _file_name(item: str) -> str:
    """An instance's name, which may come from another's file, as that of a file in the folder that was asked for."""
    return "".join(c if c.isalnum() or c in "-_@" else "-" for c in item)[:100] or "weights"


@dataclass
class App:
    """Serve the app. Example: `wsr app --port 7860`."""

    host: str = "127.0.0.1"
    """The address to listen on."""
    port: int = 7860
    """The port to listen on."""

    def run(self) -> int:
        import importlib

        # by name: the engine does not know the app, this command only starts it
        importlib.import_module("app.main").launch(self.host, self.port)
        return OK


Command = (
    Annotated[Data, subcommand("data")]
    | Annotated[Base, subcommand("base")]
    | Annotated[Fit, subcommand("fit")]
    | Annotated[ZooCommand, subcommand("zoo")]
    | Annotated[Render, subcommand("render")]
    | Annotated[Diffuse, subcommand("diffuse")]
    | Annotated[Sample, subcommand("sample")]
    | Annotated[Evaluate, subcommand("evaluate")]
    | Annotated[AuditCommand, subcommand("audit")]
    | Annotated[App, subcommand("app")]
    | Annotated[Bench, subcommand("bench")]
)


def main(arguments: list[str] | None = None) -> int:
    """Runs a sub-command. Exit codes: 0 done, 1 a check failed, 2 wrong input or no room to write, 130 stopped, 143
    asked to end."""
    end_on_sigterm()
    use_writable_caches()
    try:
        command = tyro.cli(
            OmitArgPrefixes[Command],
            args=arguments,
            prog="wsr",
            description="A weight-space laboratory: signals become small neural fields, and their weights become data.",
        )
        return command.run()
    except Terminated:
        Console(stderr=True).print("Asked to end.")
        return TERMINATED
    except KeyboardInterrupt:
        Console(stderr=True).print("Stopped.")
        return STOPPED
    except Exception as error:
        known = error if isinstance(error, WsrError) else disk_error(error)
        if known is None:
            raise
        Console(stderr=True).print(f"wsr: {known}", style="red", markup=False, highlight=False)
        return MISTAKE


if __name__ == "__main__":
    sys.exit(main())
