"""The Atlas over a zoo of one fit and of three fits, from its maps to the page's handlers."""

import numpy as np
import pytest
import tiny_assets
from by_name import by_name

from app.shared import library, networks
from app.shared.fitted import Fitted
from app.shared.maps import METHODS
from app.tabs.atlas import handlers, project
from app.tabs.atlas.controls import NONE
from app.tabs.atlas.map import View, Visit, map_figure
from app.tabs.atlas.place import place_fit
from app.tabs.atlas.widgets import AtlasTab
from precompute.experiments.maps import make_map
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
    forget(networks)
    make_map(NAME)
    yield request.param
    forget(library)
    forget(networks)


@pytest.mark.parametrize("colour", [library.CLASS, library.CLUSTER])
def test_a_map_of_few_is_drawn_searched_and_projected(few, colour):
    found, tab = library.collection(NAME), by_name(AtlasTab)
    assert len(found.ids) == few and set(found.maps) == {(m, d) for m in METHODS for d in (2, 3)}
    item = found.ids[0]
    for (method, dims), points in found.maps.items():
        assert np.isfinite(points).all()
        controls = {"dataset": "emoji", "representation": "mlora-asym", "method": method, "dims": dims}
        controls |= {"colour": colour, "only": [], "metric": "cosine", "form": "raw"}
        assert sum(len(trace["customdata"]) for trace in map_figure(View.of(**controls), Visit())["data"]) == few
        values = {**controls, "picked": item, "on_map": NAME, "visit": Visit(), "compare": NONE, "selection": []}
        assert len(handlers.change_neighbours(tab, values)["nearest"]) == few - 1
        told = "trustworthiness" if few > 2 else "cannot be judged"
        assert told in project.believe(tab, values)["faith"]
    tab.job.prepare(None)
    asked = dict(zip(tab.projecting.settings, ("tsne", 2, 10, 0.1, "euclidean"), strict=True))
    *_, made = project.project(tab, values | asked, None)
    last = next(project.show(tab, values | made, None))
    assert "Done" in last["own state"] and last["visit"].projections[NAME, 2].shape == (few, 2)
    model = networks.zoo(NAME).representation
    own = Fitted("thing", model, networks.weights(NAME)[:1], (1, 1), 30.0, 300)
    placed, _, nearest = place_fit(own, Visit())
    assert nearest == item and set(placed.points) == set(found.maps)
    assert all(np.allclose(placed.points[key], points[0], atol=1e-2) for key, points in found.maps.items())
