"""Modalities: what the values of a field are, such as an image's colours or a shape's occupancy.

A new modality is one file: a subclass of `Modality`, and `register(Its())`. Importing this package loads neither torch
nor trimesh nor scikit-image, which take seconds: the registry of data sets needs modalities, and the page and the list
of commands come before those libraries. Methods therefore import what they call, and `wsr.data.signals`, which imports
this package.
"""

from wsr.modalities.base import Live, Measured, Modality, Resolutions
from wsr.modalities.image import IMAGE
from wsr.modalities.occupancy import OCCUPANCY
from wsr.modalities.registry import everything, find, names, of_dim, of_file, of_given, register, registered

__all__ = [
    "IMAGE",
    "OCCUPANCY",
    "Live",
    "Measured",
    "Modality",
    "Resolutions",
    "everything",
    "find",
    "names",
    "of_dim",
    "of_file",
    "of_given",
    "register",
    "registered",
]

register(IMAGE)
register(OCCUPANCY)
