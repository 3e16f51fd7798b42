"""Metrics of reconstructions (PSNR, IoU, Chamfer distance) and of sets of generated samples.

`registry.py` lists them: what each needs, its unit, and which values are better.
"""

from wsr.metrics import placements
from wsr.metrics.distributions import frechet_distance, mmd, precision, recall
from wsr.metrics.pieces import count_pieces, floating_share
from wsr.metrics.quality import chamfer, iou, psnr
from wsr.metrics.registry import Metric, named, names, needing, register, registered
from wsr.metrics.sets import SetMetrics, pairwise_chamfer, set_metrics

__all__ = [
    "Metric",
    "SetMetrics",
    "chamfer",
    "count_pieces",
    "floating_share",
    "frechet_distance",
    "iou",
    "mmd",
    "named",
    "names",
    "needing",
    "pairwise_chamfer",
    "placements",
    "precision",
    "psnr",
    "recall",
    "register",
    "registered",
    "set_metrics",
]
