"""Reads the metadata of a generator's file. Importing this module does not load torch."""

from pathlib import Path
from typing import Any

from wsr.errors import WsrError
from wsr.formats.generators import GeneratorSchema, identity_with_current_names
from wsr.formats.schema import parse_json, validated
from wsr.formats.tensors import TensorFile, open_tensors
from wsr.generators.registry import named

FORMAT = "wsr-diffusion-1"  # used by all generators, named after the first one
WHAT = "a generator"


def read_about(path: Path, what: str = WHAT) -> dict[str, Any]:
    """Returns the metadata of a generator's file (generator, config, classes, about, files, bits). WsrError if the file
    is not a generator, or one of a kind that is not registered."""
    with open_tensors(path, what, "np") as file:
        meta = _checked(file)
    about = meta["about"]
    if "identity" in about:
        about = {**about, "identity": identity_with_current_names(about["identity"])}
    return {"generator": "diffusion", **meta, "about": about}


def _checked(file: TensorFile) -> dict[str, Any]:
    meta = parse_json(file.metadata.get("wsr", "{}"), f"{file.fault}: of its metadata")
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise WsrError(f"{file.fault}: its format is not {FORMAT!r}.")
    schema = named(validated(GeneratorSchema, meta, file.fault).generator).schema
    if schema is not None:
        validated(schema, meta["config"], f"{file.fault}: of its config")
    return meta
