"""The Atlas over a zoo of one fit, and of three: from `precompute.maps` to the page's handlers."""

import numpy as np
import pytest
import tiny_assets

from app.shared import library
from app.tabs.atlas import project as atlas_project
from app.tabs.atlas import view as atlas
from app.tabs.atlas.map import View, Visit, map_figure
from app.tabs.atlas.place import place_fit
from app.tabs.fit import run as fit_run
from precompute import maps
from wsr.fields.base import BaseField
from wsr.fields.checkpoint import BaseInfo, load_base, save_base
from wsr.fields.representation import make_representation
from wsr.presets import preset

NAME = "emoji-mlora-asym"


def forget(module):
    for value in vars(module).values():
        if hasattr(value, "cache_clear"):
            value.cache_clear()


@pytest.fixture(params=[1, 3])
def few(request, tmp_path, monkeypatch):
    monkeypatch.setattr(tiny_assets, "COUNT", request.param + 1)  # the first of them has diverged
    for kind in ("bases", "maps"):
        (tmp_path / kind).mkdir()
    config = preset("cpu", 2).field
    save_base(tmp_path / "bases/emoji.safetensors", BaseField(config), BaseInfo("emoji", "cpu", 0))
    base = load_base(tmp_path / "bases/emoji.safetensors")
    tiny_assets._zoo(tmp_path, "emoji", make_representation("mlora-asym", base, config, 4, 0))
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path))
    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
    forget(library)
    maps.main(NAME)
    yield request.param
    forget(library)


@pytest.mark.parametrize("colour", [library.CLASS, library.CLUSTER])
def test_a_map_of_few_is_drawn_searched_and_projected(few, colour):
    found = library.collection(NAME)
    assert len(found.ids) == few and set(found.maps) == {(m, d) for m in library.METHODS for d in (2, 3)}
    item = found.ids[0]
    for (method, dims), points in found.maps.items():
        assert np.isfinite(points).all()
        controls = ("emoji", "mlora-asym", method, dims, colour, [], "cosine", "raw")
        assert sum(len(trace["customdata"]) for trace in map_figure(View.of(controls), Visit())["data"]) == few
        _, items = atlas.change_neighbours(*controls, item, Visit())
        assert len(items) == few - 1
        assert ("trustworthiness" if few > 2 else "cannot be judged") in atlas_project.believe(*controls, item, Visit())
    atlas_project.prepare(None)
    *_, last = atlas_project.project(None, *controls, item, Visit(), "tsne", 2, 10, 0.1, "euclidean")
    assert "Done" in last[0] and last[3].projections[NAME, 2].shape == (few, 2)
    model = library.zoo(NAME).representation
    own = fit_run.Fitted("thing", 2, model, library.weights(NAME)[:1], (1, 1), 30.0, 300)
    placed, _, nearest = place_fit(own, Visit())
    assert nearest == item and set(placed.points) == set(found.maps)
    assert all(np.allclose(placed.points[key], points[0], atol=1e-2) for key, points in found.maps.items())
