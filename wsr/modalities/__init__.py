"""What the values of a field are of: an image's colours, a shape's occupancy, or what somebody registers.

A new modality is one file: a class over `Modality`, and `register(Its())`. Importing this package loads neither torch
nor trimesh nor scikit-image.
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
