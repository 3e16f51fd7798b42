"""Schemas of the metadata in our files: one for each format, by which a file is validated completely before it is used.

Unknown keys are allowed and kept, so that newer files can be opened. Known keys must have their type and lie within
bounds, so that a file cannot make us allocate more than it holds. The bounds are those of what can be trained; they do
not depend on presets.
"""

from dataclasses import fields
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError, from_json

from wsr.errors import WsrError, counted
from wsr.fields.registry import readable
from wsr.formats.files import refuse_stand_in, shown
from wsr.modalities import of_file

TEXT_BYTES = 16_000_000  # largest JSON text; a zoo.json has 8 kB, the ids of 500,000 instances 10 MB
ENTRIES = 2**28  # numbers of an instance, or of a base: 1 GB
LONGEST_INPUT = 60  # characters of a faulty value in a message

Model = TypeVar("Model", bound=BaseModel)
Name = Annotated[str, Field(max_length=1000)]
Id = Annotated[str, Field(min_length=1, max_length=1000)]
Seed = Annotated[int, Field(ge=-(2**40), le=2**40)]
Count = Annotated[int, Field(ge=0, le=10**9)]
Width = Annotated[int, Field(ge=1, le=16_384)]
Positive = Annotated[float, Field(gt=0, le=1e9)]
Finite = Annotated[float, Field(ge=-1e9, le=1e9)]
Share = Annotated[float, Field(ge=0, le=1)]
Digest = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


def _registered(name: str) -> str:
    if name not in readable():
        raise PydanticCustomError("representation", "should be one of {names}", {"names": ", ".join(readable())})
    return name


RepresentationName = Annotated[str, AfterValidator(_registered)]


class _Schema(BaseModel):
    # exact types: "4", 4.0 and true are not integers
    model_config = ConfigDict(strict=True, extra="allow", allow_inf_nan=False, hide_input_in_errors=True)


class _OfModality(_Schema):
    """Metadata that name the modality of a field's values; older files state only the dimension."""

    dim: Annotated[int, Field(ge=1, le=4)]
    modality: Name = ""

    @model_validator(mode="after")
    def _known(self) -> "_OfModality":
        modality, sizes = of_file(self.modality, self.dim), getattr(self, "field", None)
        if sizes and of_file(sizes.modality, sizes.dim) is not modality:
            raise ValueError(f"the sizes of a field of {modality.plural} are needed, and these are of others")
        return self


class NetworkSchema(_Schema):
    """A `Network` of somebody else's."""

    widths: Annotated[list[Width], Field(min_length=1, max_length=256)]
    activations: Annotated[list[Literal["sine", "relu"]], Field(min_length=1, max_length=256)]
    omegas: Annotated[list[Positive], Field(min_length=1, max_length=256)]
    raw: Annotated[int, Field(ge=1, le=64)]
    bands: Annotated[list[Positive], Field(max_length=64)]
    axes: Annotated[list[Annotated[int, Field(ge=0, le=3)]], Field(min_length=1, max_length=4)]
    axis_scale: Finite
    axis_shift: Finite
    final: Literal["", "tanh"]
    scale: Annotated[list[Finite], Field(max_length=64)]
    shift: Annotated[list[Finite], Field(max_length=64)]


class SharedSchema(_Schema):
    """What the instances of a field share, as a `Shared`."""

    path: Name
    sha256: Digest
    size: Annotated[int, Field(ge=1, le=ENTRIES)]


class FieldSchema(_OfModality):
    """A `FieldConfig`, or a `NetworkConfig` if it has a network. At least four channels: with three and a rank of two,
    no mask could leave every column a trained entry."""

    channels: Annotated[int, Field(ge=4, le=16_384)]
    blocks: Annotated[int, Field(ge=1, le=256)]
    omega: Positive
    latent: Width
    mapping_layers: Annotated[int, Field(ge=1, le=256)]
    mapping_width: Width
    mlp_width: Width
    rank: Width
    mlp_asym_width: Annotated[int, Field(ge=0, le=16_384)] = 0
    network: NetworkSchema | None = None
    shared: SharedSchema | None = None


class EntrySchema(_Schema):
    """A tensor of a layout."""

    name: Id
    shape: Annotated[list[Annotated[int, Field(ge=1, le=ENTRIES)]], Field(min_length=1, max_length=8)]
    offset: Annotated[int, Field(ge=0, le=ENTRIES)]
    frozen: Annotated[list[Annotated[int, Field(ge=0, le=ENTRIES)]], Field(max_length=ENTRIES)]


class FitSchema(_Schema):
    """The settings of a fit except its steps, as a zoo records them."""

    points: Annotated[int, Field(ge=1, le=10**8)]
    lr: Positive
    a_rate: Positive
    lr_end: Annotated[float, Field(ge=0, le=1e9)]
    betas: Annotated[list[Annotated[float, Field(ge=0, lt=1)]], Field(min_length=2, max_length=2)]
    batch: Annotated[int, Field(ge=1, le=10**6)] = 1
    shared_points: bool = False
    pull: Annotated[float, Field(ge=0, le=1e9)] = 0.0
    average: Annotated[float, Field(ge=0, lt=1)] = 0.0


class EncodedSchema(_Schema):
    """How the fits of a zoo start where an encoder says (`wsr.zoo.meta.ZooSettings`)."""

    sha256: Digest
    plain_steps: Annotated[int, Field(ge=1, le=10**9)]


class ZooSchema(_OfModality):
    """A zoo.json. Keys with a default are missing in older ones, which left them to the preset or to the code."""

    format: Literal["wsr-zoo-1"]
    representation: RepresentationName
    preset: Name
    rank: Annotated[int, Field(ge=0, le=16_384)]
    base: Name | None
    base_sha256: Digest | None
    mask_seed: Seed
    init: Name
    sigma: Annotated[float, Field(ge=0, le=1e6)]
    init_seed: Seed
    steps: Count
    fit: FitSchema
    dataset: Name
    dtype: Literal["float16", "float32", "uint8"]
    layout: Annotated[list[EntrySchema], Field(min_length=1, max_length=10_000)]
    field: FieldSchema | None = None
    seed: Seed = 0
    fit_version: Count = 1
    resolution: Annotated[int, Field(ge=8, le=4096)] = 128
    code_version: Name = ""
    snapshots: Annotated[list[Annotated[int, Field(ge=1, le=10**9)]], Field(min_length=1, max_length=10_000)] = [1]
    perturb: Share = 0.0
    sampled: dict[str, Any] = {}
    encoded: EncodedSchema | None = None
    like: Annotated[str, Field(max_length=200)] = ""  # the zoo whose networks vectors were taken for that say nothing
    shown_as: Annotated[str, Field(pattern=r"^[\w.-]{1,100}$")] | None = None

    @model_validator(mode="after")
    def _sound(self) -> "ZooSchema":
        if (self.base is None) != (self.base_sha256 is None):
            raise ValueError("a base and its SHA-256 are needed, or neither, but one of the two is missing")
        if self.encoded and self.init != "centered":
            raise ValueError(f"an encoder predicts offsets from the centered start, and the init is {self.init[:40]!r}")
        check_layout(self.layout)
        return self


class BaseSchema(_Schema):
    """The metadata of a base's file, with parsed JSON texts."""

    format: Literal["wsr-base-1"]
    config: FieldSchema
    dataset: Name
    preset: Name
    mask_seed: Seed
    training: dict[str, Any]
    ids: list[Id] = []


class WeightsSchema(_OfModality):
    """The metadata of a file of saved weights, with parsed JSON texts. aspect: height and width."""

    format: Literal["wsr-weights-1"]
    representation: RepresentationName
    rank: Annotated[int, Field(ge=0, le=16_384)]
    mask_seed: Seed
    ids: Annotated[list[Id], Field(max_length=10**6)]
    base: Name
    base_sha256: Digest | Literal[""]
    field: FieldSchema
    fitted: dict[str, Any] = {}
    aspect: Annotated[list[Annotated[int, Field(ge=1, le=10**6)]], Field(min_length=2, max_length=2)]
    layout: Annotated[list[EntrySchema], Field(min_length=1, max_length=10_000)]

    @model_validator(mode="after")
    def _sound(self) -> "WeightsSchema":
        check_layout(self.layout)
        if len(set(self.ids)) < len(self.ids):
            raise ValueError("ids that are all different are needed, but one is there twice")
        return self


def check_layout(layout: list[EntrySchema]) -> None:
    """Raises a ValueError if the entries do not follow each other, or if a frozen position is outside its tensor or
    repeated."""
    offset = total = 0
    for entry in layout:
        numel = 1
        for side in entry.shape:
            numel *= side
        total += numel
        if total > ENTRIES:
            raise ValueError(f"a layout of at most {ENTRIES:,} numbers is needed, and this one has more")
        if entry.offset != offset:
            raise ValueError(f"the layout's entry {entry.name[:40]!r} should begin at {offset}, not at {entry.offset}")
        if entry.frozen and (max(entry.frozen) >= numel or len(set(entry.frozen)) < len(entry.frozen)):
            raise ValueError(f"the layout's entry {entry.name[:40]!r} freezes positions outside its {numel}, or twice")
        offset += numel - len(entry.frozen)


def read_json(path: str | Path, what: str) -> Any:
    """Reads a JSON file. WsrError if it is not JSON, or larger than `TEXT_BYTES`. what: what the file should be, as in
    "the description of a zoo"."""
    size = refuse_stand_in(path, what)
    if size > TEXT_BYTES:
        raise WsrError(f"{shown(path)} is not {what}: it has {counted(size, 'byte')}, and {TEXT_BYTES:,} are read.")
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise WsrError(f"{shown(path)} should be {what}, but it cannot be read: {error.strerror}.") from None
    return parse_json(data, f"{shown(path)} is not {what}")


def parse_json(text: str | bytes, fault: str) -> Any:
    """Parses a JSON text. WsrError, beginning with `fault`, if it is not JSON or is nested too deeply."""
    if len(text) > TEXT_BYTES:
        raise WsrError(f"{fault}: its text of {counted(len(text), 'byte')} is longer than the {TEXT_BYTES:,} read.")
    try:
        return from_json(text)
    except (ValueError, RecursionError) as error:
        raise WsrError(f"{fault}: it is not JSON that can be read ({str(error)[:100]}).") from None


def validated(schema: type[Model], data: Any, fault: str) -> Model:
    """Validates `data` by its schema. WsrError, beginning with `fault` (as in "'x' is not a base"), if it does not fit.
    """
    try:
        return schema.model_validate(data)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False)
        raise WsrError(f"{fault}: {_said(found[0])}{_more(len(found) - 1)}.") from None


def as_config(config: type, checked: BaseModel, fault: str) -> Any:
    """Builds a frozen dataclass of settings from validated values. WsrError for settings that are unknown to this
    version, since their effect is unknown too."""
    values = checked.model_dump()
    for key in ("network", "shared"):  # of a field of somebody else's only
        if values.get(key) is None:
            values.pop(key, None)
    unknown = sorted(set(values) - {field.name for field in fields(config)})
    if unknown:
        raise WsrError(f"{fault}: its setting {unknown[0][:LONGEST_INPUT]!r} is none of this version of wsr.")
    return config(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})


def _said(error: Any) -> str:
    place = ".".join(str(part)[:LONGEST_INPUT] for part in error["loc"][:4])
    said = error["msg"].removeprefix("Value error, ").removeprefix("Input ").rstrip(".")
    if error["type"] == "missing":
        return f"its {place!r} is missing"
    if error["type"] == "value_error":
        return said
    return f"its {place!r} {said[:1].lower()}{said[1:]}, but it is {_input(error['input'])}" if place else said


def _input(value: Any) -> str:
    if isinstance(value, dict | list):
        return f"a {'mapping' if isinstance(value, dict) else 'list'} of {len(value)}"
    if isinstance(value, int) and value.bit_length() > 128:
        return f"a number of {value.bit_length()} bits"
    return repr(value[:LONGEST_INPUT] if isinstance(value, str) else value)[: LONGEST_INPUT + 2]


def _more(count: int) -> str:
    return f" (and {counted(count, 'more fault')})" if count > 0 else ""
