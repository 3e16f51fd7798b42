"""Encoders of weights: functions from the weights of an instance to features and to what the instance is.

`wsr.encoders.named("nfn").fit(zoo)` trains one on a zoo. `registry.py` lists them, `base.py` defines their interface.
Some remove symmetries first, some respect them by construction, some ignore them. They go from weights to labels; the
encoder of starts (`wsr.fitting.encoder`) goes the other way, from a signal to the weights at which its fit starts.
"""

from wsr.encoders.registry import EncoderKind, kinds, named, names, register, registered

__all__ = ["EncoderKind", "kinds", "named", "names", "register", "registered"]
