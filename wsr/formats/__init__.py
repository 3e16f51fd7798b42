"""Reads our file formats. Each is validated against one schema before anything is allocated, and any fault of a file
becomes one sentence. torch is imported only when a tensor is read."""

from wsr.formats.files import refuse_stand_in, shown
from wsr.formats.schema import as_config, parse_json, read_json, validated
from wsr.formats.tables import read_table
from wsr.formats.tensors import open_tensors, save_tensors

__all__ = [
    "as_config",
    "open_tensors",
    "parse_json",
    "read_json",
    "read_table",
    "refuse_stand_in",
    "save_tensors",
    "shown",
    "validated",
]
