"""Coordinate networks: the base field, the six representations over it, their masks and parameter layout."""

from wsr.fields.base import BaseField, compute_dtype, set_compute_dtype
from wsr.fields.checkpoint import load_base, load_latents, save_base
from wsr.fields.layout import Entry, ParameterLayout
from wsr.fields.representation import REPRESENTATIONS, Representation, count_parameters, make_representation

__all__ = [
    "REPRESENTATIONS",
    "BaseField",
    "Entry",
    "ParameterLayout",
    "Representation",
    "compute_dtype",
    "count_parameters",
    "load_base",
    "load_latents",
    "make_representation",
    "save_base",
    "set_compute_dtype",
]
