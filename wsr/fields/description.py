"""The one description of what decodes a stored vector, for zoos, saved weights and generators alike."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from wsr.errors import WsrError
from wsr.fields.base import BaseField
from wsr.fields.checkpoint import base_name, load_base
from wsr.fields.legacy_presets import legacy_field
from wsr.fields.representation import Representation, make_representation
from wsr.formats.schema import FieldSchema, as_config, validated
from wsr.presets import FieldConfig


@dataclass(frozen=True)
class FieldDescription:
    """representation: its name; rank: of an adapter, else 0; base: its name or path, and the SHA-256 of its file, None
    where there is none (an MLP); field: the sizes, None only for adapters in files that were written before they were
    stated: their base has them."""

    representation: str
    rank: int
    mask_seed: int
    base: str | None
    base_sha256: str | None
    field: FieldConfig | None

    @classmethod
    def of(cls, model: Representation) -> "FieldDescription":
        info = None if model.base is None else model.base.info
        name, sha256 = (base_name(info.path), info.sha256) if info else (None, None)
        return cls(model.name, model.rank, model.mask_seed, name, sha256, model.config)

    @classmethod
    def read(cls, meta: Mapping[str, Any]) -> "FieldDescription":
        """From a `record`, or from a zoo.json that is older and names a preset instead of its sizes. WsrError for sizes
        that are out of range, or that this version does not know."""
        field = meta.get("field") or (None if meta["base"] else legacy_field(meta["preset"], meta["dim"]))
        fault = "The sizes of the field that these weights are of are not known"
        sizes = None if field is None else as_config(FieldConfig, validated(FieldSchema, dict(field), fault), fault)
        return cls(
            meta["representation"], meta.get("rank") or 0, meta["mask_seed"], meta["base"] or None,
            meta["base_sha256"] or None, sizes,
        )  # fmt: skip

    def record(self) -> dict[str, Any]:
        """As JSON, under the names that a zoo.json has had from the beginning."""
        found = asdict(self)
        if self.field is None:
            return {key: value for key, value in found.items() if key != "field"}
        return {**found, "dim": self.field.dim, "modality": self.field.modality}

    def sizes(self) -> FieldConfig:
        """Of its base, or of the standalone MLP. WsrError as in `load`, and nothing is allocated for an MLP."""
        base = self._base()
        return self.field if base is None else base.config

    def load(self) -> Representation:
        """The representation, on the very base. WsrError where the base is missing, or is another one."""
        base = self._base()
        return make_representation(self.representation, base, self.sizes(), self.rank, self.mask_seed)

    def _base(self) -> BaseField | None:
        if self.base is None:
            return None
        base = load_base(self.base)
        if base.info.sha256 != self.base_sha256:
            wanted, here = str(self.base_sha256)[:12], base.info.sha256[:12]
            raise WsrError(
                f"These weights were fitted on another base than the {self.base!r} that is here, and mean nothing on "
                f"it: put theirs in its place (its SHA-256 begins with {wanted}, that of the one here with {here})."
            )
        return base
