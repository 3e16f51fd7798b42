"""Files of encoders: the network in half precision, and in the metadata everything that it depends on."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from wsr.caching import cached_by_file
from wsr.errors import WsrError
from wsr.fields.checkpoint import base_name
from wsr.fields.description import FieldDescription
from wsr.fields.representation import Representation
from wsr.fitting.encoder import EncoderConfig, StartEncoder
from wsr.formats.encoders import EncoderSchema
from wsr.formats.files import refuse_stand_in, there
from wsr.formats.schema import as_config, parse_json, validated
from wsr.formats.tensors import TensorFile, open_tensors, save_tensors
from wsr.paths import assets_dir

FORMAT = "wsr-encoder-1"
WHAT = "an encoder of starts"
NETWORK = "network."  # prefix of the names of its parameters


UNTRAINED = "no encoder has been trained for this representation on this base"


class NoEncoder(WsrError):
    """There is no encoder for a fit. why: the reason as a part of a sentence, "" if the fit adapts no base."""

    def __init__(self, sentence: str, why: str = ""):
        super().__init__(sentence)
        self.why = why


def encoder_path(base: str | Path, representation: str) -> Path:
    """Returns where the encoder for a base, given its name or its file, is written by default and looked for:
    assets/encoders/<base>-<representation>.safetensors."""
    name = Path(base).name.removesuffix(".safetensors")
    return assets_dir() / "encoders" / f"{name}-{representation}.safetensors"


def save_encoder(path: str | Path, encoder: StartEncoder, training: dict[str, Any]) -> None:
    """Writes an encoder. training: how it was trained, as JSON values."""
    state = {f"{NETWORK}{name}": value.half() for name, value in encoder.state_dict().items()}
    about = {
        "format": FORMAT,
        **FieldDescription.of(encoder.model).record(),
        "layout": encoder.model.layout.to_json(),
        "config": asdict(encoder.config),
        "known": encoder.known,
        "training": training,
    }
    save_tensors(path, state, {"wsr": json.dumps(about)})


def load_encoder(path: str | Path) -> StartEncoder:
    """Loads an encoder, frozen and on the CPU; everybody who loads it shares one object. WsrError for any other file,
    and if the base that it was trained through is missing or is another one."""
    refuse_stand_in(path, WHAT)
    return _load(Path(path))


def encoder_for(model: Representation) -> StartEncoder:
    """Returns the encoder for a representation and its base. NoEncoder if there is none, or if the one in its place
    belongs to another base, rank or mask."""
    if model.base is None:
        raise NoEncoder(f"A fit of {model.name!r} has no encoded start: it adapts no base that an encoder could know.")
    base = base_name(model.base.info.path) if model.base.info else "(a base without a file)"
    path, train = encoder_path(base, model.name), f"`wsr encoder {base} --representation {model.name}`"
    if not there(path):
        raise NoEncoder(
            f"There is no encoder for {model.name!r} on this base at {str(path)!r}: train one by {train}, or fit from "
            "the plain start.",
            UNTRAINED,
        )
    encoder = load_encoder(path)
    if FieldDescription.of(encoder.model) != FieldDescription.of(model):
        raise NoEncoder(
            f"The encoder {str(path)!r} was trained for another base, rank or mask than this fit has: train one for it "
            f"by {train[:-1]} --overwrite`, or fit from the plain start.",
            "the encoder was trained for another base, rank or mask",
        )
    return encoder


@cached_by_file(lambda path: [path], maxsize=8)
def _load(path: Path) -> StartEncoder:
    with open_tensors(path, WHAT) as file:
        about = read_about(file)
        config = as_config(EncoderConfig, about.config, file.fault)
        model = FieldDescription.read(about.model_dump()).load()
        if model.layout.to_json() != [entry.model_dump() for entry in about.layout]:
            raise WsrError(f"{file.fault}: its layout is not that of {about.representation!r} on its base.")
        with torch.device("meta"):  # shapes only: the file must match them before anything is allocated
            encoder = StartEncoder(model, config)
        shapes = {name: tuple(value.shape) for name, value in encoder.state_dict().items()}
        for name, shape in shapes.items():
            file.require(f"{NETWORK}{name}", shape)
        state = {name: file.tensor(f"{NETWORK}{name}").float() for name in shapes}
    encoder.load_state_dict(state, assign=True)
    encoder.known, encoder.sha256 = about.known, hashlib.sha256(path.read_bytes()).hexdigest()
    encoder.history = about.training
    return encoder.eval().requires_grad_(False)


def read_about(file: TensorFile) -> EncoderSchema:
    """Returns the metadata of an open encoder's file. WsrError if they are not those of an encoder."""
    meta = parse_json(file.metadata.get("wsr", "{}"), f"{file.fault}: of its metadata")
    if not isinstance(meta, dict) or meta.get("format") != FORMAT:
        raise WsrError(f"{file.fault}: its format is not {FORMAT!r}, as `wsr encoder` writes it.")
    return validated(EncoderSchema, meta, file.fault)
