"""Training of base fields (as variational autodecoders), and fitting of instances in batches."""

from wsr.fitting.fit import fit, fit_stream
from wsr.fitting.loop import FitRecord, FitResult

__all__ = ["FitRecord", "FitResult", "fit", "fit_stream"]
