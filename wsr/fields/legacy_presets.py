"""The presets as they were when files began to carry their own settings. Never edit this file.

Older files name a preset instead of stating sizes. For them, this file tells what the weights decode to, at which
resolution their quality was measured, and with which settings their zoo is continued, however `wsr.presets` has changed
since.
"""

from wsr.errors import WsrError
from wsr.fields.registry import named

_SIZES = (
    "dim", "channels", "blocks", "omega", "latent", "mapping_layers", "mapping_width", "mlp_width", "rank",
    "mlp_asym_width",
)  # fmt: skip
_RATED = ("mlora", "mlora-asym", "mlp", "mlp-asym", "lora", "lora-asym")
_FIT = {
    "cpu": {"points": 512, "batch": 8, "lr_end": 1e-5, "betas": [0.7, 0.85]},
    "paper": {"points": 8192, "batch": 16, "lr_end": 1e-5, "betas": [0.9, 0.999]},
}
_A_RATE = {"cpu": 3.0, "paper": 1.0}
# By preset and dimension: the resolution, the sizes of the field, and the learning rates
_LEGACY: dict[tuple[str, int], tuple[int, tuple[int | float, ...], tuple[float, ...]]] = {
    ("cpu", 2): (128, (2, 128, 4, 24.0, 128, 3, 128, 50, 4, 54), (4e-2, 4e-2, 2e-2, 2e-2, 1e-2, 1e-2)),
    ("cpu", 3): (96, (3, 128, 4, 3.0, 128, 3, 128, 50, 4, 54), (1.5e-2, 3e-2, 1.5e-2, 1.5e-2, 3e-2, 3e-2)),
    ("paper", 2): (128, (2, 256, 6, 32.0, 256, 8, 256, 94, 4, 0), (1e-2,) * 6),
    ("paper", 3): (128, (3, 512, 4, 1.0, 128, 4, 256, 99, 3, 0), (1e-2,) * 6),
}


def legacy_field(preset: str, dim: int) -> dict:
    """Returns the arguments of the `FieldConfig` that a preset had. WsrError for an unknown preset."""
    return dict(zip(_SIZES, _entry(preset, dim)[1], strict=True))


def legacy_resolution(preset: str, dim: int) -> int:
    """Returns the preset's resolution: pixels of an image's longer side, or samples along an edge of a surface's grid.
    WsrError for an unknown preset."""
    return _entry(preset, dim)[0]


def legacy_fit(preset: str, dim: int, representation: str) -> dict:
    """Returns the settings of a fit that a zoo.json records, except its steps. WsrError for an unknown preset."""
    lr = dict(zip(_RATED, _entry(preset, dim)[2], strict=True))[representation]
    a_rate = _A_RATE[preset] if named(representation).two_rates else 1.0
    return {**_FIT[preset], "betas": list(_FIT[preset]["betas"]), "lr": lr, "a_rate": a_rate}


def _entry(preset: str, dim: int) -> tuple[int, tuple[int | float, ...], tuple[float, ...]]:
    if (preset, dim) not in _LEGACY:
        raise WsrError(
            f"A file that does not carry its own settings was made at one of the presets cpu and paper for images (2) "
            f"or shapes (3), not at {preset!r} for dimension {dim!r}."
        )
    return _LEGACY[preset, dim]
