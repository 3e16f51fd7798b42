"""What a zoo.json says: everything that its weights depend on, so that a zoo decodes, is judged and goes on as it
began, whatever has become of the presets since."""

import json
from collections.abc import Mapping
from typing import Any, Required, TypedDict, Unpack

from wsr import __version__
from wsr.errors import WsrError
from wsr.fields.description import FieldDescription
from wsr.fields.legacy_presets import legacy_fit, legacy_resolution
from wsr.fields.representation import Representation
from wsr.formats.generators import with_current_names
from wsr.identity import content_hash, differences, in_words
from wsr.modalities import of_dim
from wsr.presets import preset as find_preset

FORMAT = "wsr-zoo-1"
FIT_VERSION = 1  # counted up by hand whenever the same settings would fit other weights
# The code's version and the base's name or path: the same weights come of another place, or an edited docstring.
_NO_SETTING = {"code_version", "base"}


class ZooSettings(TypedDict, total=False):
    """What a new zoo is made with, beside its representation. A zoo may state settings of its own beside these."""

    dataset: Required[str]
    preset: Required[str]
    init: Required[str]
    """The start that all fits share: an init of `Representation.initial`, or "first" (`wsr.zoo.build`)."""
    sigma: Required[float]
    init_seed: Required[int]
    steps: Required[int]
    fit: dict[str, Any] | None
    """Settings of a fit beside its steps; by default the preset's."""
    seed: int
    """Of the points that fits draw; 0 by default."""
    resolution: int | None
    """At which fits are judged; by default the preset's."""
    dtype: str
    """In which weights are stored; float16 by default."""
    snapshots: list[int]
    """Steps after which the weights of a trajectory are kept (`wsr.zoo.trajectories`)."""
    perturb: float
    """λ of the starts of a zoo of pairs."""
    sampled: dict[str, Any]
    """How weights were drawn that come from a generator."""


def zoo_meta(model: Representation, **settings: Unpack[ZooSettings]) -> dict[str, Any]:
    """A new zoo.json."""
    preset = settings.get("preset", "")
    config = find_preset(preset, model.modality)
    meta = {
        "format": FORMAT,
        **FieldDescription.of(model).record(),
        "preset": preset,
        "dim": model.dim,
        "modality": model.modality.name,
        "seed": 0,
        "fit_version": FIT_VERSION,
        "code_version": __version__,
        "dtype": "float16",
        **{key: value for key, value in settings.items() if value is not None},
        "fit": settings.get("fit") or config.fit.settings(model.name),
        "resolution": settings.get("resolution") or config.resolution,
        "layout": model.layout.to_json(),
    }
    return json.loads(json.dumps(meta))


def completed(meta: Mapping[str, Any]) -> dict[str, Any]:
    """A zoo.json with what older versions left to the presets, as those were then, and to the code. WsrError where
    something is left to a preset that there was not."""
    found = dict(meta)
    kind = found["preset"], found["dim"]
    found["modality"] = found.get("modality") or of_dim(found["dim"]).name
    if "field" not in found and not found["base"]:
        found |= {"field": FieldDescription.read(found).record()["field"]}
    if found.get("field"):
        found["field"] = {**found["field"], "modality": found["field"].get("modality") or found["modality"]}
    if "resolution" not in found:
        found["resolution"] = legacy_resolution(*kind)
    if "batch" not in found.get("fit", {}):
        found["fit"] = {**legacy_fit(*kind, found["representation"]), **found.get("fit", {})}
    if "network" in found.get("sampled", {}):
        found["sampled"] = {"version": 1, "generator": "diffusion", **with_current_names(found["sampled"])}
    return {"seed": 0, "fit_version": 1, **found}


def changed_settings(begun: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What weights of two zoos would not have in common, in words; empty where they belong into one zoo."""
    before, after = _settings(begun), _settings(now)
    if before["base_sha256"] and "field" not in before.keys() & after.keys():
        before.pop("field", None)  # an older zoo of adapters leaves it to the base, which is the same
        after.pop("field", None)
    return differences(before, after)


def require_same_settings(path: Any, begun: Mapping[str, Any], now: Mapping[str, Any], remedy: str) -> None:
    """WsrError, with what differs, where a zoo that was `begun` is not one of the settings `now`."""
    changed = changed_settings(begun, now)
    if changed:
        raise WsrError(f"{str(path)!r} holds a zoo with other settings ({in_words(changed)}): {remedy}.")


def _settings(meta: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in completed(meta).items() if key not in _NO_SETTING}
    return {**found, "layout": content_hash(json.dumps(found["layout"]))}
