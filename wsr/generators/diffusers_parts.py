"""The parts of `diffusers` that our networks and processes use, imported without PyTorch's compiler.

`diffusers` marks some of its classes for `torch.compile`, and does without where there is no compiler. Loading that for
the marks takes three seconds of a core and a hundred megabytes, in each process that only samples.
"""

import contextlib
import sys
import threading
from collections.abc import Iterator

COMPILER = "torch._dynamo"


@contextlib.contextmanager
def _without_compiler() -> Iterator[None]:
    """Hides the compiler from what is imported here. Not where it is loaded already, nor beside other threads, which
    may need it at this moment."""
    if COMPILER in sys.modules or threading.active_count() > 1:
        yield
        return
    sys.modules[COMPILER] = None  # an import raises ImportError
    try:
        yield
    finally:
        del sys.modules[COMPILER]


with _without_compiler():
    from diffusers import DDPMScheduler, DPMSolverMultistepScheduler, FlowMatchEulerDiscreteScheduler
    from diffusers.models.embeddings import TimestepEmbedding, Timesteps

__all__ = [
    "DDPMScheduler", "DPMSolverMultistepScheduler", "FlowMatchEulerDiscreteScheduler", "TimestepEmbedding", "Timesteps",
]  # fmt: skip
