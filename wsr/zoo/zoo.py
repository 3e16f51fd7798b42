"""A weight zoo on disk: a folder of fitted weights with everything needed to decode them.

    zoo.json                    what the weights are: representation, sizes, base, masks, start, fit, seeds, layout
    weights-00000.safetensors   key `weights`: rows in the order of the index, trained entries only
    index.parquet               one row per instance; besides COLUMNS it has "attribute <name>" for each attribute
                                that the data set records, and may have further columns

`dtype` in zoo.json is that of `weights`: float16, float32, or uint8 for a compressed zoo (`compress_zoo`). The files of
a compressed zoo also hold `low` and `step` (p,), and a weight is low + step · code; their metadata state the number of
`bits` of a code (`bits.py`).

Zoos are append-only. The weights of a batch are written first, then the index that names them. Readers, and runs that
resume after a kill, rely on the index: they ignore weights that it does not name.
"""

import functools
import json
import math
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from copy import copy
from pathlib import Path
from typing import Unpack

import pandas as pd
import torch
from jaxtyping import Float
from torch import Tensor

from wsr.data.splits import names_of
from wsr.errors import WsrError, counted, unknown_name
from wsr.fields.description import FieldDescription
from wsr.fields.representation import Representation
from wsr.formats.files import shown
from wsr.formats.schema import ZooSchema, validated
from wsr.formats.tables import INDEX as COLUMNS
from wsr.formats.tables import attribute_of, is_attribute, read_table
from wsr.formats.tensors import save_tensors
from wsr.modalities import Modality, find
from wsr.paths import atomic_path, make_dir
from wsr.render.decode import decode
from wsr.zoo.checked import checked_batch, index_stamp, longer, read_meta, refuse_others, refuse_spoilt, zoo_path
from wsr.zoo.files import read_all, read_few, row_count
from wsr.zoo.lock import PATIENCE, WriterLock
from wsr.zoo.meta import ZooSettings, completed, require_same_settings, zoo_meta

FEW = 20  # less than a twentieth of a zoo is read row by row
MAX_FILE_BYTES = 10_000_000  # the largest file that a Hugging Face Space takes without Git LFS


class Zoo:
    """An open zoo. `meta`: its zoo.json; `index`: a DataFrame with one row per instance; `ids`: instance ids in order.
    """

    def __init__(self, path: Path, meta: dict, index: pd.DataFrame):
        self.path, self.meta, self.index = path, meta, index
        self._stamp, self._lock = index_stamp(path), WriterLock(path)
        self._weights: Tensor | None = None
        self._parts: list[tuple[int, int, Path]] | None = None
        self._positions: dict[str, int] | None = None
        self._representation: Representation | None = None

    @classmethod
    def open(cls, path: str | Path) -> "Zoo":
        """Opens a zoo by its folder, or by its name in assets/zoos. WsrError if there is none."""
        path = zoo_path(path)
        zoo = cls(path, completed(read_meta(path)), _empty_index())
        zoo.reload()
        return zoo

    def reload(self) -> None:
        """Reads the index again if another process has written it since. WsrError if the index and the weight files
        contradict each other."""
        stamp = index_stamp(self.path)
        if len(self) and stamp == self._stamp:
            return
        index = read_table(self.path / "index.parquet", "a zoo's index", COLUMNS, ("id",)) if stamp else _empty_index()
        self._replace_index(index, stamp)
        held = sum(rows for _, rows, _ in self._files(len(index)))
        if held < len(index):
            raise WsrError(
                f"The zoo {shown(self.path)} is damaged: its index names {counted(len(index), 'instance')}, its weight "
                f"files hold {held:,}. Fetch its weight files again, or make the zoo anew."
            )

    def _replace_index(self, index: pd.DataFrame, stamp: tuple[int, ...]) -> None:
        self.index, self._stamp, self._weights, self._parts, self._positions = index, stamp, None, None, None

    @contextmanager
    def writing(self, wait: float = 0.0) -> Iterator[None]:
        """Context in which only this object may write the zoo, and knows everything that others have written before.
        wait: seconds to wait for another writer. WsrError, with a remedy, if another writer holds the zoo. May be
        nested."""
        with self._lock.held(wait):
            self.reload()
            yield

    @classmethod
    def create(cls, path: str | Path, representation: Representation, **settings: Unpack[ZooSettings]) -> "Zoo":
        """Creates an empty zoo. If a zoo with exactly the same settings exists there already, returns that one, so that
        a killed run can continue. WsrError if a different zoo is there, with what differs, if the folder holds other
        files, and if a setting is missing or out of range."""
        path = Path(path)
        meta = zoo_meta(representation, **settings)
        validated(ZooSchema, meta, f"A zoo at {shown(path)} cannot be made of these settings")
        make_dir(path)
        with WriterLock(path).held(PATIENCE, unless=path / "zoo.json"):
            zoo = cls._created(path, meta)
        zoo._representation = representation
        return zoo

    @classmethod
    def _created(cls, path: Path, meta: dict) -> "Zoo":
        if (path / "zoo.json").exists():
            zoo = cls.open(path)
            require_same_settings(path, zoo.meta, meta, "choose another folder, or remove it")
            return zoo
        refuse_others(path)
        with atomic_path(path / "zoo.json") as temporary:
            temporary.write_text(json.dumps(meta))
        return cls(path, meta, _empty_index())

    @property
    def ids(self) -> list[str]:
        """Instance ids, in the order of the index."""
        return self.index["id"].tolist()

    def __len__(self) -> int:
        return len(self.index)

    def good(self, split: str | None = None) -> pd.DataFrame:
        """Returns the index of the fits with status "ok", of one split or of all. Diverged and poor fits (below the
        modality's threshold) are left out, because they are no examples to learn from. `heldout` and `validation` are
        two names of one split. WsrError for an unknown split."""
        found = self.index[self.index["status"] == "ok"]
        return found if split is None else found[found["split"].isin(names_of(split))]

    @property
    def attributes(self) -> pd.DataFrame:
        """What the instances were made with: a row for each, by its id, and a column for each attribute, of texts or of
        numbers; a gap where an instance has not got it. Without columns where the data set knows no attributes."""
        found = self.index.set_index("id")
        return found[[name for name in found if is_attribute(name)]].rename(columns=attribute_of)

    @property
    def representation(self) -> Representation:
        """Decodes the weights. WsrError if the base is missing, or is not the one that they were fitted on."""
        if self._representation is None:
            self._representation = load_representation(self.meta)
            if self._representation.layout.to_json() != self.meta["layout"]:
                raise WsrError(
                    f"The layout in {str(self.path / 'zoo.json')!r} is not that of {self.meta['representation']!r} "
                    "on its base: the zoo was written by another version, or is damaged."
                )
        return self._representation

    def to(self, device: torch.device | str) -> "Zoo":
        """Returns a copy that decodes on the device. Its weights stay on the CPU, as those of all zoos do."""
        moved = copy(self)
        moved._representation = self.representation.to(device)
        return moved

    @property
    def modality(self) -> Modality:
        """What the values of the fields are."""
        return find(self.meta["modality"])

    def rows(self, ids: list[str] | None) -> list[int]:
        """Returns the positions of these ids in the index, or all positions for None. WsrError for an unknown id."""
        if ids is None:
            return list(range(len(self)))
        if self._positions is None:
            self._positions = {name: i for i, name in enumerate(self.ids)}
        position = self._positions
        unknown = [name for name in ids if name not in position]
        if unknown:
            raise unknown_name(f"id in the zoo {self.path.name}", unknown[0], position)
        return [position[name] for name in ids]

    def instances(self, ids: Iterable[str]) -> list[str]:
        """Returns the instance that each of these rows is a fit of. In zoos of snapshots and of pairs, an instance has
        several rows, whose ids are its own followed by "@" and a number."""
        several = {"snapshots", "perturb"} & self.meta.keys()
        return [name.rpartition("@")[0] for name in ids] if several else list(ids)

    def weights(self, ids: list[str] | None = None, dtype: torch.dtype | None = torch.float32) -> Float[Tensor, "n p"]:
        """Returns stored vectors (trained entries only) in the order of `ids`, by default of all instances. dtype: None
        keeps the one on disk.

        A few vectors are read row by row; otherwise the whole zoo is read once and kept in memory in its dtype on disk.
        """
        rows = self.rows(ids)
        few = len(rows) * FEW < len(self)
        if self._weights is None and not few:
            self._weights = self._read_weights()
        found = self._read_rows(rows) if self._weights is None else self._weights[rows]
        return found if dtype is None else found.to(dtype)

    def decode(self, ids: list[str] | None = None, resolution: int | None = None):
        """Decodes the weights: images (n, h, w, 3) in [0, 1], meshes, or whatever else the modality decodes.
        resolution: by default the zoo's."""
        return decode(self.representation, self.weights(ids), resolution or self.resolution)

    @functools.cached_property
    def stored(self) -> int:
        """Number of trained entries of an instance, which are what is stored."""
        return sum(math.prod(entry["shape"]) - len(entry["frozen"]) for entry in self.meta["layout"])

    @property
    def resolution(self) -> int:
        """At which its fits were judged, and by default decode."""
        return self.meta["resolution"]

    @property
    def description(self) -> FieldDescription:
        """Describes what decodes the weights."""
        return FieldDescription.read(self.meta)

    def append(self, weights: Float[Tensor, "n p"], rows: list[dict]) -> None:
        """Appends a batch: weights, and a row of the index for each. The batch is on disk when this returns. WsrError,
        and nothing is stored, if the zoo already contains an id or the batch contains it twice, if weights have another
        size or are not finite although their row calls them ok, or if another process is writing the zoo."""
        if not rows and not len(weights):
            return
        with self.writing(PATIENCE):
            tensor = checked_batch(self, weights, rows, self.stored)
            files = self._files(len(self))
            self._drop_unnamed(files)
            if files and files[-1][2].stat().st_size + tensor.numel() * tensor.element_size() < MAX_FILE_BYTES:
                target = files[-1][2]
                tensor = torch.cat([read_all(target), tensor])
            else:
                target = self.path / f"weights-{len(files):05d}.safetensors"
            save_tensors(target, {"weights": tensor})
            index = longer(self.index, rows)
            with atomic_path(self.path / "index.parquet") as temporary:
                index.to_parquet(temporary, index=False)
            self._replace_index(index, index_stamp(self.path))

    @property
    def rows_per_file(self) -> int:
        """The number of vectors that fit into one weight file, at least 1."""
        return max(1, MAX_FILE_BYTES // (self.stored * getattr(torch, self.meta["dtype"]).itemsize))

    def _drop_unnamed(self, files: list[tuple[int, int, Path]]) -> None:
        """Removes the rows behind the index from the last weight file, which a killed writer has left there: a file
        that is begun after them would be read from the wrong row on."""
        if files and sum(files[-1][:2]) > len(self):
            start, _, path = files[-1]
            save_tensors(path, {"weights": read_all(path)[: len(self) - start]})

    def _files(self, named: int) -> list[tuple[int, int, Path]]:
        """Returns (first row, number of rows, path) of the weight files that hold the first `named` rows."""
        if self._parts is None:
            files, start = [], 0
            for path in sorted(self.path.glob("weights-*.safetensors")):
                if start < named:  # later files belong to a batch that is not in the index (yet)
                    files.append((start, row_count(path, self.meta["dtype"], self.stored), path))
                    start += files[-1][1]
            self._parts = files
        return [part for part in self._parts if part[0] < named]

    def rows_on_disk(self) -> int:
        """How many rows of weights the files hold, those included that the index does not name."""
        files = sorted(self.path.glob("weights-*.safetensors"))
        return sum(row_count(path, self.meta["dtype"], self.stored) for path in files)

    def _read_rows(self, rows: list[int]) -> Tensor:
        found = {}
        for start, count, path in self._files(len(self)):
            wanted = [row for row in rows if start <= row < start + count]
            if wanted:
                found |= dict(zip(wanted, read_few(path, [row - start for row in wanted]), strict=True))
        if len(found) < len(set(rows)):
            return self._read_weights()[rows]  # raises an error that says what is damaged
        if not rows:
            return torch.zeros(0, self.stored)
        return refuse_spoilt(torch.cat([found[row] for row in rows]), self.index.iloc[rows], self.path)

    def _read_weights(self) -> Tensor:
        parts = [read_all(path) for _, _, path in self._files(len(self))]
        weights = torch.cat(parts) if parts else torch.zeros(0, self.stored)
        if len(weights) < len(self) or weights.shape[1] != self.stored:
            raise WsrError(
                f"The zoo {str(self.path)!r} is damaged: its index names {counted(len(self), 'instance')} of "
                f"{counted(self.stored, 'number')}, its weight files hold {tuple(weights.shape)}."
            )
        return refuse_spoilt(weights[: len(self)], self.index, self.path)


def load_representation(meta: dict) -> Representation:
    """Builds the representation that a zoo.json describes, on the base that it names. WsrError if the base is missing
    or is another one."""
    return FieldDescription.read(meta).load()


def _empty_index() -> pd.DataFrame:
    return pd.DataFrame({name: pd.Series(dtype=kind) for name, kind in COLUMNS.items()})
