"""Folders of decoded instances: pictures (PNG), or meshes (GLB), that other programs open."""

from PIL import Image

from wsr.errors import WsrError
from wsr.exports.base import Exported, file_names
from wsr.paths import atomic_path

DRAWN = 256  # pixels of a drawn surface


def write_pictures(exported: Exported) -> None:
    """Writes a PNG of each instance: a picture itself, or a drawn surface."""
    modality, names = exported.zoo.modality, file_names(exported.ids)
    size = exported.size or modality.resolutions.final
    for name, one in exported.decoded(size):
        with atomic_path(exported.folder / f"{names[name]}.png") as temporary:
            Image.fromarray(modality.picture(one, DRAWN)).save(temporary, "PNG")


def write_meshes(exported: Exported) -> None:
    """Writes a GLB of each shape. WsrError for a zoo of anything else, and for a shape without a surface."""
    modality, names = exported.zoo.modality, file_names(exported.ids)
    if not modality.has_surface:
        raise WsrError(
            f"The zoo {exported.zoo.path.name!r} holds {modality.plural}, which have no surface: export them as "
            "pictures."
        )
    empty = 0
    for name, one in exported.decoded(exported.size or modality.resolutions.final):
        empty += modality.empty(one)
        if not modality.empty(one):
            modality.save(one, exported.folder / f"{names[name]}{modality.suffix}")
    if empty == len(exported.ids):
        raise WsrError("None of these shapes has a surface.")
