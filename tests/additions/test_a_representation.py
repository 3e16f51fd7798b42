"""The first of the six additions, a representation: one file (film.py) and one registration, and it is available
everywhere."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import wsr
from tests.additions.film import FILM
from tests.conftest import tiny_config
from wsr import symmetry
from wsr.analysis.projections import project, to_table
from wsr.data.signals import Signal, Signals
from wsr.errors import WsrError
from wsr.fields.base import BaseField
from wsr.fields.checkpoint import BaseInfo, load_base, save_base
from wsr.fields.registry import named, names, registered
from wsr.fields.representation import make_representation
from wsr.fitting.settings import FitSettings
from wsr.generators.baselines import plants
from wsr.map_layouts import ProjectionConfig
from wsr.render.decode import decode
from wsr.stats import mean_interval
from wsr.zoo import Zoo, build_zoo

FIT = {"points": 64, "lr": 1e-2, "a_rate": 1.0, "lr_end": 1e-5, "betas": [0.7, 0.85], "batch": 4}
IN_ANOTHER_PROCESS = """
import sys
from tests.additions.film import FILM
from tests.conftest import tiny_config
from wsr.fields.registry import register
register(FILM)
from wsr.cli import main
sys.exit(main(["zoo", "check", "pictures-film"]) or main(["render", *sys.argv[1:], "--resolution", "8"]))
"""


@pytest.fixture
def film():
    with registered(FILM) as kind:
        yield kind


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """Assets with a base, a zoo of the new representation on it, and a map of the zoo."""
    tmp_path = tmp_path_factory.mktemp("assets")
    with registered(FILM), pytest.MonkeyPatch.context() as changed:
        changed.setenv("WSR_ASSETS", str(tmp_path))
        _make(tmp_path)
    return tmp_path


@pytest.fixture
def assets(made, monkeypatch):
    monkeypatch.setenv("WSR_ASSETS", str(made))
    return made


def _make(tmp_path: Path) -> None:
    field = BaseField(tiny_config(2), seed=1)
    save_base(tmp_path / "bases/pictures.safetensors", field, BaseInfo("pictures", "cpu", 3))
    frozen = load_base("pictures")
    model = make_representation("film", frozen, frozen.config)
    zoo = Zoo.create(tmp_path / "zoos/pictures-film", model, dataset="pictures", preset="cpu", init="centered",
                     sigma=0.02, init_seed=0, steps=30, fit=FIT, resolution=16)  # fmt: skip
    list(build_zoo(zoo, pictures(frozen)))
    maps = [project(zoo.weights().numpy(), ProjectionConfig("pca", dims)) for dims in (2, 3)]
    (tmp_path / "maps").mkdir()
    to_table(zoo.ids, maps).to_parquet(tmp_path / "maps/pictures-film.parquet", index=False)


def pictures(base) -> Signals:
    """Eight pictures that the representation can fit."""
    model = make_representation("film", base, base.config)
    shown = decode(model, 1 + 0.3 * torch.randn(8, model.size, generator=torch.Generator().manual_seed(0)), 16, (1, 1))
    made = [
        Signal(f"p{i}", "ab"[i % 2], "train" if i < 6 else "heldout", 2, lambda it=picture: it)
        for i, picture in enumerate(shown)
    ]
    return Signals("pictures", 2, made)


def test_it_is_there_for_as_long_as_it_is_registered():
    with registered(FILM):
        assert wsr.representations[-1] == "film" and names()[-1] == "film" and named("film") is FILM
        with pytest.raises(WsrError, match="registered already"):
            with registered(FILM):
                pass
    assert "film" not in wsr.representations
    with pytest.raises(WsrError, match="Unknown representation 'film'"):
        named("film")


def test_it_is_fitted_at_its_own_rate(film, base):
    assert FitSettings().config("film", "image").lr == 3e-2 and FitSettings().config("film", "occupancy").lr == 3e-2
    few, many = (wsr.fit(pictures(base)[:3], "film", base, steps=steps, points=64) for steps in (1, 60))
    assert many.weights.shape == (3, 4 * 16) and (many.quality > few.quality).all()
    assert many.representation.kind is film and len(many.render(8)) == 3


def test_its_symmetry_leaves_the_field_and_is_taken_out(film, base, points):
    model = make_representation("film", base, base.config)
    weights = 1 + 0.3 * torch.randn(2, model.size)
    moved = symmetry.act(model, weights, "scale", seed=1)
    assert not torch.allclose(moved, weights)
    assert torch.allclose(model.evaluate(moved, points), model.evaluate(weights, points), atol=1e-4)
    assert torch.allclose(symmetry.canonical(model, moved), symmetry.canonical(model, weights), atol=1e-5)
    assert torch.equal(symmetry.align(model, moved, weights), moved)  # it says nothing of alignment
    assert "scale" in plants(model, weights.repeat(20, 1))
    with pytest.raises(WsrError, match="Unknown action on 'film' 'permutation'"):
        symmetry.act(model, weights, "permutation")


def test_its_zoo_and_its_weights_open_in_another_process_that_knows_it(film, assets, tmp_path):
    zoo, saved, out = Zoo.open("pictures-film"), tmp_path / "w.safetensors", tmp_path / "out"
    assert zoo.representation.kind is FILM and zoo.decode(zoo.ids[:2], 8).shape == (2, 8, 8, 3)
    assert (zoo.index["status"] == "ok").all()
    result = wsr.fit(pictures(load_base("pictures"))[:2], "film", "pictures", steps=2, points=64)
    result.save(saved)
    found = wsr.load_weights(saved)
    assert torch.equal(found.weights, result.weights) and np.allclose(found.render(8), result.render(8), atol=1e-6)
    command = [sys.executable, "-c", IN_ANOTHER_PROCESS, str(saved), "--out", str(out)]
    done = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=200)
    assert not done.returncode, done.stderr
    assert "all hold" in done.stdout and len(list(out.glob("*.png"))) == 2


def test_its_zoo_is_refused_where_it_is_not_known(assets):
    with pytest.raises(WsrError, match="'representation' should be one of mlp, .* but it is 'film'"):
        Zoo.open("pictures-film")


def test_it_stands_in_a_table_and_on_a_map(film, assets):
    from precompute.tables import markdown

    held = Zoo.open("pictures-film").index.query("split == 'heldout'")
    found = mean_interval(held["quality"].to_numpy())
    row = {"representation": named("film").label, "PSNR": found.mean, "±": found.half}
    assert markdown(pd.DataFrame([row])).splitlines()[-1].startswith("| FiLM | ")
    placed = project(Zoo.open("pictures-film").weights().numpy(), ProjectionConfig("pca", 2))
    assert placed.coordinates.shape == (8, 2)


def test_the_page_has_its_collection_its_label_and_its_colour(film, assets):
    from app.figures.curves import quality_curve
    from app.shared import library, networks
    from app.shared.palette import COLOURS, NAMES, REPRESENTATION_COLOURS, representation_line

    found = library.collection("pictures-film")
    assert library.collection_names() == ["pictures-film"] and not library.problems()
    assert (found.representation, found.dataset, len(found.ids)) == ("film", "pictures", len(found.index))
    assert [array.size for _, array in networks.start_layers("pictures-film")] == [16] * 4
    assert NAMES["film"] == "FiLM" and list(NAMES) == list(wsr.representations)
    assert REPRESENTATION_COLOURS["film"] == COLOURS["black"]
    assert representation_line("film") == {"color": COLOURS["black"], "dash": "dash"}
    curve = quality_curve([1, 2], [10.0, 11.0], measure="psnr", representation="film", total=2)
    assert curve["data"][0]["name"] == "FiLM"
