"""Generators of weights: diffusion (section 3.5), the generators that it is compared with, and simple baselines."""
