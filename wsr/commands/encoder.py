"""The sub-command `wsr encoder`."""

import math
from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from wsr.commands import OK, RepresentationName, console
from wsr.progress import bar


@dataclass
class Encoder:
    """Train an encoder of starts for a base: it looks at a picture or a shape once and predicts where its fit starts,
    so that a fit takes a tenth of the steps. A killed run continues where it stopped.

    Example: `wsr encoder photos.safetensors`, then `wsr fit me.png --base photos.safetensors --start encoded`.
    """

    base: Positional[str]
    """emoji, shapes10, or the path of a checkpoint. The encoder learns from the data set that the base has learnt
    from."""
    representation: RepresentationName = RepresentationName("mlora-asym")
    """The adapters whose starts are predicted."""
    out: Path | None = None
    """The file to write; by default assets/encoders/<base>-<representation>.safetensors, where fits look for it."""
    steps: int | None = None
    """Training steps; by default 20,000."""
    seed: int = 0
    """Seed of the network's initial weights and of the order of the training set."""
    device: str | None = None
    """cpu or cuda; by default CUDA if available."""
    overwrite: bool = False
    """Replace an encoder that another run has trained."""

    def run(self) -> int:
        from wsr.devices import usable
        from wsr.fitting.encoder_files import encoder_path
        from wsr.fitting.encoders import train_encoder

        out = self.out or encoder_path(self.base, self.representation)
        with bar(f"encoder {out.stem}") as update:
            for record in train_encoder(
                self.base, self.representation, out, self.steps, seed=self.seed, device=usable(self.device),
                overwrite=self.overwrite,
            ):  # fmt: skip
                update(record.step, record.steps, "" if math.isnan(record.loss) else f"loss {record.loss:.4f}")
        console.print(f"{out} is there already: the same run has written it." if record.kept else f"Wrote {out}.")
        return OK
