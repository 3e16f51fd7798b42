"""Generators of weights: diffusion (section 3.5), the generators that it is compared with, and simple baselines.

`registry.py` lists them, `base.py` defines their interface, `jobs.py` trains a generator on a zoo and writes samples as
a zoo.
"""

from wsr.generators.registry import GeneratorKind, kinds, named, names, register, registered

__all__ = ["GeneratorKind", "kinds", "named", "names", "register", "registered"]
