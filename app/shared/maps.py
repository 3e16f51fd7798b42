"""The maps of the assets, and of the zoos that visitors bring."""

from pathlib import Path

import numpy as np
import pandas as pd

from wsr.errors import WsrError
from wsr.formats.files import shown
from wsr.formats.tables import MAP, MAP_KEY, read_table

METHODS = ("UMAP", "t-SNE", "PCA")


def read_maps(path: Path, ids: pd.Series) -> dict[tuple[str, int], np.ndarray]:
    """Returns coordinates (n, d) of these items by (method, d), NaN for items that are not on the map. WsrError if the
    file is no map."""
    table = read_table(path, "a map", MAP, MAP_KEY)
    if not len(table) or not table["dims"].isin((2, 3)).all():
        raise WsrError(f"{shown(path)} is not a map: its 'dims' should be 2 or 3 in every row.")
    named = {method.replace("-", "").lower(): method for method in METHODS}
    maps = {}
    for (method, dims), part in table.groupby(["method", "dims"], sort=False):
        title = named.get(str(method).replace("-", "").lower(), str(method))
        columns = ["x", "y", "z"][: int(dims)]
        maps[title, int(dims)] = part.set_index("id").reindex(ids)[columns].to_numpy(np.float32)  # (n, d)
    return maps
