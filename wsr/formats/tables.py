"""Reads our Parquet tables, with limits on their size and a check of their columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wsr.errors import WsrError, counted
from wsr.formats.files import refuse_stand_in, shown

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

ROWS, COLUMNS, BYTES = 20_000_000, 1000, 2_000_000_000
LONGEST_TEXT = 10_000  # characters of a value

# A zoo's index: a row an instance. Beside these it may have a column for each attribute of its instances, named by
# `attribute_column`, and columns of its own.
ATTRIBUTE = "attribute "
NONE = "none"  # the value of an attribute that says that something is not there, as in "glasses"
INDEX = {
    "id": "str",
    "class": "str",
    "split": "str",
    "quality": "float64",
    "steps": "int64",
    "seconds": "float64",
    "target_sha256": "str",
    "status": "str",
}
# A map: a row for each instance, method and dimension.
MAP = {"id": "str", "method": "str", "dims": "int64", "x": "float32", "y": "float32", "z": "float32"}
MAP_KEY = ("method", "dims", "id")


def attribute_column(name: str) -> str:
    """Returns the column of an index that holds this attribute of the instances."""
    return ATTRIBUTE + name


def is_attribute(column: str) -> bool:
    return column.startswith(ATTRIBUTE)


def attribute_of(column: str) -> str:
    """Returns the attribute that a column holds; the name of any other column as it is."""
    return column.removeprefix(ATTRIBUTE)


def read_table(path: str | Path, what: str, columns: Mapping[str, str], key: Sequence[str] = ()) -> pd.DataFrame:
    """Reads a table with the given columns and types: "str" without missing values, "int64", or a float type, where
    missing values are NaN. key: columns that together must identify a row. WsrError for any other file."""
    refuse_stand_in(path, what)
    fault = f"{shown(path)} is not {what}"
    try:
        frame = _read(path, fault, columns).to_pandas(ignore_metadata=True)
    except WsrError:
        raise
    except Exception as error:  # pyarrow raises many types for a damaged file
        raise WsrError(f"{fault}: it is damaged, or not Parquet ({' '.join(str(error).split())[:150]}).") from None
    if key and frame.duplicated(list(key)).any():
        twice = frame.loc[frame.duplicated(list(key)), key[-1]].iloc[0]
        raise WsrError(f"{fault}: it names {str(twice)[:60]!r} twice.")
    return frame


def _read(path: str | Path, fault: str, columns: Mapping[str, str]) -> pa.Table:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with open(path, "rb") as opened:
        file = pq.ParquetFile(opened)
        about, schema = file.metadata, file.schema_arrow
        size = sum(about.row_group(i).total_byte_size for i in range(about.num_row_groups))
        for have, most, of in ((about.num_rows, ROWS, "rows"), (about.num_columns, COLUMNS, "columns"),
                               (size, BYTES, "bytes")):  # fmt: skip
            if not 0 <= have <= most:
                raise WsrError(f"{fault}: it states {have:,} {of}, and at most {most:,} are read.")
        if missing := [name for name in columns if name not in schema.names]:
            raise WsrError(f"{fault}: its columns {missing} are missing.")
        if len(set(schema.names)) < len(schema.names) or any(pa.types.is_nested(field.type) for field in schema):
            raise WsrError(f"{fault}: it has columns within columns, or two of one name.")
        # texts as they are packed: a few bytes can stand for gigabytes
        texts = [field.name for field in schema if _is_text(field.type)]
        table = pq.ParquetFile(opened, read_dictionary=texts).read()
    for name in table.column_names:
        column = table[name]
        if name in texts or pa.types.is_dictionary(column.type):
            column = _plain(column, name, fault)
        if name in columns:
            column = _typed(column, name, columns[name], fault)
        elif is_attribute(name):
            column = _attribute(column, name, fault)
        table = table.set_column(table.column_names.index(name), name, column)
    return table


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return pa.types.is_string(kind) or pa.types.is_large_string(kind)


def _plain(column: pa.ChunkedArray, name: str, fault: str) -> pa.ChunkedArray:
    """Decodes dictionary-encoded texts after checking their total length."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for chunk in column.chunks if pa.types.is_dictionary(column.type) else ():
        words = chunk.dictionary
        longest = pc.max(pc.binary_length(words)).as_py() if _is_text(words.type) and len(words) else 0
        if (longest or 0) > LONGEST_TEXT or (longest or 0) * len(chunk) > BYTES:
            raise WsrError(f"{fault}: its column {name!r} holds a text of {counted(longest, 'byte')}.")
    plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
    return plain.cast(pa.large_string()) if _is_text(plain.type) else plain


def _typed(column: pa.ChunkedArray, name: str, kind: str, fault: str) -> pa.ChunkedArray:
    import pyarrow as pa

    found = column.type
    if kind == "str":
        if not _is_text(found):
            raise WsrError(f"{fault}: its column {name!r} should hold texts, not {found}.")
        return column.fill_null("") if name in ("class", "target_sha256") else _whole(column, name, fault)
    if not (pa.types.is_integer(found) or (kind != "int64" and (pa.types.is_floating(found) or found == pa.null()))):
        raise WsrError(f"{fault}: its column {name!r} should hold {kind}, not {found}.")
    return _whole(column, name, fault).cast(pa.int64()) if kind == "int64" else column.cast(kind)


def _attribute(column: pa.ChunkedArray, name: str, fault: str) -> pa.ChunkedArray:
    """Texts or numbers, with gaps where an instance has not got the attribute."""
    import pyarrow as pa

    if _is_text(column.type) or pa.types.is_integer(column.type) or pa.types.is_floating(column.type):
        return column
    raise WsrError(f"{fault}: its column {name!r} should hold texts or numbers, not {column.type}.")


def _whole(column: pa.ChunkedArray, name: str, fault: str) -> pa.ChunkedArray:
    if column.null_count:
        raise WsrError(f"{fault}: its column {name!r} has {counted(column.null_count, 'gap')}.")
    return column
