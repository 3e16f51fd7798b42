"""The schema of an encoder's file."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from wsr.formats.schema import (
    Count,
    Digest,
    EntrySchema,
    FieldSchema,
    Name,
    Positive,
    RepresentationName,
    Seed,
    Share,
    Width,
    _OfModality,
    _Schema,
    check_layout,
)


class EncoderConfigSchema(_Schema):
    """An `EncoderConfig`."""

    features: Width
    steps: Count
    instances: Annotated[int, Field(ge=1, le=10**6)]
    points: Annotated[int, Field(ge=1, le=10**8)]
    lr: Positive
    warmup: Count
    ema: Share
    a_rate: Positive
    fit_steps: Annotated[int, Field(ge=1, le=10**6)]


class EncoderSchema(_OfModality):
    """The metadata of an encoder's file: what it predicts the starts of, and how it was trained."""

    format: Literal["wsr-encoder-1"]
    representation: RepresentationName
    rank: Annotated[int, Field(ge=0, le=16_384)]
    mask_seed: Seed
    base: Name
    base_sha256: Digest
    field: FieldSchema
    layout: Annotated[list[EntrySchema], Field(min_length=1, max_length=10_000)]
    config: EncoderConfigSchema
    known: Share
    training: dict[str, Any] = {}

    @model_validator(mode="after")
    def _sound(self) -> "EncoderSchema":
        check_layout(self.layout)
        return self
