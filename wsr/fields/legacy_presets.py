"""The presets as they were when files began to carry their own settings. Never edit this file.

Older files name a preset instead of stating sizes. For them, this file tells what the weights decode to, at which
resolution their quality was measured, and with which settings their zoo is continued, however `wsr.presets` has changed
since.
"""

from wsr.errors import WsrError
from wsr.fields.registry import named

_LEGACY: dict[tuple[str, int], dict] = {
    ("cpu", 2): {
        "resolution": 128,
        "field": {
            "dim": 2, "channels": 128, "blocks": 4, "omega": 24.0, "latent": 128, "mapping_layers": 3,
            "mapping_width": 128, "mlp_width": 50, "rank": 4, "mlp_asym_width": 54,
        },
        "fit": {"points": 512, "batch": 8, "lr_end": 1e-5, "betas": [0.7, 0.85]},
        "lr": {"mlora": 4e-2, "mlora-asym": 4e-2, "mlp": 2e-2, "mlp-asym": 2e-2, "lora": 1e-2, "lora-asym": 1e-2},
        "a_rate": 3.0,
    },
    ("cpu", 3): {
        "resolution": 96,
        "field": {
            "dim": 3, "channels": 128, "blocks": 4, "omega": 3.0, "latent": 128, "mapping_layers": 3,
            "mapping_width": 128, "mlp_width": 50, "rank": 4, "mlp_asym_width": 54,
        },
        "fit": {"points": 512, "batch": 8, "lr_end": 1e-5, "betas": [0.7, 0.85]},
        "lr": {"mlora": 1.5e-2, "mlora-asym": 3e-2, "mlp": 1.5e-2, "mlp-asym": 1.5e-2, "lora": 3e-2, "lora-asym": 3e-2},
        "a_rate": 3.0,
    },
    ("paper", 2): {
        "resolution": 128,
        "field": {
            "dim": 2, "channels": 256, "blocks": 6, "omega": 32.0, "latent": 256, "mapping_layers": 8,
            "mapping_width": 256, "mlp_width": 94, "rank": 4, "mlp_asym_width": 0,
        },
        "fit": {"points": 8192, "batch": 16, "lr_end": 1e-5, "betas": [0.9, 0.999]},
        "lr": {"mlora": 1e-2, "mlora-asym": 1e-2, "mlp": 1e-2, "mlp-asym": 1e-2, "lora": 1e-2, "lora-asym": 1e-2},
        "a_rate": 1.0,
    },
    ("paper", 3): {
        "resolution": 128,
        "field": {
            "dim": 3, "channels": 512, "blocks": 4, "omega": 1.0, "latent": 128, "mapping_layers": 4,
            "mapping_width": 256, "mlp_width": 99, "rank": 3, "mlp_asym_width": 0,
        },
        "fit": {"points": 8192, "batch": 16, "lr_end": 1e-5, "betas": [0.9, 0.999]},
        "lr": {"mlora": 1e-2, "mlora-asym": 1e-2, "mlp": 1e-2, "mlp-asym": 1e-2, "lora": 1e-2, "lora-asym": 1e-2},
        "a_rate": 1.0,
    },
}  # fmt: skip


def legacy_field(preset: str, dim: int) -> dict:
    """Returns the arguments of the `FieldConfig` that a preset had. WsrError for an unknown preset."""
    return dict(_entry(preset, dim)["field"])


def legacy_resolution(preset: str, dim: int) -> int:
    """Returns the preset's resolution: pixels of an image's longer side, or samples along an edge of a surface's grid.
    WsrError for an unknown preset."""
    return _entry(preset, dim)["resolution"]


def legacy_fit(preset: str, dim: int, representation: str) -> dict:
    """Returns the settings of a fit that a zoo.json records, except its steps. WsrError for an unknown preset."""
    entry = _entry(preset, dim)
    a_rate = entry["a_rate"] if named(representation).two_rates else 1.0
    return {**entry["fit"], "betas": list(entry["fit"]["betas"]), "lr": entry["lr"][representation], "a_rate": a_rate}


def _entry(preset: str, dim: int) -> dict:
    if (preset, dim) not in _LEGACY:
        raise WsrError(
            f"A file that does not carry its own settings was made at one of the presets cpu and paper for images (2) "
            f"or shapes (3), not at {preset!r} for dimension {dim!r}."
        )
    return _LEGACY[preset, dim]
