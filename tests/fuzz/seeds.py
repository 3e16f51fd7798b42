"""Small files of every kind that wsr reads, from which the mutated ones are made."""

import io
import shutil
from pathlib import Path

import numpy as np
import trimesh
from PIL import Image

from wsr.fitting.saved import save_weights

PICTURES = {".png": "PNG", ".jpg": "JPEG", ".webp": "WEBP"}


def pictures() -> dict[str, bytes]:
    """One or two files of each ending, with text, a profile, EXIF and transparency where the format has them."""
    rng = np.random.default_rng(0)
    colours = Image.fromarray(rng.integers(0, 255, (17, 23, 4), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    found = {}
    for suffix, kind in PICTURES.items():
        data = io.BytesIO()
        colours.convert("RGB").save(data, kind, exif=exif)
        found[f"plain{suffix}"] = data.getvalue()
    for name, image, options in (
        ("alpha.png", colours, {}),
        ("palette.png", colours.convert("RGB").quantize(7), {"transparency": 2}),
        ("grey16.png", Image.fromarray(rng.integers(0, 65535, (9, 7), dtype=np.uint16)), {}),
        ("frames.webp", colours, {"save_all": True, "append_images": [colours.rotate(90)]}),
    ):
        data = io.BytesIO()
        image.save(data, Path(name).suffix[1:], **options)
        found[name] = data.getvalue()
    jpeg = io.BytesIO()
    colours.convert("RGB").save(jpeg, "JPEG", progressive=True)
    return found | {"progressive.jpg": jpeg.getvalue()}


def meshes() -> dict[str, bytes]:
    box = trimesh.creation.box((1.0, 0.6, 0.4))
    found = {}
    for kind in ("obj", "ply", "stl", "glb", "off"):
        data = box.export(file_type=kind)
        found[f"box.{kind}"] = data.encode() if isinstance(data, str) else data
    found["text.ply"] = trimesh.exchange.ply.export_ply(box, encoding="ascii")
    found["text.stl"] = trimesh.exchange.stl.export_stl_ascii(box).encode()
    quads = "OFF\n8 6 0\n" + "\n".join(f"{x} {y} {z}" for x in (0, 1) for y in (0, 1) for z in (0, 1))
    sides = ("0 1 3 2", "4 6 7 5", "0 4 5 1", "2 3 7 6", "0 2 6 4", "1 5 7 3")
    found["quads.off"] = (quads + "\n" + "\n".join(f"4 {side}" for side in sides) + "\n").encode()
    lines = ["v 0 0 0", "v 2 0 0", "v 2 1 0", "v 1 0.2 0", "v 0 1 0"]
    lines += [line[:-1] + "1" for line in lines] + ["f 5 4 3 2 1", "f 6 7 8 9 10"]
    lines += [f"f {i} {i % 5 + 1} {i % 5 + 6} {i + 5}" for i in range(1, 6)]
    found["concave.obj"] = "\n".join(lines).encode()
    return found


def weights(zoo, folder: Path) -> bytes:
    """Saved weights out of a zoo."""
    path = folder / "seed.safetensors"
    save_weights(path, zoo.weights(zoo.ids[:2]), zoo.representation, list(zoo.ids[:2]))
    return path.read_bytes()


def copied(zoo: Path, folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return Path(shutil.copytree(zoo, folder))
