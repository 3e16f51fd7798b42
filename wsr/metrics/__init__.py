"""Measures of quality."""

from wsr.metrics.quality import chamfer, iou, psnr

__all__ = ["chamfer", "iou", "psnr"]
