"""Base training (a variational autodecoder) and batched fitting of instances."""

from wsr.fitting.fit import FitRecord, FitResult, fit, fit_stream

__all__ = ["FitRecord", "FitResult", "fit", "fit_stream"]
