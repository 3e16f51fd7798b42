"""The description of what decodes a stored weight vector, shared by zoos, saved weights and generators."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from wsr.errors import WsrError
from wsr.fields.base import BaseField
from wsr.fields.checkpoint import base_name, load_base
from wsr.fields.legacy_presets import legacy_field
from wsr.fields.masks import KAPPA
from wsr.fields.modulated import ModulatedConfig, Shared
from wsr.fields.networks import Network, NetworkConfig
from wsr.fields.representation import Representation, make_representation
from wsr.formats.schema import FieldSchema, as_config, validated
from wsr.presets import FieldConfig


@dataclass(frozen=True)
class FieldDescription:
    """Identifies the field that a weight vector belongs to. representation: its name; rank: of the adapters, 0 for an
    MLP; mask_seed: seed of the asymmetric masks; base: name or path of the base, and base_sha256 the SHA-256 of its
    file, both None for an MLP; field: the sizes. Old files do not state the sizes of adapters, so `field` is None there
    and the sizes are those of the base."""

    representation: str
    rank: int
    mask_seed: int
    base: str | None
    base_sha256: str | None
    field: FieldConfig | None

    @classmethod
    def of(cls, model: Representation) -> "FieldDescription":
        """Describes a representation. WsrError for frozen entries of another size than usual, which no file states."""
        if model.kappa != KAPPA:
            raise WsrError(
                f"Weights whose frozen entries are drawn with κ = {model.kappa:.4g} cannot be saved, since no file "
                f"states κ: fit them with the usual {KAPPA:g}."
            )
        info = None if model.base is None else model.base.info
        name, sha256 = (base_name(info.path), info.sha256) if info else (None, None)
        return cls(model.name, model.rank, model.mask_seed, name, sha256, model.config)

    @classmethod
    def read(cls, meta: Mapping[str, Any]) -> "FieldDescription":
        """Reads a description from a `record`, or from an older zoo.json that names a preset instead of stating the
        sizes. WsrError for sizes that are out of range or unknown to this version."""
        field = meta.get("field") or (None if meta["base"] else legacy_field(meta["preset"], meta["dim"]))
        fault = "It is not known of which sizes the field of these weights is"
        sizes = None if field is None else field_config(validated(FieldSchema, dict(field), fault), fault)
        return cls(
            meta["representation"], meta.get("rank") or 0, meta["mask_seed"], meta["base"] or None,
            meta["base_sha256"] or None, sizes,
        )  # fmt: skip

    def record(self) -> dict[str, Any]:
        """Returns the description as JSON, under the keys that zoo.json has always used."""
        found = asdict(self)
        if self.field is None:
            return {key: value for key, value in found.items() if key != "field"}
        return {**found, "dim": self.field.dim, "modality": self.field.modality}

    def sizes(self) -> FieldConfig:
        """Returns the sizes of the base, or of the standalone MLP, without allocating an MLP. Errors as in `load`."""
        base = self._base()
        return self.field if base is None else base.config

    def load(self) -> Representation:
        """Builds the representation on its base. WsrError if the base is missing, or is not the one that the weights
        were fitted on."""
        base = self._base()
        return make_representation(self.representation, base, self.sizes(), self.rank, self.mask_seed)

    def _base(self) -> BaseField | None:
        if self.base is None:
            return None
        base = load_base(self.base)
        if base.info.sha256 != self.base_sha256:
            wanted, here = str(self.base_sha256)[:12], base.info.sha256[:12]
            raise WsrError(
                f"These weights were fitted on another base than the {self.base!r} that is here, which cannot decode "
                f"them: put theirs in its place (its SHA-256 begins with {wanted}, that of the one here with {here})."
            )
        return base


def field_config(checked: FieldSchema, fault: str) -> FieldConfig:
    """Builds the sizes of a field from validated values: a `NetworkConfig` if they describe a network. WsrError,
    beginning with `fault`, for settings that are unknown to this version or contradict each other."""
    plain = as_config(FieldConfig, checked.model_copy(update={"network": None, "shared": None}), fault)
    if checked.network is None:
        return plain
    network = as_config(Network, checked.network, f"{fault}: of its network")
    try:
        network.check(plain.dim, plain.outputs)
    except ValueError as error:
        raise WsrError(f"{fault}: {error}.") from None
    sizes = {one.name: getattr(plain, one.name) for one in fields(FieldConfig)}
    if checked.shared is None:
        return NetworkConfig(**sizes, network=network)
    return ModulatedConfig(**sizes, network=network, shared=as_config(Shared, checked.shared, fault))
