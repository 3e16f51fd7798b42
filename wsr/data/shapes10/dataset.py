"""The data set of 5,500 shapes: its ids and splits, and a cache that is filled in parallel and read in blocks.

The seed decides the split, in every category: 0 to 449 are for training, 450 to 499 for validation, and 500 to 549 for
the test. Zoos of two splits call the validation shapes `heldout`, and earlier choices were made on them. The test
shapes were added later, and no choice was made on them. No base was trained on either.
"""

import json
import os
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import trimesh
from jaxtyping import Float, Int

from wsr.caching import cached_by_file
from wsr.data.shapes10.generate import ATTRIBUTES_VERSION, CATEGORIES, SEEDS, VERSION, describe, generate, to_trimesh
from wsr.data.signals import Attribute, Signal, Signals
from wsr.data.splits import TEST, TRAIN, VALIDATION, Split
from wsr.errors import unknown_name
from wsr.modalities import OCCUPANCY
from wsr.paths import atomic_path, cache_dir

VALIDATION_FROM, TEST_FROM = 450, 500  # over all categories, 500 shapes in each of these splits
BLOCK = 25  # shapes in a file of about 400 kB; a killed run loses at most one block per process

Arrays = tuple[Float[np.ndarray, "v 3"], Int[np.ndarray, "f 3"]]


def load_shapes10(category: str | None = None) -> Signals:
    """Loads all 5,500 shapes, or the 550 of one category, with ids like `chair-00042`.

    A shape is read from the cache if `build_cache` has filled it, and otherwise generated in about 20 ms; the mesh is
    the same.
    """
    if category is not None and category not in CATEGORIES:
        raise unknown_name("shapes10 category", category, CATEGORIES)
    chosen = CATEGORIES if category is None else (category,)
    name = "shapes10" if category is None else f"shapes10/{category}"
    return Signals(name, OCCUPANCY.dim, [_signal(cls, seed) for cls in chosen for seed in range(SEEDS)], OCCUPANCY)


def _signal(category: str, seed: int) -> Signal:
    name, (reader, about) = f"{category}-{seed:05d}", (partial(one, category, seed) for one in (_read, _attributes))
    return Signal(name, category, split_of(seed), OCCUPANCY.dim, reader, OCCUPANCY, about)


def split_of(seed: int) -> Split:
    return TRAIN if seed < VALIDATION_FROM else VALIDATION if seed < TEST_FROM else TEST


def _read(category: str, seed: int) -> trimesh.Trimesh:
    path = block_path(category, seed // BLOCK)
    block = _read_block(path) if path.exists() else None
    return generate(category, seed) if block is None else to_trimesh(*block[seed % BLOCK])


def _attributes(category: str, seed: int) -> dict[str, Attribute]:
    path = attributes_path(category, seed // BLOCK)
    block = _read_attributes(path) if path.exists() else None
    return describe(category, seed)[1] if block is None else block[seed % BLOCK]


def attributes_path(category: str, block: int) -> Path:
    """Returns the path of the cache file with the attributes of a block's shapes."""
    return block_path(category, block).with_suffix(f".attributes-{ATTRIBUTES_VERSION}.json")


@cached_by_file(lambda path: [path], maxsize=256)
def _read_attributes(path: Path) -> list[dict[str, Attribute]] | None:
    """Reads the attributes of a block's shapes. None if the file is damaged, in which case they are computed again."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError):
        return None
    whole = isinstance(found, list) and len(found) == BLOCK and all(isinstance(one, dict) for one in found)
    return found if whole else None


def block_path(category: str, block: int) -> Path:
    """Returns the path of the cache file of shape 25 * block and the 24 after it. The generator's version is part of
    it."""
    return cache_dir() / "shapes10" / f"v{VERSION}" / f"{category}-{block:02d}.npz"


@cached_by_file(lambda path: [path], maxsize=8)
def _read_block(path: Path) -> tuple[Arrays, ...] | None:
    """Reads the shapes of a block. None if the file is damaged, in which case the shape is generated."""
    try:
        with np.load(path, allow_pickle=False) as file:
            vertices, faces, counts = file["vertices"], file["faces"], file["counts"]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
    ends = np.cumsum(counts, axis=0)  # (25, 2)
    return tuple(
        (vertices[v - nv : v], faces[f - nf : f])
        for (nv, nf), (v, f) in zip(counts.tolist(), ends.tolist(), strict=True)
    )


def _write_block(category: str, block: int) -> None:
    both = [describe(category, seed) for seed in range(block * BLOCK, (block + 1) * BLOCK)]
    meshes, attributes = zip(*both, strict=True)
    counts = np.array([(len(m.vertices), len(m.faces)) for m in meshes], dtype=np.int32)  # (25, 2)
    with atomic_path(block_path(category, block)) as path, open(path, "wb") as file:
        np.savez_compressed(
            file,
            vertices=np.concatenate([m.vertices for m in meshes]).astype(np.float32),
            faces=np.concatenate([m.faces for m in meshes]).astype(np.int32),
            counts=counts,
        )
    with atomic_path(attributes_path(category, block)) as path:
        path.write_text(json.dumps(attributes))


def build_cache(workers: int | None = None, progress: Callable[[int, int], None] | None = None) -> None:
    """Generates every shape that is not yet cached, in parallel processes. All 5,500 take some minutes of one core.

    progress(done, total): called with numbers of shapes, first with those that are cached already. A killed run loses
    only the blocks it was computing. Worker processes import the caller's script again, so scripts must call this below
    `if __name__ == "__main__":`.
    """
    blocks = [(cls, block) for cls in CATEGORIES for block in range(SEEDS // BLOCK)]
    missing = [one for one in blocks if not (block_path(*one).exists() and attributes_path(*one).exists())]
    done, total = (len(blocks) - len(missing)) * BLOCK, len(blocks) * BLOCK
    report = progress or (lambda done, total: None)
    report(done, total)
    if not missing:
        return
    workers = max(1, min(workers or os.cpu_count() or 1, len(missing)))
    # spawn, not fork: the caller may have started threads (torch, a server), which a fork would copy half-way
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    try:
        for job in as_completed([pool.submit(_write_block, *item) for item in missing]):
            job.result()
            done += BLOCK
            report(done, total)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
