"""Schemas of the metadata of generators' files, and the names that earlier versions used for their settings."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator

from wsr.errors import counted
from wsr.formats.schema import Count, Name, Positive, Share, Width, ZooSchema, _Schema

# Names of settings in files of earlier versions, and the current ones.
_RENAMED = {"end": "final_noise", "look": "eval_every"}
# Settings of a diffusion model that earlier versions did not have, with the values that give what those did.
_ADDED = {"token_size": None, "flow_shift": 1.0}


def with_current_names(settings: Any) -> Any:
    """Renames settings from the names of earlier versions to the current ones. Anything but a dictionary is returned
    unchanged."""
    if not isinstance(settings, dict):
        return settings
    old = {key for key in _RENAMED.keys() & settings.keys() if _RENAMED[key] not in settings}
    return {_RENAMED[key] if key in old else key: value for key, value in settings.items()}


def identity_with_current_names(record: Any) -> Any:
    """Does the same for the record of a run's identity (`wsr.identity`), whose part `config` holds a generator's
    settings, and adds the settings of diffusion models that earlier versions did not have."""
    if not isinstance(record, dict) or not isinstance(record.get("parts"), dict):
        return record
    config = with_current_names(record["parts"].get("config"))
    if isinstance(config, dict):
        nested = config.get("diffusion")  # of a generator that has a diffusion model inside
        config |= {"diffusion": _completed(nested)} if isinstance(nested, dict) else {}
        config = _completed(config) if "predict" in config else config
    known = {"config": config} if "config" in record["parts"] else {}
    return {**record, "parts": {**record["parts"], **known}}


def _completed(config: dict[str, Any]) -> dict[str, Any]:
    return {**_ADDED, **with_current_names(config)}


class DiffusionConfigSchema(_Schema):
    """A `DiffusionConfig`."""

    width: Width
    depth: Annotated[int, Field(ge=0, le=256)]
    heads: Annotated[int, Field(ge=1, le=1024)]
    batch: Annotated[int, Field(ge=1, le=10**7)]
    lr: Positive
    steps: Count
    epochs: Count | None = None
    predict: Literal["epsilon", "sample", "v_prediction", "flow"] = "sample"
    encoder: bool = True
    pair_width: Width | None = None
    shared_modulation: bool = False
    token_size: Width | None = None
    skip: bool = False
    decay_steps: Count | None = None
    timesteps: Annotated[int, Field(ge=1, le=100_000)] = 500
    beta: Annotated[list[Annotated[float, Field(gt=0, lt=1)]], Field(min_length=2, max_length=2)]
    flow_shift: Annotated[float, Field(gt=0, le=1000)] = 1.0
    final_noise: Annotated[float, Field(ge=0, lt=1)] = 0.0
    guidance: Annotated[float, Field(ge=-1000, le=1000)] = 1.0
    clusters: Annotated[int, Field(ge=0, le=10**6)] = 0
    conditional: bool = True
    label_drop: Share = 0.1
    ema: Share = 0.999
    warmup: Count = 0
    patience: Count = 0
    eval_every: Annotated[int, Field(ge=1, le=10**9)] = 100

    @model_validator(mode="before")
    @classmethod
    def _renamed(cls, settings: Any) -> Any:
        return with_current_names(settings)

    @model_validator(mode="after")
    def _sound(self) -> "DiffusionConfigSchema":
        if self.width % self.heads:
            raise ValueError(f"a width that its {counted(self.heads, 'head')} divide is needed, not {self.width}")
        return self


class AboutSchema(_Schema):
    """How a generator was trained, with the zoo.json of its training weights."""

    zoo: ZooSchema | None = None
    name: Name = ""
    counts: Annotated[list[Count], Field(max_length=100_000)] = []

    @field_validator("zoo", mode="before")
    @classmethod
    def _none(cls, value: Any) -> Any:
        return value or None  # a model without a zoo; the caller states what decodes its samples


class GeneratorSchema(_Schema):
    """The metadata of a generator's file. config: the generator's own settings, which its kind validates."""

    format: Literal["wsr-diffusion-1"]
    generator: Name = "diffusion"
    config: dict[str, Any]
    classes: Annotated[list[Name], Field(min_length=1, max_length=100_000)]
    files: Annotated[int, Field(ge=1, le=100_000)]
    bits: Literal[2, 3, 4, 5, 6, 7, 8, 16, 32]
    about: AboutSchema

    @model_validator(mode="after")
    def _sound(self) -> "GeneratorSchema":
        if len(set(self.classes)) < len(self.classes):
            raise ValueError("classes that are all different are needed, but one is there twice")
        counts = self.about.counts
        if "counts" in self.about.model_fields_set and (len(counts) != len(self.classes) or not any(counts)):
            held = counted(len(self.classes), "class", "classes")
            raise ValueError(f"a count of weights for each of its {held} is needed")
        return self
