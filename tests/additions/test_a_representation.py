"""The first of the seven additions, a representation: one file (film.py) and one registration, and it is available
everywhere."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tiny_assets
import torch
from PIL import Image

import wsr
from app.shared import library, samples
from app.tabs.atlas import controls, panel
from app.tabs.atlas.map import Visit
from app.tabs.atlas.place import place_fit
from app.tabs.audit import handlers as audit
from app.tabs.connect import run as connect_run
from app.tabs.fit import run as fit_run
from app.tabs.fit import six
from app.tabs.generate import handlers as generate
from app.tabs.generate import models
from app.tabs.generate import run as generate_run
from app.tabs.symmetry import cards
from app.tabs.symmetry import run as symmetry_run
from precompute.experiment import Context
from precompute.experiments import audits, experiments, table1, table4
from precompute.fits import fitted
from precompute.tables import PAPER
from tests.additions.film import FILM
from tests.conftest import tiny_config
from wsr import symmetry
from wsr.analysis.projections import project, to_table
from wsr.cli import main
from wsr.data.signals import Signal, Signals
from wsr.errors import WsrError
from wsr.fields.base import BaseField
from wsr.fields.checkpoint import BaseInfo, load_base, save_base
from wsr.fields.registry import named, names, registered
from wsr.fields.representation import make_representation
from wsr.fitting.settings import FitSettings
from wsr.generators.baselines import plants
from wsr.map_layouts import ProjectionConfig
from wsr.modalities import IMAGE
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
    # its registration names no alignment, so nothing is aligned
    assert torch.equal(symmetry.align(model, moved, weights), moved)
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
    curve = quality_curve([1, 2], [10.0, 11.0], of=IMAGE, representation="film", total=2)
    assert curve["data"][0]["name"] == "FiLM"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory):
    """Tiny assets of all seven, with a generator and an audit of the new one's weights."""
    folder = tmp_path_factory.mktemp("tiny")
    with registered(FILM), pytest.MonkeyPatch.context() as changed:
        changed.setenv("WSR_ASSETS", str(folder))
        tiny_assets.make(folder, {"emoji": "image"})
        tiny_assets.add_audit(folder, "emoji-film")
        assert main(["diffuse", "emoji-film", "--generator", "p-diff", "--steps", "2"]) == 0
    return folder


def test_every_tab_of_the_page_has_it(film, tiny, on_page):
    offered = on_page(tiny)
    # the labels in Atlas, Fit, Generate and Symmetry, in Connect, and in Atlas
    for widgets in ("Representation", "Representations", "Beside it, the same targets fitted with"):
        assert "film" in offered[widgets], widgets


def test_atlas_shows_and_places_its_weights(film, tiny, on_page):
    on_page(tiny)
    view = controls.first_view("emoji", "film")
    assert view.representation == "film" and "film" in controls.kinds_of("emoji")
    item = library.first_pick("emoji-film")
    shown = list(panel.show(view, item, Visit()))
    assert any("<img" in str(one.frame) for one in shown) and any(one.heat for one in shown)


def test_fit_fits_it_alone_and_beside_the_others(film, tiny, on_page, tmp_path):
    on_page(tiny)
    target, asked = samples.target("photo:cat"), fit_run.checked("film", 4, 10)
    *_, last = fit_run.run(target, asked, tmp_path / "stop")
    assert last.fitted.model.kind is film and "Done after 10 steps" in last.state
    assert fit_run.weights_file(last.fitted, tmp_path).endswith("cat-film.safetensors")
    assert place_fit(last.fitted, Visit())[1].name == "emoji-film"
    *_, last = six.run(target, asked, tmp_path / "stop")
    assert last.picture.count("<figure>") == 7 and last.curve["data"][-1]["name"] == "FiLM"


def test_connect_walks_between_its_fits(film, tiny, on_page):
    on_page(tiny)
    race = connect_run.race("emoji", connect_run.targets("emoji")[0])
    assert "film" in race.lanes and connect_run.pictures(race, 0.5, False)["film"].ndim == 3
    connect_run.check_live(["film"], 0.1, 1.0)


def test_symmetry_acts_on_it_and_offers_it_where_its_parts_allow(film, tiny, on_page):
    on_page(tiny)
    of = symmetry_run.subject("emoji-film", library.collection("emoji-film").ids[0])
    moved = symmetry_run.act(of, "scale", 1, 1.0)
    assert moved.distance > 0.1 and moved.difference < 1e-3
    assert "film" not in dict(cards.families_of("emoji")).values(), "its channels may not change places"


def test_generate_and_audit_have_its_weights(film, tiny, on_page, tmp_path):
    on_page(tiny)
    assert ("FiLM", "film") in generate.kinds_of("emoji") and ("FiLM", "film") in audit.kinds("emoji")
    for by in ("p-diff", "gaussian"):
        *_, last = generate_run.run(models.checked("emoji", "film", "any", 1.0, 10, 0, by), tmp_path / "stop")
        assert len(last.items) == models.COUNT and last.sampled.asked.by == by
    (screen,) = audit.shown("emoji", "film", "")
    assert "<figure>" in screen.pair and "noise 0.1" in screen.table


def test_tables_have_it_beside_the_papers_six(film, tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("WSR_ASSETS", str(tiny))
    bench = tiny / "reports/bench-fit-emoji.json"
    bench.write_text(json.dumps({"seconds_by_representation": {"mlp": 1.0}}))  # a report from before it was registered
    context = Context(given=("emoji",))
    for module in (table1, table4):
        cells = context.cells(module.EXPERIMENT)
        assert list(dict.fromkeys(cell["representation"] for cell in cells)) == list(wsr.representations)
        paths = [tmp_path / f"{module.EXPERIMENT.name}.{kind}" for kind in ("json", "md", "csv", "png")]
        module.report([(cell, module.run(cell, context)) for cell in cells], paths, context)
    rows = {row["representation"]: row for row in json.loads((tmp_path / "table1.json").read_text())["rows"]}
    assert rows["film"]["emoji PSNR"] > 0 and rows["film"]["paper PSNR"] is None and rows["mlp"]["paper PSNR"] == 35.11
    assert rows["film"]["emoji seconds"] is None and rows["mlp"]["emoji seconds"] == 1.0
    assert "| film | " in (tmp_path / "table4.md").read_text()
    zoo = Zoo.open("emoji-film")
    # eleven pictures, so that the last row is not full
    audits.picture(zoo, zoo.weights()[:11], tmp_path / "samples.webp")
    with Image.open(tmp_path / "samples.webp") as sheet:
        assert sheet.size == (8 * audits.CELL, 2 * audits.CELL)


def test_experiments_are_about_it_and_what_was_made_before_stays(film):
    """Records of the six representations do not name one that is registered later, so none of them becomes stale."""
    known, context = experiments(), Context()
    about = {name for name, one in known.items() for cell in context.cells(one) if "film" in cell.values.values()}
    assert {"zoos", "maps", "figure3", "table1", "table4", "dimensions", "learning_rates", "spans", "audits"} <= about
    assert "reports/audit-faces-film.json" in context.fill(
        known["audit_drawn"].uses, context.cells(known["audit_drawn"])[0], known["audit_drawn"]
    )
    cells = {cell["representation"]: cell for cell in context.cells(known["zoos"]) if cell.data == "emoji"}
    assert list(fitted(cells["mlp"], context)["rates"]) == PAPER["representations"]
    assert fitted(cells["film"], context)["rates"]["film"] == 3e-2
