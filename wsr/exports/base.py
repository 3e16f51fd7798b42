"""What every form is given: a part of a zoo that nobody writes meanwhile, and a folder that becomes visible when all is
done."""

import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float, UInt8

from wsr.errors import WsrError, counted, unknown_name
from wsr.exports.registry import named
from wsr.paths import new_folder
from wsr.zoo.zoo import Zoo

TOGETHER = 16  # instances that are decoded at once
MOST = 200_000  # instances of an export; their thumbnails take a gigabyte
README = "README.md"


@dataclass
class Exported:
    """A part of a zoo on its way out. ids: of the instances, all with the status "ok"; folder: where to write, whose
    final place is `out`; size: pixels of a picture's longer side, samples along an edge of a shape's grid; method: of
    the map; progress: called with (done, total)."""

    zoo: Zoo
    ids: list[str]
    folder: Path
    out: Path
    size: int | None = None
    method: str = "umap"
    progress: Callable[[int, int], None] = field(default=lambda done, total: None)

    @property
    def index(self) -> pd.DataFrame:
        """The rows of the zoo's index, in the order of `ids`."""
        return self.zoo.index.set_index("id", drop=False).loc[self.ids].reset_index(drop=True)

    @property
    def weights(self) -> Float[np.ndarray, "n p"]:
        """The stored vectors, in float32."""
        return self.zoo.weights(self.ids).numpy()

    def decoded(self, size: int) -> Iterator[tuple[str, Any]]:
        """Yields each id with its decoded instance."""
        done = 0
        for first in range(0, len(self.ids), TOGETHER):
            part = self.ids[first : first + TOGETHER]
            yield from zip(part, self.zoo.decode(part, size), strict=True)
            done += len(part)
            self.progress(done, len(self.ids))

    def pictures(self, size: int) -> Iterator[tuple[str, UInt8[np.ndarray, "h w 3"]]]:
        """Yields each id with a picture of its instance, `size` pixels large. Surfaces are extracted as for
        thumbnails."""
        modality = self.zoo.modality
        at = self.size or modality.resolutions.thumbnail
        for name, one in self.decoded(at):
            yield name, modality.picture(one, size)


def export_zoo(
    zoo: Zoo, form: str, out: str | Path, ids: Sequence[str] = (), *, size: int | None = None, method: str = "umap",
    progress: Callable[[int, int], None] | None = None,
) -> Path:  # fmt: skip
    """Writes a zoo, or some of its instances, as a new folder `out` in another form, and returns the folder. Instances
    without the status "ok" are left out. WsrError for an unknown form or id, for more than MOST instances, if the zoo
    is empty or being written, and if `out` exists."""
    kind, out = named(form), Path(out)
    if size is not None and not 8 <= size <= zoo.modality.finest:
        most = zoo.modality.finest
        raise WsrError(f"{zoo.modality.plural.capitalize()} are decoded at 8 to {most:,}, not at {size}.")
    with zoo.writing(), new_folder(out) as folder:
        good = zoo.good()["id"].tolist()
        known = set(good)
        unknown = next((name for name in ids if name not in known), None)
        if unknown is not None:
            raise unknown_name(f"instance with the status 'ok' in the zoo {zoo.path.name}", unknown, good)
        if not good:
            held = counted(len(zoo), "instance")
            raise WsrError(f"The zoo {str(zoo.path)!r} has {held}, and none with the status 'ok': nothing to export.")
        chosen = list(dict.fromkeys(ids)) or good
        if len(chosen) > MOST:
            raise WsrError(
                f"{counted(len(chosen), 'instance')} are too many for one export, which holds {MOST:,} at most: "
                "choose a part by --count or --ids."
            )
        kind.write(Exported(zoo, chosen, folder, out, size, method, progress or (lambda done, total: None)))
    return out


def file_name(item: str) -> str:
    """Returns a safe file name for an instance id, which may come from somebody else's file."""
    return "".join(c if c.isalnum() or c in "-_@" else "-" for c in item)[:100] or "weights"


def file_names(ids: Sequence[str]) -> dict[str, str]:
    """Returns a file name for each id, no two the same."""
    found: dict[str, str] = {}
    taken: set[str] = set()  # without case: not all disks tell A from a
    for item in dict.fromkeys(ids):
        plain = file_name(item)
        names = itertools.chain([plain], (f"{plain}-{number}" for number in itertools.count(2)))
        found[item] = next(name for name in names if name.casefold() not in taken)
        taken.add(found[item].casefold())
    return found
