"""Metrics of reconstructions (PSNR, IoU, Chamfer distance) and of sets of generated samples."""

from wsr.metrics.distributions import frechet_distance, mmd
from wsr.metrics.quality import chamfer, iou, psnr
from wsr.metrics.sets import SetMetrics, pairwise_chamfer, set_metrics

__all__ = ["SetMetrics", "chamfer", "frechet_distance", "iou", "mmd", "pairwise_chamfer", "psnr", "set_metrics"]
