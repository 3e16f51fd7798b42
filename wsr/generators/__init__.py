"""Generators of weights: diffusion (section 3.5), the generators that it is compared with, and simple baselines.

`registry.py` lists them, `base.py` says what each can do, `jobs.py` leads from a zoo to a generator and from a
generator to a zoo of samples.
"""

from wsr.generators.registry import GeneratorKind, kinds, named, names, register, registered

__all__ = ["GeneratorKind", "kinds", "named", "names", "register", "registered"]
