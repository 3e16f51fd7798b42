"""The sixth of the seven additions: a run at the paper's sizes, on a user's own pictures, needs no code but `--preset
paper --data images:DIR`; an experiment is added by one file.

The run is real, but small: the test replaces steps and widths of the `paper` preset of images by tiny ones.
"""

import json
from dataclasses import replace
from functools import partial

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from precompute import __main__ as command
from precompute import experiments as folder
from precompute import paper_sizes
from wsr import presets
from wsr.data import images
from wsr.fields.checkpoint import load_base
from wsr.generators.diffusion import DiffusionConfig, load_diffusion
from wsr.generators.diffusion import config as diffusion
from wsr.metrics import features
from wsr.modalities import IMAGE, OCCUPANCY
from wsr.presets import BaseTrainingConfig, FieldConfig, FitConfig, PresetConfig, Stage
from wsr.zoo import Zoo

TINY = PresetConfig(
    16,
    FieldConfig(2, 16, 2, 6.0, 8, 2, 16, 32, 2),
    FitConfig(60, 64, 64, lr=5e-2),
    BaseTrainingConfig((Stage(40, 16, 64, 1e-2),)),
)
NORMS = '''
from precompute.experiment import Experiment
from precompute.tables import write_json

EXPERIMENT = Experiment(
    name="norms", title="the mean norm of each zoo's weights", data=("emoji",),
    grid={"representation": ("mlp", "mlora")}, needs=("zoos/{zoo}",), size="1 kB", time="1 s",
    run=lambda cell, context: float(context.open_zoo(cell).weights().norm(dim=1).mean()),
    report=lambda found, paths, context: write_json(paths[0], {cell.key: value for cell, value in found}),
    reports=("reports/norms{tag}.json",),
)
'''


@pytest.fixture
def faces(tmp_path, monkeypatch):
    """A folder of pictures of two classes, and empty assets."""
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(presets._PRESETS, ("paper", "image"), TINY)
    noise = np.random.default_rng(0)
    for i in range(60):
        path = tmp_path / "faces" / ("cats" if i % 2 else "dogs") / f"{i:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        # easy to fit, so that no fit is poor
        colours = noise.uniform(0.4, 0.5, 3) + np.linspace(0, 0.1, 16)[:, None, None]
        Image.fromarray(np.uint8(255 * np.broadcast_to(colours, (16, 16, 3)))).save(path)
    return tmp_path


def run(faces, *names: str, only: str | None = None, again: bool = False) -> int:
    given = ["run", *names, "--preset", "paper", "--data", f"images:{faces / 'faces'}"]
    return command.main(given + (["--only", only] if only else []) + ["--again"] * again)


def failures(capsys) -> str:
    return "failed: ".join(capsys.readouterr().out.partition("failed: ")[1:])


def test_base_zoo_map_and_tables_of_a_folder_at_the_paper_preset(faces, capsys):
    assert run(faces, "maps", "table1", only="mlora-asym") == 0, failures(capsys)
    assets = faces / "assets"
    made = sorted(str(path.relative_to(assets)) for path in assets.glob("*/*") if path.name != "runs")
    assert made == [
        "bases/images-faces-paper.safetensors",
        "maps/images-faces-paper-mlora-asym.parquet",
        "reports/table1-images-faces-paper.csv",
        "reports/table1-images-faces-paper.json",
        "reports/table1-images-faces-paper.md",
        "zoos/images-faces-paper-mlora-asym",
    ]
    zoo = Zoo.open("images-faces-paper-mlora-asym")
    assert len(zoo) == 60 and zoo.meta["preset"] == "paper" and zoo.meta["steps"] == TINY.fit.steps
    assert zoo.meta["base_sha256"] == load_base("images-faces-paper").info.sha256
    assert zoo.meta["shown_as"] == "images-faces-paper"
    assert set(pd.read_parquet(assets / "maps/images-faces-paper-mlora-asym.parquet")["id"]) == set(zoo.good()["id"])
    table = json.loads((assets / "reports/table1-images-faces-paper.json").read_text())
    assert table["preset"] == "paper" and [row["representation"] for row in table["rows"]] == ["mlora-asym"]
    held = zoo.index[zoo.index["split"] == "heldout"]
    assert table["rows"][0]["images-faces PSNR"] == pytest.approx(held["quality"].mean())

    before = {path: path.stat().st_mtime_ns for path in assets.rglob("*") if path.is_file()}
    assert run(faces, "maps", "table1", only="mlora-asym") == 0  # a second run makes nothing anew
    assert {path: path.stat().st_mtime_ns for path in assets.rglob("*") if path.is_file()} == before

    assert run(faces, "table1", only="mlp") == 0  # a further representation joins the table
    table = json.loads((assets / "reports/table1-images-faces-paper.json").read_text())
    assert [row["representation"] for row in table["rows"]] == ["mlp", "mlora-asym"]
    assert [row["measure"] for row in table["order"]] == ["images-faces PSNR"]


def test_the_pictures_being_others_is_another_run(faces, capsys):
    assert run(faces, "zoos", only="mlp") == 0
    Image.new("RGB", (16, 16), "red").save(faces / "faces/cats/001.png")
    assert run(faces, "zoos", only="mlp") == 1
    assert "signals.content is another" in capsys.readouterr().out
    assert run(faces, "zoos", only="mlp", again=True) == 0


def test_an_experiment_is_added_by_one_file(faces, monkeypatch, capsys):
    (faces / "more").mkdir()
    (faces / "more/norms.py").write_text(NORMS)
    monkeypatch.setattr(folder, "__path__", [*folder.__path__, str(faces / "more")])
    assert command.main(["list"]) == 0
    assert "| `norms` | the mean norm of each zoo's weights | 1 kB | 1 s | zoos |" in capsys.readouterr().out
    assert run(faces, "norms") == 0, failures(capsys)
    found = json.loads((faces / "assets/reports/norms-images-faces-paper.json").read_text())
    assert found.keys() == {"images-faces-paper-mlp", "images-faces-paper-mlora"} and min(found.values()) > 0
    capsys.readouterr()
    assert run(faces, "norms") == 0
    assert capsys.readouterr().out.splitlines()[-3:] == [
        "norms images-faces-paper-mlp: made",
        "norms images-faces-paper-mlora: made",
        "norms report-images-faces-paper: made",
    ]
    Zoo.open("images-faces-paper-mlp").path.joinpath("zoo.json").touch()
    assert command.main(["status", "norms", "--preset", "paper", "--data", f"images:{faces / 'faces'}"]) == 0


@pytest.mark.parametrize("modality", [IMAGE, OCCUPANCY], ids=lambda one: one.name)
def test_folders_in_known_layouts_go_through_every_step(modality, faces, monkeypatch, capsys):
    """The same that `python -m precompute.paper_sizes` does at the paper's sizes, which takes minutes and gigabytes."""
    tiny = replace(TINY, field=replace(TINY.field, dim=modality.dim, modality=modality.name))
    monkeypatch.setitem(presets._PRESETS, ("paper", modality.name), tiny)
    network = DiffusionConfig(16, 9, 2, 8, 1e-3, 10, epochs=9, predict="epsilon")
    monkeypatch.setitem(diffusion._PRESETS, "paper", network)
    monkeypatch.setattr(images, "load_image_folder", partial(images.load_image_folder, resolution=16))
    monkeypatch.setattr(features, "SIDE", 32)
    monkeypatch.setattr("os.cpu_count", lambda: 1)  # shapes are prepared in this process
    make, count = (paper_sizes.meshes, 20) if modality.has_surface else (paper_sizes.pictures, 40)
    sizes = paper_sizes.Sizes(meshes=count, representations=("mlora",), depth=1, samples=2)
    data = make(faces / "layout", count)
    name = f"{'meshes' if modality.has_surface else 'images'}-layout-{data.partition('#')[2]}-paper"
    steps = [spent.step for spent in paper_sizes.chain(data, modality, sizes)]
    assert steps == ["data", "base", "zoo of mlora", "tables of mlora", "generator of mlora", "samples of mlora",
                     "pictures of samples of mlora", "evaluation of mlora"]  # fmt: skip
    assert (faces / f"assets/reports/table1-{name}.json").exists()
    zoo = Zoo.open(f"{name}-mlora")
    assert len(zoo) == count and zoo.meta["dataset"] == data and zoo.meta["steps"] == paper_sizes.STEPS
    assert load_base(name).info.training["steps"] == paper_sizes.STEPS and load_base(name).info.dataset == data
    model = load_diffusion(faces / f"assets/paper-sizes/{name}-mlora.safetensors", zoo.representation)
    assert (model.config.depth, model.about["steps"], model.config.skip) == (1, 2, modality.has_surface)
    found = pd.read_csv(faces / f"assets/paper-sizes/{name}-mlora-samples.csv")
    assert set(found["set"]) == {"samples", "replica", "floor"}
