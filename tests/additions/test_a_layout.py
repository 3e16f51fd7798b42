"""Another addition, a layout of somebody else's weights: one file and one registration, and `wsr import` reads it,
names it where it is nearest, and the page shows its zoo."""

import re

import numpy as np
import pytest
import tiny_assets
import torch

from app.shared import library
from app.shared.palette import NAMES
from app.tabs.atlas import controls, panel
from app.tabs.atlas.map import Visit
from app.tabs.symmetry import cards
from app.tabs.symmetry import run as symmetry_run
from tests.imports.layouts import colours, grid, siren, siren_state
from wsr.analysis.projections import project, to_table
from wsr.cli import main
from wsr.errors import WsrError
from wsr.imports.base import Item, PerInstance
from wsr.imports.pictures import siren_of_pictures
from wsr.imports.registry import LayoutKind, registered
from wsr.imports.run import import_zoo
from wsr.map_layouts import ProjectionConfig
from wsr.zoo import Zoo


class Boxes(PerInstance):
    """A SIREN of grey pictures for each checkpoint `<class>-<number>.pt`."""

    pattern = r"box(\d+)\.(?:weight|bias)"

    def items(self, source, files):
        return [Item(path.stem, path, re.split("-", path.stem)[0]) for path in files]

    def config(self, shapes, options):
        weights = [shapes[weight] for weight, _ in self.layers(shapes)]
        return siren_of_pictures(weights, options.omega or 30.0, options.resolution, [1.0], [0.5])


BOXES = LayoutKind("boxes", "grey pictures in boxes", Boxes)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Tiny assets beside which a zoo of the new layout is imported and mapped, and its pictures by id."""
    folder, known = tmp_path_factory.mktemp("assets"), {}
    source = folder / "source"
    source.mkdir()
    for i in range(12):
        state = siren_state(["box0", "box1", "box2"], [2, 8, 8, 1], i)
        torch.save(state, source / f"{'ab'[i % 2]}-{i}.pt")
        known[f"{'ab'[i % 2]}-{i}"] = colours(siren(state, grid(28, "x")) + 0.5, 28)
    with registered(BOXES), pytest.MonkeyPatch.context() as changed:
        changed.setenv("WSR_ASSETS", str(folder))
        tiny_assets.make(folder, {"emoji": "image"})
        assert main(["import", "boxes", str(source), "--out", str(folder / "zoos/boxes-siren")]) == 0
    zoo = Zoo.open(folder / "zoos/boxes-siren")
    maps = [project(zoo.weights().numpy(), ProjectionConfig("pca", dims)) for dims in (2, 3)]
    to_table(zoo.ids, maps).to_parquet(folder / "maps/boxes-siren.parquet", index=False)
    return folder, known


def test_its_pictures_are_those_that_were_fitted(made):
    folder, known = made
    zoo = Zoo.open(folder / "zoos/boxes-siren")  # also where the layout is not registered any more
    found = dict(zip(zoo.ids, zoo.decode(resolution=28), strict=True))
    assert max(np.abs(found[name] - known[name]).max() for name in known) < 1e-5
    assert set(zoo.index["class"]) == {"a", "b"}


def test_another_layout_names_it_as_the_nearest(made, tmp_path):
    with registered(BOXES), pytest.raises(WsrError, match="The nearest known format is 'boxes'"):
        import_zoo("dwsnets", made[0] / "source", tmp_path / "zoo")


def test_the_page_shows_its_zoo(made, on_page):
    offered = on_page(made[0])
    assert "boxes" in offered["Data set"] and not library.problems()
    view = controls.first_view("boxes", "siren")
    assert view.representation == "siren" and NAMES["siren"] == "SIREN"
    shown = list(panel.show(view, library.first_pick("boxes-siren"), Visit()))
    assert any("<img" in str(one.frame) for one in shown) and any(one.heat for one in shown)
    assert "quality not known" in panel.facts_line(library.collection("boxes-siren"), "a-0")


def test_symmetry_moves_its_neurons(made, on_page):
    on_page(made[0])
    assert ("SIREN", "siren") in cards.families_of("boxes")
    of = symmetry_run.subject("boxes-siren", library.collection("boxes-siren").ids[0])
    moved = symmetry_run.act(of, "permutation", 1, 1.0)
    assert moved.distance > 0.1 and moved.difference < 1e-3
