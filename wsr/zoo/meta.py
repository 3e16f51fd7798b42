"""The zoo.json states everything that a zoo's weights depend on, so that the zoo is decoded, judged and continued as it
was begun, even if the presets have changed since."""

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
FIT_VERSION = 1  # to be incremented when a code change makes the same settings fit different weights
# The weights do not depend on the version number of the code, on where the file of the base is, on the page, or on what
# the files were called that they were imported from.
_NO_SETTING = {"code_version", "base", "shown_as", "imported"}


class FittedAs(TypedDict, total=False):
    """The settings of a new zoo that say how its instances are fitted (`wsr.zoo.build.fit_settings`)."""

    steps: Required[int]
    fit: dict[str, Any] | None
    """Settings of a fit except its steps; by default the preset's."""
    encoded: dict[str, Any]
    """For a zoo whose fits start where an encoder says: the encoder's `sha256`, and the `plain_steps` of instances that
    it does not know."""


class ZooSettings(FittedAs, total=False):
    """The settings of a new zoo, except its representation. A zoo may state further settings of its own."""

    dataset: Required[str]
    preset: Required[str]
    init: Required[str]
    """The start that all fits share: an init of `Representation.initial`, or "first" (`wsr.zoo.recipe`)."""
    sigma: Required[float]
    init_seed: Required[int]
    own_starts: bool | None
    """Whether each instance has a start of its own, drawn as `init` says, instead of one that all share."""
    seed: int
    """Seed of the points that fits draw; by default 0."""
    resolution: int | None
    """Resolution at which fits are judged; by default the preset's."""
    dtype: str
    """The dtype in which weights are stored; by default float16."""
    snapshots: list[int]
    """Steps after which the weights of a trajectory are stored (`wsr.zoo.trajectories`)."""
    perturb: float
    """λ of figure 3, for a zoo of pairs of fits."""
    sampled: dict[str, Any]
    """How weights were sampled, for samples of a generator."""
    imported: dict[str, Any]
    """Where weights come from that another program has fitted (`wsr.imports`)."""
    shown_as: str
    """The name that zoos of the same signals share in links and file names, such as "emoji-people": the page shows them
    together, zoos of pairs included. By default the beginning of the zoo's name, before its representation."""


def zoo_meta(model: Representation, **settings: Unpack[ZooSettings]) -> dict[str, Any]:
    """Returns the zoo.json of a new zoo."""
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
    """Completes a zoo.json with the settings that older versions left to the presets (as these were then) and to the
    code. WsrError for an unknown preset."""
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
    """Returns the settings in which two zoos differ so that their weights do not belong together, in words; empty if
    there are none."""
    before, after = _settings(begun), _settings(now)
    if before["base_sha256"] and "field" not in before.keys() & after.keys():
        before.pop("field", None)  # older zoos of adapters leave the sizes to the base, and the base is the same
        after.pop("field", None)
    return differences(before, after)


def require_same_settings(path: Any, begun: Mapping[str, Any], now: Mapping[str, Any], remedy: str) -> None:
    """Raises a WsrError that says what differs if a zoo `begun` with some settings cannot be continued with the
    settings `now`."""
    changed = changed_settings(begun, now)
    if changed:
        raise WsrError(f"{str(path)!r} holds a zoo with other settings ({in_words(changed)}): {remedy}.")


def _settings(meta: Mapping[str, Any]) -> dict[str, Any]:
    found = {key: value for key, value in completed(meta).items() if key not in _NO_SETTING}
    found = {key: of_any_place(value) if key == "field" else value for key, value in found.items()}
    return {**found, "layout": content_hash(json.dumps(found["layout"]))}


def of_any_place(field: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The description of a field without the path of what its instances share: the hash of that counts, and not where
    it lies."""
    if not (shared := (field or {}).get("shared")):
        return field
    return {**field, "shared": {key: value for key, value in shared.items() if key != "path"}}
