"""The sub-command `wsr base`."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from tyro.conf import Positional, arg

from wsr.commands import OK, PresetName, a_data_set, console
from wsr.errors import WsrError
from wsr.progress import bar


@dataclass
class Base:
    """Train a base field on a data set, as a variational autodecoder. A killed run continues where it stopped.

    Example: `wsr base images:photos --out photos.safetensors`, then `wsr fit me.png --base photos.safetensors`.
    """

    dataset: Annotated[Positional[str], arg(help=a_data_set())]
    out: Path | None = None
    """The checkpoint to write; by default assets/bases/<data set>.safetensors, with the preset and the seeds in its
    name where they are not the defaults."""
    count: int | None = None
    """Learn only from the first so many signals (the held-out ones among them are left out); of a folder of classes,
    `meshes:DIR#10x500` takes 500 of each of the ten largest."""
    preset: PresetName = "cpu"
    """cpu: an hour on two cores. paper: the paper's sizes and 350,000 steps, for a GPU."""
    seed: int = 0
    """Seed of the network's initial weights and of the order of the training set."""
    mask_seed: int = 0
    """Seed of the asymmetric masks of everything that will adapt this base."""
    device: str | None = None
    """cpu or cuda; by default CUDA if available."""
    overwrite: bool = False
    """Replace a base that another run has trained. Zoos that were fitted on it cannot be decoded any more."""

    def run(self) -> int:
        from wsr.data import load_signals
        from wsr.data.parts import first
        from wsr.devices import usable
        from wsr.fitting.bases import default_base_path, train_base

        out = self.out or default_base_path(self.dataset, self.preset, self.seed, self.mask_seed)
        signals = load_signals(self.dataset)
        if self.count is not None:
            if self.count < 1:
                raise WsrError(f"A base learns from one signal or more: --count cannot be {self.count}.")
            signals = first(signals, self.count)
        device = usable(self.device)
        with bar(f"base {self.dataset}") as update:
            for record in train_base(
                signals,
                out,
                preset=self.preset,
                seed=self.seed,
                mask_seed=self.mask_seed,
                device=device,
                overwrite=self.overwrite,
            ):
                update(record.step, record.steps, "" if math.isnan(record.loss) else f"loss {record.loss:.4f}")
        console.print(f"{out} is there already: the same run has written it." if record.kept else f"Wrote {out}.")
        return OK
