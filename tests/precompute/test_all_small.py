"""Every experiment is run for real but small, on a folder of pictures or meshes, with a preset for tests."""

import itertools
import json
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import trimesh
from PIL import Image

from precompute import __main__ as command
from precompute import generators, judging, large_generators
from precompute.experiments import (
    arena,
    arena_independent,
    audits,
    augmentation,
    barrier_levers,
    clusters,
    diffusion_search,
    diffusion_sizes,
    encoded_starts,
    figure3,
    generation,
    large_models,
    large_sampling,
    large_search,
    learnability,
    learning_rates,
    noise_carried,
    own_rates,
    peers,
    pointnet,
    processes,
    realism,
    sampling,
    scaling,
    spans,
    table1,
    table4,
    wide_starts,
)
from wsr import encoders as encoders_of_weights
from wsr import presets
from wsr.analysis.realism import load_realism
from wsr.data import images
from wsr.encoders.settings import TrainingSettings
from wsr.fitting import encoders
from wsr.fitting.encoder import EncoderConfig
from wsr.generators.diffusion import DiffusionConfig, config
from wsr.generators.files import load_generator
from wsr.metrics import features
from wsr.modalities import IMAGE
from wsr.paths import assets_dir
from wsr.presets import BaseTrainingConfig, FieldConfig, FitConfig, PresetConfig, Protocol, Stage
from wsr.zoo import Zoo

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU
SCHEDULE = BaseTrainingConfig((Stage(40, 16, 64, 1e-2),))
# large batches, because at these sizes a step takes as long for 100 instances as for one
FIT = FitConfig(30, 64, 100, lr=5e-2)
SMALL = {
    figure3: {"INSTANCES": 3, "cases": lambda: [("mlora", "own", 0.02, 0.0), ("mlora", "own", 0.02, 1.0),
                                                ("mlora", "normal", 1.0, 1.0), ("mlp", "own", 0.02, 1.0)],
              "POINTS": 500, "SURFACE": 16},
    wide_starts: {"SIGMAS": (0.5, 1.52)},
    arena: {"SEEDS": (0, 1), "SETTINGS": TrainingSettings(epochs=1, batch=64)},
    table1: {"CLOUDS": 2},
    table4: {"RUNS": 3},
    generators: {"SEEDS": (0, 1), "SEEDED": ("mlp", "mlora-asym")},
    diffusion_search: {"RATES": (1e-3,), "TRIALS": 3, "WIDTHS": (16, 32), "DEPTHS": (1,), "TOKEN_SIZES": (32, None)},
    large_search: {"TRIALS": 1},
    diffusion_sizes: {"SIZES": ((8, 8, 1),)},
    generation: {"SAMPLES": 8, "STEPS": 3},
    peers: {"COUNT": 8, "AUTOENCODER_STEPS": 5, "PAIR_STEPS": 5},
    audits: {"DECODED": 8},
    realism: {"DRAWN": 8},
    barrier_levers: {"INSTANCES": 3, "NAMES": ("mlora",)},
    learning_rates: {"INSTANCES": 3, "GRIDS": {"image": (0.01,), "occupancy": (0.01,)}, "A_RATES": (1.0,)},
    own_rates: {"INSTANCES": 3, "A_RATES": (1.0,), "BETAS": (), "WIDENED": 1},
    spans: {"COMPONENTS": (3, None), "POINTS": 500, "HELD_OUT": 4},
    noise_carried: {"RANK": 2, "CHANNELS": 16, "STEPS": 3, "SAMPLES": 4, "SAMPLE_STEPS": 3},
    judging: {"COUNT": 8, "STEPS": 3},
    encoders: {"EncoderConfig": partial(EncoderConfig, features=8, steps=4, instances=4, points=16)},
    learnability: {"TRAINING": 24, "UNSEEN": 8, "PAIRS": 4, "COUNTS": (8, 16), "SAMPLER_STEPS": 3,
                   "LEVERS": {name: learnability.LEVERS[name] for name in ("paper-like", "rank 2")},
                   "WITHIN": {}},
    encoded_starts: {"STEPS": (0, 3), "FITTED": 4, "LEARNT": 24, "UNSEEN_FITS": 8, "PAIRS": 4, "COUNTS": (8, 16),
                     "JUDGED": 5},
    large_generators: {"COUNTS": (20, 150)},
    large_sampling: {"SAMPLES": 8, "STEPS": 3, "GUIDANCES": (1.0,), "FINAL_NOISES": (0.0, 0.1)},
    large_models: {"SAMPLES": 8, "STEPS": 3},
    scaling: {"SEEDS": (0,), "SAMPLES": 8, "STEPS": 3},
    # Pictures are read at the resolution of their fits, and judged at 32 pixels by the real feature extractor
    images: {"load_image_folder": partial(images.load_image_folder, resolution=16)},
    features: {"SIDE": 32},
    IMAGE: {"resolutions": replace(IMAGE.resolutions, judged=32)},
    pointnet: {"BATCH": 4, "EPOCHS": 1},
    **{module: {"COUNT": 8, "STEPS": 3} for module in (augmentation, clusters, processes, sampling)},
}  # fmt: skip


@pytest.fixture
def small(nothing, monkeypatch):
    """Runs experiments on a folder with the `paper` preset, which is replaced by small sizes here. Returns the exit
    status."""
    # Shapes are prepared in this process: each other one takes seconds to start (tests/data/test_occupancy.py has some)
    monkeypatch.setattr("os.cpu_count", lambda: 1)
    for module, values in SMALL.items():
        for name, value in values.items():
            monkeypatch.setattr(module, name, value)
    field = FieldConfig(2, 16, 2, 6.0, 8, 2, 16, 32, 2)
    monkeypatch.setitem(presets._PRESETS, ("paper", "image"), PresetConfig(16, field, FIT, SCHEDULE))
    field = FieldConfig(3, 16, 2, 6.0, 8, 2, 16, 32, 2)
    monkeypatch.setitem(presets._PRESETS, ("paper", "occupancy"), PresetConfig(16, field, FIT, SCHEDULE))
    tiny = DiffusionConfig(16, 1, 2, 8, 1e-3, 10, pair_width=8, final_noise=0.3, guidance=2.0,
                           clusters=2, patience=2, eval_every=5)  # fmt: skip
    monkeypatch.setitem(config._PRESETS, "paper", tiny)
    monkeypatch.setitem(presets.PROTOCOLS, presets.STRUCTURED, {"image": Protocol(encoded=True)})

    def run(data: str, *names: str, only: str | None = None, steps: int = FIT.steps) -> int:
        for key in (("paper", "image"), ("paper", "occupancy")):
            changed = replace(presets._PRESETS[key], fit=replace(FIT, steps=steps))
            monkeypatch.setitem(presets._PRESETS, key, changed)
        return command.main(["run", *names, "--preset", "paper", "--data", data, *(["--only", only] if only else [])])

    return run


def pictures(folder: Path, train: int, heldout: int) -> str:
    """Makes a data set of so many pictures that are easy to fit, so that no fit is poor. Returns its name."""
    noise, left = np.random.default_rng(0), {"train": train, "heldout": heldout}
    for i in itertools.count():
        name = f"{'cats' if i % 2 else 'dogs'}/{i:04d}.png"
        if not any(left.values()):
            return f"images:{folder}"
        if left[images.stable_split(name)]:
            left[images.stable_split(name)] -= 1
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            colours = noise.uniform(0.4, 0.5, 3) + np.linspace(0, 0.1, 16)[:, None, None]
            Image.fromarray(np.uint8(255 * np.broadcast_to(colours, (16, 16, 3)))).save(folder / name)


def failures(capsys) -> str:
    return "failed: ".join(capsys.readouterr().out.partition("failed: ")[1:])


def report(name: str) -> dict:
    return json.loads((assets_dir() / "reports" / f"{name}.json").read_text())


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
    own = report("own-rates-images-faces-paper")  # the one rate is at both ends of its grid, which is widened once
    assert all([one["lr"] for one in tried] == [0.01, 0.02] for tried in own["attempts"].values())
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


def test_generators_of_pictures(small, tmp_path, capsys):
    faces = pictures(tmp_path / "faces", 200, 84)  # the smallest number of fits that an audit accepts
    names = ("generation", "peers", "audits", "audit_drawn", "generation_tables", "sampling", "clusters", "spans",
             "diffusion_sizes", "processes", "scaling", "large_models", "planted", "realism")  # fmt: skip
    assert small(faces, *names, only="mlora-asym") == 0, failures(capsys)
    assert len(Zoo.open(assets_dir() / "samples/images-faces-paper-mlora-asym-s1")) == 8
    made = pd.read_parquet(assets_dir() / "reports/audit-images-faces-paper-mlora-asym.parquet")
    like = report("realism-images-faces-paper-mlora-asym")
    measure = load_realism(assets_dir() / "metrics/realism-images-faces-paper-mlora-asym.safetensors")
    assert like["fits"] == len(measure.known) == 84 and like["threshold"] == measure.threshold > 1
    assert like["extractor"] == measure.extractor and set(like["unlike"]) == {"half 1", "half 2", "Gaussian"}
    assert {"diffusion", *(kind.title for kind in audits.compared())} <= set(made["generator"])
    rows = report("table-generation-images-faces-paper")["rows"]
    assert [row["seeds"] for row in rows if row["set"] == "samples"] == [2, 2] and "FD" in rows[0]
    assert len(report("sampling-images-faces-paper")["rows"]) == len(sampling.SETTINGS)
    assert len(report("clusters-images-faces-paper")["rows"]) == 5
    baseline = report("spans-images-faces-paper")["rows"]
    assert [row["of"] for row in baseline] == ["projections", "projections", "fits", *(
        f"images-faces-paper-mlora-asym{seed}" for seed in ("", "-s1"))]  # fmt: skip
    assert {row["count"] for row in baseline} == {8} and all(row["FD"] > 0 for row in baseline), "of equal numbers"
    assert all(0 <= row["copies"] <= 1 for row in baseline[3:])
    assert len(report("diffusion-sizes-images-faces-paper")["rows"]) == 1
    hidden = {row["disguise"]: row for row in report("planted-images-faces-paper")["rows"]}
    exact = ("sign", "scale", "average of 2", "line at 0.1", "line at 0.3", "line at 0.5")  # whatever the CPU
    assert all(hidden[name]["found"] == 1 for name in exact)
    # how many of the others are found depends on thresholds, and those of so small a zoo on the CPU's rounding
    assert hidden["noise 0.1"]["low"] > hidden["none: held-out fits"]["high"]
    assert {"average of 16", "line at 0.5", "none: held-out fits"} <= set(hidden)
    assert all(row["low"] <= row["found"] <= row["high"] for row in hidden.values())
    tried = [row["setting"] for row in report("processes-images-faces-paper")["rows"]]
    # settings of tokens do not apply, because the layer encoder has tokens of its own
    assert tried == [name for name in processes.SETTINGS if "tokens" not in name]
    large = Zoo.open("images-faces-paper-large-mlora-asym")
    assert len(large) == 284 and large.meta["encoded"] and large.meta["dtype"] == "uint8"
    assert large.meta["shown_as"] == "images-faces-paper-large"
    grown = report("scaling-images-faces-paper")["rows"]
    assert [row["count"] for row in grown] == [20, 150] and grown[0]["span share"] < grown[1]["span share"] <= 1
    assert len(Zoo.open(assets_dir() / "samples/images-faces-paper-large-mlora-asym")) == 8
    assert load_generator("images-faces-paper-large-mlora-asym").about["trained_on"] > 100, "of the most weights"
    assert all(row["FD"] > 0 and row["replica"] + row["blend"] + row["novel"] == pytest.approx(1) for row in grown)

    assert small(faces, "augmentation", "noise_carried", only="mlora") == 0, failures(capsys)
    carried = {row["way"]: row for row in report("noise-carried-images-faces-paper")["rows"]}
    assert {way: row["width"] for way, row in carried.items()} == {
        "noise-2d": 90, "noise-3d": 60, "noise-3d-skip": 60, "weights-3d": 60,
    }  # fmt: skip
    assert carried["noise-3d"]["error at 0.99"] > carried["noise-3d-skip"]["error at 0.99"] > 0
    assert [row["copies"] for row in report("augmentation-images-faces-paper")["rows"]] == [1, 2, 4, 8]
    searched = report("diffusion-search-images-faces-paper")["rows"]
    assert {row["representation"] for row in searched} == {"mlora", "mlora-asym"}
    # the rates of other representations in the same report stay as they are
    assert small(faces, *names, only="mlora-asym") == 0


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
    assert small(data, "figure3", steps=6) == 0, failures(capsys)
    assert all("rise" in row["raw"] for row in report("figure3-meshes-solids-paper")["rows"])
    assert command.main(["run", "pointnet", "--data", data]) == 0, failures(capsys)
    told = json.loads((assets_dir() / "metrics/pointnet-meshes-solids.json").read_text())
    assert told["held-out shapes"] > 0 and 0 <= told["held-out accuracy"] <= 1
