"""Diffusion over weights: the hierarchical layer encoder, its transformer, training and sampling (section 3.5)."""

from wsr.generators.diffusion.config import DiffusionConfig, diffusion_preset
from wsr.generators.diffusion.jobs import sample_zoo, train_diffusion
from wsr.generators.diffusion.model import SampleStep, WeightDiffusion, load_diffusion
from wsr.generators.diffusion.training import Monitor, Training, TrainRecord

__all__ = [
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
