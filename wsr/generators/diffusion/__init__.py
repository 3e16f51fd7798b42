"""Diffusion over weights: the hierarchical layer encoder, its transformer, training and sampling (section 3.5)."""

from wsr.generators.base import Monitor, SampleStep, TrainRecord
from wsr.generators.diffusion.config import DiffusionConfig, diffusion_preset
from wsr.generators.diffusion.jobs import Diffusion, train_diffusion
from wsr.generators.diffusion.model import WeightDiffusion, load_diffusion
from wsr.generators.diffusion.training import Training
from wsr.generators.jobs import sample_zoo

__all__ = [
    "Diffusion",
    "DiffusionConfig",
    "Monitor",
    "SampleStep",
    "TrainRecord",
    "Training",
    "WeightDiffusion",
    "diffusion_preset",
    "load_diffusion",
    "sample_zoo",
    "train_diffusion",
]
