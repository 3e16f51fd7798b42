"""The sub-command `wsr render`."""

from dataclasses import dataclass
from pathlib import Path

from tyro.conf import Positional

from wsr.commands import OK
from wsr.errors import WsrError, shown, unknown_name
from wsr.paths import make_dir
from wsr.progress import bar


@dataclass
class Render:
    """Decode weights of a zoo, or of a file of saved weights, to pictures (.png) or meshes (.glb).

    Example: `wsr render emoji-mlora-asym --ids 1f600 --resolution 512 --out decoded`, or `wsr render me.safetensors`.
    """

    zoo: Positional[str]
    """A zoo's folder, its name in assets/zoos, or a file of weights."""
    ids: tuple[str, ...] = ()
    """Ids of the instances; by default the first ones."""
    count: int = 8
    """Number of instances, if no ids are given."""
    resolution: int | None = None
    """Pixels of the longer side, or samples along an edge of the grid."""
    device: str | None = None
    """cpu or cuda; by default CUDA if available."""
    out: Path = Path("decoded")
    """The folder to write into."""

    def run(self) -> int:
        from wsr.devices import usable
        from wsr.exports.base import file_names
        from wsr.fitting.saved import load_weights
        from wsr.fitting.verdict import is_poor, require_finite
        from wsr.formats.files import there
        from wsr.zoo import Zoo

        device = usable(self.device)
        held = load_weights(self.zoo) if there(self.zoo) else Zoo.open(self.zoo)
        status = held.index["status"] if isinstance(held, Zoo) else ["ok"] * len(held.ids)
        drawable = [name for name, word in zip(held.ids, status, strict=True) if word == "ok" or is_poor(word)]
        ids, suffix = list(self.ids) or drawable[: self.count], held.modality.suffix
        if not ids and self.count > 0:
            raise WsrError(f"{shown(self.zoo)} holds no fit that can be decoded.")
        if unknown := set(ids) - set(held.ids):
            raise unknown_name("instance", min(unknown), held.ids[:50])
        finest = held.modality.finest
        if self.resolution is not None and not 2 <= self.resolution <= finest:
            raise WsrError(f"{held.modality.plural.capitalize()} are decoded at 2 to {finest}, not {self.resolution}.")
        if self.count < 1:
            raise WsrError(f"--count must be 1 or more, not {self.count}.")
        make_dir(self.out)
        held, names = held.to(device), file_names(ids)
        with bar("render") as update:
            for i, name in enumerate(ids):
                if isinstance(held, Zoo):  # saved weights ask it themselves
                    require_finite([name], held.weights([name]))
                path = self.out / f"{names[name]}{suffix}"
                held.modality.save(held.decode([name], self.resolution)[0], path)
                update(i + 1, len(ids), path.name)
        return OK
