"""Computes coordinates of weights by PCA, t-SNE and UMAP. `wsr.analysis.projections` calls it in a child process.

It does not import torch, so that the child starts quickly and takes little memory."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import numpy as np
from filelock import FileLock, Timeout
from jaxtyping import Float

from wsr.errors import WsrError, unknown_name

METHODS = ("umap", "tsne", "pca")
NAMES = {"umap": "UMAP", "tsne": "t-SNE", "pca": "PCA"}
PCA_FIRST = 50  # t-SNE and UMAP see the leading components: the rest is noise of the fit, and 150 times as many numbers
_COMPILED = ("fast_knn_indices", "smooth_knn_dist", "compute_membership_strengths")  # of `umap.umap_`
_COMPILED_LAYOUT = ("clip", "_nb_optimize_layout_euclidean_single_epoch")  # of `umap.layouts`
COMPILING = 90.0  # seconds that a process waits for another's compiler
_USUAL = (1e-6, 1e6)  # sizes that float32 squares without loss


@dataclass(frozen=True)
class ProjectionConfig:
    """Settings of a map."""

    method: str = "umap"
    dims: int = 2
    neighbours: int = 15
    """How far UMAP looks around a point; t-SNE's perplexity is twice that."""
    min_dist: float = 0.1
    """How close UMAP may put two points."""
    metric: str = "cosine"
    """Between weights, of UMAP: cosine or euclidean."""
    seed: int = 0

    def __post_init__(self):
        if self.method not in METHODS:
            raise unknown_name("projection", self.method, METHODS)
        if self.metric not in ("cosine", "euclidean"):
            raise unknown_name("metric", self.metric, ("cosine", "euclidean"))
        if self.dims not in (2, 3) or self.neighbours < 2 or not 0 <= self.min_dist <= 1:
            raise WsrError(
                f"A map has 2 or 3 dimensions, 2 neighbours or more, and a distance between 0 and 1, not {self.dims}, "
                f"{self.neighbours} and {self.min_dist}."
            )


def layout(weights: Float[np.ndarray, "n p"], config: ProjectionConfig) -> Float[np.ndarray, "n d"]:
    """Returns finite, centred coordinates in [-1, 1] for finite weights (float32 or float64, at least one row)."""
    distinct, place = _distinct(weights)
    if len(distinct) == 1:
        return np.zeros((len(weights), config.dims), np.float32)
    if config.method == "pca":
        found = _leading(weights, config.seed)
    elif len(distinct) <= config.dims + 1:
        found = _leading(weights[distinct], config.seed)[place]
    else:
        found = _embedded(_leading(weights[distinct], config.seed), config)[place]
    found = found[:, : config.dims].astype(np.float64)
    found = np.pad(found, ((0, 0), (0, config.dims - found.shape[1])))
    found -= (found.max(0) + found.min(0)) / 2
    size = np.abs(found).max()
    if not np.isfinite(size):
        raise WsrError(f"{NAMES[config.method]} found no finite coordinates for these weights: try another method.")
    return (found / (size or 1)).astype(np.float32)


def _distinct(weights: np.ndarray) -> tuple[list[int], list[int]]:
    """Returns the first row of each group of equal rows, and for each row the index of its group. Equal rows are laid
    out once, because t-SNE divides by their distance, 0, and crashes."""
    groups: dict[bytes, int] = {}
    first, place = [], []
    for i, row in enumerate(weights):
        group = groups.setdefault(hashlib.blake2b((row + 0).tobytes(), digest_size=16).digest(), len(groups))  # -0 is 0
        if group == len(first):
            first.append(i)
        place.append(group)
    return first, place


def _leading(weights: np.ndarray, seed: int) -> Float[np.ndarray, "n c"]:
    """Returns the scores on the leading principal components of the centred weights, at most 50."""
    from sklearn.decomposition import PCA

    largest = np.abs(weights).max()
    if not _USUAL[0] < largest < _USUAL[1]:
        weights = weights.astype(np.float64) / largest
    centred = weights - weights.mean(0)
    reach = np.abs(centred).max()
    if not _USUAL[0] < reach < _USUAL[1]:
        centred = centred.astype(np.float64) / (reach or 1)
    return PCA(min(PCA_FIRST, *weights.shape), random_state=seed).fit_transform(centred)


def _embedded(leading: Float[np.ndarray, "n c"], config: ProjectionConfig) -> Float[np.ndarray, "n d"]:
    """Returns coordinates by t-SNE or UMAP for more than dims + 1 different rows."""
    count, components = leading.shape
    if config.method == "tsne":
        from sklearn.manifold import TSNE

        perplexity = min(2 * config.neighbours, (count - 1) / 3)
        start = "pca" if components >= config.dims else "random"
        return TSNE(config.dims, perplexity=perplexity, random_state=config.seed, init=start).fit_transform(leading)
    with _compiled_by_one():  # importing UMAP compiles a part of it
        method = _umap().UMAP(
            n_components=config.dims,
            n_neighbors=min(config.neighbours, count - 1),
            min_dist=config.min_dist,
            metric=config.metric,
            random_state=config.seed,
            n_jobs=1,
            init="spectral" if components > config.dims and count > 2 * config.dims + 2 else "random",
            disconnection_distance=np.inf,  # at cosine distance 2, opposite weights would be left out otherwise
        )
        return method.fit_transform(leading)


@contextmanager
def _compiled_by_one() -> Iterator[None]:
    """Has one process alone compile UMAP's functions, and others wait for it and load them. Compiling takes 30 s of a
    core, and a page and its tests begin with several processes that draw a map."""
    folder = os.environ.get("NUMBA_CACHE_DIR")
    done = Path(folder or "", f"umap-{version('umap-learn')}.compiled")
    with ExitStack() as held:
        if folder and not done.exists():
            with suppress(Timeout, OSError):  # then each compiles for itself
                done.parent.mkdir(parents=True, exist_ok=True)
                held.enter_context(FileLock(done.with_suffix(".lock"), timeout=COMPILING))
        yield
    if folder and not done.exists():
        with suppress(OSError):
            done.touch()


def _umap() -> ModuleType:
    """Imports UMAP, and has Numba keep on disk the compiled code of those functions that UMAP itself does not mark so:
    compiling them takes 10 s, in each process that draws a map."""
    import umap.layouts
    import umap.umap_

    for module, names in ((umap.umap_, _COMPILED), (umap.layouts, _COMPILED_LAYOUT)):
        for name in names:
            function = getattr(module, name, None)  # another release may have others, and compiles as it does today
            if hasattr(function, "enable_caching"):
                function.enable_caching()
    return umap
