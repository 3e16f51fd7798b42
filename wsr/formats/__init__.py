"""How files of ours are read: each checked against one schema before anything is allocated, and every fault of a file
one sentence. Nothing here imports torch before a tensor is read."""

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
