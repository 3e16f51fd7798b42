"""The sub-command `wsr fit`."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from tyro.conf import Positional

from wsr.commands import FAILED, OK, PresetName, RepresentationName, console
from wsr.commands.levers import LeverOptions
from wsr.errors import WsrError, counted, shown
from wsr.paths import require_writable
from wsr.progress import bar

if TYPE_CHECKING:
    from wsr.modalities import Modality

RECORD_EVERY = 25  # steps; the bar then moves at least twice a second, and measuring costs a twentieth of the fit


@dataclass
class Fit(LeverOptions):
    """Fit pictures or shapes, your own or those of a data set, as small neural fields, and save their weights.

    Examples: `wsr fit me.png`, `wsr fit chair.obj --rank 8 --render chair.glb`, `wsr fit emoji --ids 1f600 1f984`.
    """

    source: Positional[tuple[str, ...]]
    """Files (PNG, JPEG, WebP, HEIC, AVIF, GIF, BMP, TIFF; OBJ, PLY, STL, GLB, OFF), or the name of a data set."""
    ids: tuple[str, ...] = ()
    """Fit only these instances of the data set."""
    representation: RepresentationName = RepresentationName("mlora-asym")
    """What is fitted: an MLP, or adapters of a base."""
    base: str | None = None
    """emoji, shapes10, or the path of a checkpoint; by default the one for the kind of signal."""
    rank: int | None = None
    """Rank of the adapters; by default the preset's."""
    steps: int | None = None
    """Adam steps; by default the preset's."""
    start: Literal["plain", "encoded", "auto"] = "plain"
    """encoded: where the base's encoder says, with a tenth of the steps (`wsr encoder` trains one); auto: encoded if
    there is an encoder."""
    init: Literal["centered", "normal", "lognormal", "spread"] = "centered"
    """The plain start. centered: at the mean of the base; normal: with zero mean; lognormal: positive, however far from
    the mean; spread: around one fixed start, with the same relative noise for all representations."""
    sigma: float = 0.02
    """Standard deviation of the start around its centre, if it has one."""
    init_seed: int = 0
    """Seed of the random part of the start."""
    seed: int = 0
    """Seed of the points that are drawn."""
    preset: PresetName = "cpu"
    """Decides the sizes of a standalone MLP, and the default number of steps and points."""
    device: str | None = None
    """cpu or cuda; by default CUDA if available."""
    out: Path = Path("weights.safetensors")
    """The file to write the weights to."""
    render: Path | None = None
    """Also decode the first instance to this .png or .glb file."""

    def run(self) -> int:
        from wsr.data import load_signals
        from wsr.fitting.fit import stream
        from wsr.fitting.settings import FitSettings, Start

        _refuse_folders(self.source)
        if len(self.source) == 1 and _is_data_set(self.source[0]):
            signals = load_signals(self.source[0], list(self.ids) or None)
        elif self.ids:
            raise WsrError("--ids choose from a data set; files are fitted as they are named.")
        else:
            signals = _described(self.source, self.preset)
        self._check_outputs(signals.modality)
        settings = FitSettings(
            start=Start.named(self.start, init=self.init, sigma=self.sigma, init_seed=self.init_seed),
            preset=self.preset, rank=self.rank, steps=self.steps, seed=self.seed, device=self.device,
            every=RECORD_EVERY, **self.levers(),
        )  # fmt: skip
        with bar("fit") as update:
            for record in stream(signals, self.representation, self.base, settings):
                update(record.step, record.steps, f"quality {record.quality.mean():.3f}")
        result = record.result
        result.save(self.out)
        unit = f" {result.modality.unit}".rstrip()
        for name, quality, status in zip(result.ids, result.quality, result.status, strict=True):
            console.print(f"{name}: {quality:.3f}{unit}{'' if status == 'ok' else f' ({status})'}", markup=False)
        if result.why_plain:
            plain = result.started.count("plain")
            console.print(f"Started plainly: {plain} of {len(result.ids)}, because {result.why_plain}.", markup=False)
        size = counted(result.representation.size, "number")
        console.print(f"{size} each, {result.seconds:.1f} s. Wrote {self.out}.")
        if self.render:
            result.modality.save(result.render()[0], self.render)
        return OK if any(not status.startswith("diverged") for status in result.status) else FAILED

    def _check_outputs(self, modality) -> None:
        """Checks the places to write to before a fit that may take minutes. WsrError if one of them cannot be written.
        """
        require_writable(self.out, *self.source)
        if self.render:
            if os.path.abspath(self.render) == os.path.abspath(self.out):
                raise WsrError(f"The weights and the picture cannot both be written to {shown(self.out)}.")
            require_writable(self.render, *self.source)
            if self.render.suffix.lower() not in modality.saves:
                endings = ", ".join(modality.saves)
                raise WsrError(f"{str(self.render)!r}: {modality.plural} are written to files that end in {endings}.")


def _is_data_set(source: str) -> bool:
    from wsr.modalities import everything

    if any(one.folder and source.startswith(f"{one.folder}:") for one in everything()):
        return True
    return not os.path.exists(source) and not Path(source).suffix  # it does not exist either where it is too long


def _refuse_folders(sources: tuple[str, ...]) -> None:
    """WsrError for a folder, which is no file to fit, with what it is to be given to."""
    folder = next((source for source in sources if os.path.isdir(source)), None)
    if folder is None:
        return
    from wsr.formats.files import there
    from wsr.modalities import everything

    if there(Path(folder) / "zoo.json"):
        raise WsrError(
            f"{shown(folder)} is a zoo, whose weights are fitted already: `wsr zoo info {folder}` says what it holds, "
            f"`wsr render {folder}` decodes it."
        )
    kinds = [one for one in everything() if one.folder and _holds(Path(folder), one)]
    kinds = kinds or [one for one in everything() if one.folder]
    ways = " or ".join(f"`wsr zoo build {one.folder}:{folder} --out ZOO` for {one.plural}" for one in kinds)
    raise WsrError(f"{shown(folder)} is a folder, and `wsr fit` takes files: make a zoo of what it holds by {ways}.")


def _holds(folder: Path, modality: "Modality") -> bool:
    return any(path.suffix.lower() in modality.files for path in folder.rglob("*"))


def _described(files: tuple[str, ...], preset: str):
    """Loads the user's own files as signals, and prints what their modality reports about them."""
    from wsr.fitting.problem import as_signals
    from wsr.presets import preset as find_preset

    signals = as_signals(list(files), preset=preset)
    for signal in signals:
        if sentences := signal.modality.describe(signal.read(), find_preset(preset, signal.modality).resolution):
            console.print(f"{signal.id}: {' '.join(sentences)}", highlight=False, markup=False)
    return signals
