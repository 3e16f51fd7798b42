"""Base training (a variational autodecoder) and batched fitting of instances."""

from wsr.fitting.fit import fit, fit_stream
from wsr.fitting.loop import FitRecord, FitResult

__all__ = ["FitRecord", "FitResult", "fit", "fit_stream"]
