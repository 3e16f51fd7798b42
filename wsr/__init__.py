"""wsr: a weight-space laboratory. Fits images and 3D shapes as small neural fields, and works with their weights.

The names below are the public interface. Each is loaded when it is first used, so that `import wsr` is fast.
"""

import os
from importlib import import_module

# OpenMP reads this when PyTorch is loaded: threads that wait for each other sleep instead of spinning. On a busy
# machine a thread would spin until the other one is scheduled, and two threads would use twenty times the CPU seconds
# of one.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

__version__ = "0.1.0"

_HOMES = {
    "count_parameters": "wsr.fields.representation",
    "load_base": "wsr.fields.checkpoint",
    "load_signals": "wsr.data",
    "fit": "wsr.fitting.fit",
    "fit_stream": "wsr.fitting.fit",
    "FitResult": "wsr.fitting.loop",
    "FitRecord": "wsr.fitting.loop",
    "load_weights": "wsr.fitting.saved",
    "Zoo": "wsr.zoo.zoo",
    "WsrError": "wsr.errors",
    "directions": "wsr.analysis.directions",
    "encoders": "wsr.encoders",
    "metrics": "wsr.metrics",
}

__all__ = ["representations", *_HOMES]


def __getattr__(name: str):
    if name == "representations":
        return import_module("wsr.fields.registry").names()  # not cached: more may be registered later
    if name not in _HOMES:
        raise AttributeError(f"module 'wsr' has no attribute {name!r}")
    module = import_module(_HOMES[name])
    value = module if name in ("encoders", "metrics") else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
