"""The data set `faces`: drawn faces, aligned and frontal, each computed from its id alone. Nothing is downloaded:
`python_avatars` draws them, and its MIT licence lets anybody ship them."""

from wsr.data.faces.attributes import ATTRIBUTES, JITTER, attributes_of
from wsr.data.faces.dataset import CLASSES, TRAIN_COUNT, load_faces
from wsr.data.faces.draw import RESOLUTION, draw_face

__all__ = [
    "ATTRIBUTES",
    "CLASSES",
    "JITTER",
    "RESOLUTION",
    "TRAIN_COUNT",
    "attributes_of",
    "draw_face",
    "load_faces",
]
