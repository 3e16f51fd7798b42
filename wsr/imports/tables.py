"""Reads Parquet tables with a vector of weights in each row, as `wsr export … --to dataset` writes them."""

from dataclasses import dataclass
from math import nan
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from jaxtyping import Float
from torch import Tensor

from wsr.data.splits import HELDOUT, TRAIN
from wsr.errors import WsrError, counted
from wsr.formats.files import shown
from wsr.formats.schema import parse_json
from wsr.imports.splits import NAMES
from wsr.limits import MB

WEIGHTS = "weights"
META = b"wsr"  # the key of the table's metadata under which zoo.json is kept
MOST_BYTES = 512 * MB  # of a table in memory
_TEXTS = {"id": "", "class": "", "split": TRAIN}


@dataclass(frozen=True)
class Vectors:
    """The rows of tables. rows: id, class, split and quality of each; meta: the zoo.json that comes with them."""

    rows: list[dict[str, Any]]
    weights: Float[Tensor, "n p"]
    meta: dict[str, Any] | None


def read_vectors(paths: list[Path]) -> Vectors:
    """Reads tables of one kind. WsrError for one without a column of vectors, or with vectors of several lengths."""
    rows, parts, meta = [], [], None
    for path in paths:
        try:
            found = _table(path)
        except WsrError:
            raise
        except Exception as error:  # pyarrow raises many types for a damaged file
            brief = " ".join(str(error).split())[:120]
            raise WsrError(f"{shown(path.name)} is damaged or cut short, or no Parquet table ({brief}).") from None
        parts.append(_vectors(found[WEIGHTS], path))
        rows += _rows(found, path.name, len(rows))
        if text := (found.schema.metadata or {}).get(META):
            meta = meta or parse_json(text, f"{shown(path.name)}: what it says of its weights")
    if len({part.shape[1] for part in parts}) > 1:
        lengths = ", ".join(str(part.shape[1]) for part in parts)
        raise WsrError(f"The tables hold vectors of several lengths ({lengths}): bring them apart.")
    ids = [row["id"] for row in rows]
    if len(set(ids)) < len(ids):
        twice = next(one for one in ids if ids.count(one) > 1)
        raise WsrError(f"The table names {twice[:80]!r} twice: each network needs an id of its own.")
    return Vectors(rows, torch.cat(parts), meta)


def _table(path: Path) -> pa.Table:
    with pq.ParquetFile(path) as file:
        size = sum(file.metadata.row_group(i).total_byte_size for i in range(file.metadata.num_row_groups))
        names = file.schema_arrow.names
        if WEIGHTS not in names:
            some = ", ".join(map(repr, names[:6]))
            raise WsrError(
                f"{shown(path.name)} has no column {WEIGHTS!r} with the vectors of networks: its columns are {some}. "
                "The index of a zoo holds none: bring the whole folder as a .zip."
            )
        if size > MOST_BYTES:
            most = f"{MOST_BYTES / MB:,.0f} are read"
            raise WsrError(f"{shown(path.name)} holds {size / MB:,.0f} MB in memory, and at most {most}.")
        return file.read([name for name in names if name in (WEIGHTS, "quality", *_TEXTS)])


def _vectors(column: pa.ChunkedArray, path: Path) -> Float[Tensor, "n p"]:
    kind = column.type
    is_list = pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    if not is_list or not pa.types.is_floating(kind.value_type):
        raise WsrError(f"{shown(path.name)}: its column {WEIGHTS!r} should hold vectors of numbers, not {kind}.")
    lengths = {len(one) for chunk in column.chunks for one in chunk if one.is_valid}
    if column.null_count or len(lengths) != 1 or 0 in lengths:
        raise WsrError(
            f"{shown(path.name)}: each row of {WEIGHTS!r} should hold one vector of the same length, and there are "
            f"{counted(column.null_count, 'gap')} and lengths of {', '.join(map(str, sorted(lengths)[:4])) or 'none'}."
        )
    flat = np.concatenate([chunk.flatten().to_numpy(zero_copy_only=False) for chunk in column.chunks])
    return torch.from_numpy(flat.astype(np.float32).reshape(len(column), lengths.pop()))


def _rows(table: pa.Table, name: str, before: int) -> list[dict[str, Any]]:
    count, columns = len(table), {}
    for column, usual in _TEXTS.items():
        values = table[column].to_pylist() if column in table.column_names else [None] * count
        columns[column] = [usual if value is None else str(value)[:1000] for value in values]
    quality = table["quality"].to_pylist() if "quality" in table.column_names else [None] * count
    return [
        {
            "id": columns["id"][i] or f"row-{before + i:05d}",
            "class": columns["class"][i],
            "split": NAMES.get(columns["split"][i], TRAIN) if columns["split"][i] != HELDOUT else HELDOUT,
            "quality": float(quality[i]) if isinstance(quality[i], int | float) else nan,
        }
        for i in range(count)
    ]
