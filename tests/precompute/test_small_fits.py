"""Experiments that fit pictures or shapes are run for real but small."""

import json

import numpy as np
import pytest
import trimesh
from PIL import Image

from precompute import __main__ as command
from precompute.experiments import (
    arena_independent,
    encoded_starts,
    table1,
    table4,
)
from tests.precompute.small import FIT, failures, pictures, report
from wsr import encoders as encoders_of_weights
from wsr.paths import assets_dir
from wsr.zoo import Zoo

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU


def test_fits_of_pictures(small, tmp_path, capsys):
    faces = pictures(tmp_path / "faces", 40, 8)
    names = ("table4", "arena", "arena_ceilings", "trajectories", "dimensions", "arena_permuted", "arena_independent")
    assert small(faces, *names) == 0, failures(capsys)
    # these make fits of their own, 80 of them, whose quality is not tested
    fitting = ("figure3", "wide_starts", "barrier_levers", "learning_rates", "own_rates")
    assert small(faces, *fitting, steps=6) == 0, failures(capsys)
    scores = report("table4-images-faces-paper")
    assert len(scores["rows"]) == 2 * 6 and len(scores["order"]) == 2 * 3 * len(table4.ORDER)
    assert (assets_dir() / "reports/table4-images-faces-paper.png").exists()
    read = report("arena-images-faces-paper")["rows"]
    assert len(read) == 6 * len(encoders_of_weights.names())
    assert {row["encoder"] for row in read if row["why not"]} == {"nfn", "product"}
    (ceiling,) = report("arena-ceilings-images-faces-paper")["rows"]
    assert ceiling["reader"] == "a convolutional network on pixels" and ceiling["seeds"] == 2
    assert 0 <= ceiling["low"] <= ceiling["accuracy"] <= ceiling["high"] <= 100
    permuted = report("arena-permuted-images-faces-paper")["rows"]
    assert {row["representation"] for row in permuted} == {"mlp", "lora", "mlora"}
    assert all(row["seeds"] == 2 and 0 <= row["accuracy"] <= 100 for row in read if not row["why not"])
    gains = report("arena-independent-images-faces-paper")["gains"]
    assert [gain["representation"] for gain in gains] == list(arena_independent.REPRESENTATIONS)
    assert all(-100 <= gain["low"] <= gain["gain"] <= gain["high"] <= 100 for gain in gains)
    lines = report("figure3-images-faces-paper")
    assert [(row["representation"], row["lambda"]) for row in lines["rows"]] == [
        ("mlora", 0.0), ("mlora", 1.0), ("mlora", 1.0), ("mlp", 1.0),
    ]  # fmt: skip
    wide = report("wide-starts-images-faces-paper")["rows"]
    assert [row["sigma"] for row in wide] == [0.5, 1.52] * 2 and wide[0]["start_cosine"] > wide[1]["start_cosine"]
    pairs = Zoo.open("images-faces-paper-mlora-normal-pairs")
    assert len(pairs) == 6 and pairs.meta["shown_as"] == "images-faces-paper"
    assert len(Zoo.open("images-faces-paper-mlora-asym-trajectories")) == 5 * 48
    assert {row["of"] for row in report("dimensions-images-faces-paper")["rows"]} >= {"signals", "mlp", "mlora-asym"}
    assert len(report("barrier-levers-images-faces-paper")["rows"]) == 11
    assert report("learning-rates-images-faces-paper")["chosen"]["lora"] == {"lr": 0.01, "a_rate": 1.0}
    own = report("own-rates-images-faces-paper")  # the grid has one rate, and its first neighbour is tried
    assert all([one["lr"] for one in tried] == [0.01, 0.02] for tried in own["attempts"].values())
    assert all(len(set(means)) == own["draws"] == 2 for means in own["means of draws"].values())
    assert all(row["draws"] == 2 and row["freedom"] > 0 for row in own["order"])
    kappas = {(row["representation"], round(row["kappa std"] ** 2)) for row in own["rows"]}
    assert len(kappas) == 8 and {("mlp-asym", 36), ("mlp-asym", 6), ("lora-asym", 6), ("mlora-asym", 36)} <= kappas
    assert len(own["order"]) == len(own["order at 6"]) == len(table1.ORDER)


def test_levers_of_pictures(small, tmp_path, capsys):
    faces = pictures(tmp_path / "faces", 30, 8)
    assert small(faces, "learnability") == 0, failures(capsys)
    found = report("learnability-images-faces-paper")
    assert [row["lever"] for row in found["rows"]] == ["paper-like", "rank 2"]
    assert found["chosen"][faces] in ("paper-like", "rank 2") and not found["attributes"]
    for row in found["rows"]:
        assert row["fits"] == 32 and row["pairs"] == 4 and row["FD"] > 0 and 0 < row["noise share"] < 1
        assert 0 < row["span of 8"] < row["span of 16"] <= 1
    assert (assets_dir() / "reports/learnability-images-faces-paper.png").exists()
    assert not list((tmp_path / "cache/training").glob("learnability-*"))  # fits of the study are removed at its end


def test_encoded_starts_of_pictures(small, tmp_path, capsys, monkeypatch):
    faces, others = (pictures(tmp_path / name, 24, 8) for name in ("faces", "others"))
    monkeypatch.setattr(encoded_starts, "OTHERS", {faces: (others,)})
    assert small(faces, "encoded_starts") == 0, failures(capsys)
    found = report("encoded-starts-images-faces-paper")
    assert [(row["start"], row["steps"]) for row in found["rows"]] == [
        ("plain", 0), ("plain", 3), ("encoded", 0), ("encoded", 3), ("plain", FIT.steps), ("encoded", 30),
    ]  # fmt: skip
    for row in found["rows"][-2:]:
        assert 0 <= row["noise share"] < 1 and 0 < row["span of 8"] < row["span of 16"] <= 1 and row["fits"] == 32
        assert np.isfinite([row["barrier"], row["seconds a fit"]]).all()
    assert [(row["of"], row["instances"]) for row in found["known"]] == [("images-faces", 5), ("images-others", 5)]
    assert all(0 <= row["known"] <= 1 and not row["fresh"] for row in found["known"][:1])
    written = (assets_dir() / "reports/encoded-starts-images-faces-paper.md").read_text()
    assert "| noise share |" in written and "| known |" in written
    assert not list((tmp_path / "cache/training").glob("encoded-starts-*"))


def test_shapes(small, tmp_path, capsys):
    for i in range(14):  # enough that at least two are held out
        path = tmp_path / "solids" / ("box" if i % 2 else "ball") / f"{i:02d}.obj"
        path.parent.mkdir(parents=True, exist_ok=True)
        extents = (1, 0.5 + 0.02 * i, 1)
        shape = trimesh.creation.box(extents) if i % 2 else trimesh.creation.icosphere(1).apply_scale(extents)
        shape.export(path)
    data = f"meshes:{tmp_path / 'solids'}"
    assert small(data, "table1", "sheets", only="mlora-asym") == 0, failures(capsys)
    table = report("table1-meshes-solids-paper")
    assert table["CD ×10² floor"] > 0 and "meshes-solids IoU" in table["rows"][0]
    with Image.open(assets_dir() / "maps/meshes-solids-paper-mlora-asym.webp") as picture:
        assert picture.size[0] % 64 == 0
    assert (assets_dir() / "reports/meshes-solids-paper-sheet.webp").exists()
    assert small(data, "figure3", "figure3_draws", steps=6) == 0, failures(capsys)
    assert all("rise" in row["raw"] for row in report("figure3-meshes-solids-paper")["rows"])
    drawn = report("figure3-draws-meshes-solids-paper")
    told = {(row["representation"], row["lr"], row["lambda"]): row for row in drawn["rows"]}
    assert len(told) == 6 + 1 and all(row["Chamfer rise ±"] > 0 for row in told.values())  # one of them from one start
    assert all(row["start cosine"] == pytest.approx(1) for (_, _, moved), row in told.items() if not moved)
    assert all(abs(row["start cosine"]) < 0.5 for (_, _, moved), row in told.items() if moved)
    for raw in drawn["of targets"]:
        shapes = {len(one) for key in ("drops", "rises", "cosines") for one in raw[key]}
        assert shapes == {len(drawn["ids"])} and len(raw["drops"]) == drawn["draws"] == 2
    assert command.main(["run", "pointnet", "--data", data]) == 0, failures(capsys)
    told = json.loads((assets_dir() / "metrics/pointnet-meshes-solids.json").read_text())
    assert told["held-out shapes"] > 0 and 0 <= told["held-out accuracy"] <= 1
