"""`python -m precompute status` judges assets that are older than the records by the settings that they state."""

import json
import shutil

import pandas as pd
import pytest

from precompute import __main__ as command
from precompute.experiment import Context
from precompute.experiments import experiments
from precompute.plan import BEFORE, MISSING, STALE, Plan
from precompute.runner import Runner
from wsr.errors import WsrError
from wsr.paths import assets_dir

pytestmark = pytest.mark.once  # what is tested here is the same on every CPU


@pytest.fixture(scope="module")
def known():
    return experiments()


@pytest.fixture
def assets(tmp_path, monkeypatch):
    """Empty assets, into which tests put what they need of the real ones (`put`)."""
    real = assets_dir()
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path / "assets"))
    monkeypatch.setenv("WSR_CACHE", str(tmp_path / "cache"))

    def put(name: str) -> None:
        if not (real / name).exists():
            pytest.skip("the repository's assets are not here")
        (tmp_path / "assets" / name).parent.mkdir(parents=True, exist_ok=True)
        (shutil.copytree if (real / name).is_dir() else shutil.copy)(real / name, tmp_path / "assets" / name)

    (tmp_path / "assets").mkdir()
    put.folder = tmp_path / "assets"
    return put

NEW = ("faces", "emoji-people")  # of faces not everything has been made yet; what was made of people is not shipped


def states(known, name: str) -> dict[str, str]:
    plan = Plan(known, Context())
    return {node.key: str(plan.state(node)) for node in plan.nodes(known[name])}


def edit(path, **changes) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_a_report_has_the_cells_that_its_rows_are_of(known, assets):
    for ending in ("json", "md"):
        assets(f"reports/dimensions.{ending}")
    path = assets.folder / "reports/dimensions.json"
    assert set(states(known, "dimensions").values()) == {BEFORE}
    rows = json.loads(path.read_text())["rows"]
    edit(path, rows=[row for row in rows if row["of"] != "lora"])
    found = states(known, "dimensions")
    assert {key for key, state in found.items() if state == MISSING} == {
        "emoji-lora", "emoji-people-lora", "shapes10-lora",
    }  # fmt: skip
    edit(path, pixels=16)
    assert states(known, "dimensions")["shapes10-mlp"] == f"{STALE}: pixels was 16 and is now 32"
    path.unlink()
    assert set(states(known, "dimensions").values()) == {MISSING}


def test_every_report_of_today_has_all_of_its_experiment_s_cells_but_those_of_spans(known):
    if not (assets_dir() / "reports/table1.json").exists():
        pytest.skip("the repository's assets are not here")
    for name in ("table1", "table4", "figure3", "diffusion_search", "sampling", "augmentation", "clusters",
                 "barrier_levers", "learning_rates"):  # fmt: skip
        found = {key: state for key, state in states(known, name).items() if not any(part in key for part in NEW)}
        assert set(found.values()) == {BEFORE}, name
    measured = {key for key, state in states(known, "spans").items() if state == BEFORE}
    assert measured == {"report", "shapes10-mlora-asym"}


def test_a_zoo_with_other_settings_or_another_base_is_stale(known, assets):
    assets("zoos/shapes10-mlp")
    assets("zoos/emoji-mlora-asym")
    assets("bases/emoji.safetensors")
    assert [states(known, "zoos")[key] for key in ("shapes10-mlp", "emoji-mlora-asym", "emoji-mlp")] == [
        BEFORE, BEFORE, MISSING,
    ]  # fmt: skip
    edit(assets.folder / "zoos/shapes10-mlp/zoo.json", steps=100)
    edit(assets.folder / "zoos/emoji-mlora-asym/zoo.json", base_sha256="0" * 64)
    found = states(known, "zoos")
    assert found["shapes10-mlp"] == f"{STALE}: steps was 100 and is now 700"
    assert found["emoji-mlora-asym"] == f"{STALE}: base_sha256 is another"
    with pytest.raises(WsrError, match="needs assets/zoos/shapes10-mlp, which is stale: steps was 100"):
        Runner(known, Context())._require("zoos/shapes10-mlp")


def test_a_map_of_other_networks_is_stale(known, assets):
    assets("zoos/shapes10-mlp")
    assets("maps/shapes10-mlp.parquet")
    assert states(known, "maps")["shapes10-mlp"] == BEFORE
    path = assets.folder / "maps/shapes10-mlp.parquet"
    pd.read_parquet(path)[:100].to_parquet(path)
    assert states(known, "maps")["shapes10-mlp"] == f"{STALE}: the zoo has other ids now"


def test_an_audit_or_an_extractor_of_other_settings_is_stale(known, assets):
    for name in ("generation-shapes10-mlp.json", "audit-shapes10-mlp.json", "audit-shapes10-mlp.parquet",
                 "samples-shapes10-mlp.webp"):  # fmt: skip
        assets(f"reports/{name}")
    assets("metrics/pointnet-shapes10.json")
    assets("metrics/pointnet-shapes10.safetensors")
    assert states(known, "audits")["shapes10-mlp"] == states(known, "pointnet")["shapes10"] == BEFORE
    edit(assets.folder / "reports/generation-shapes10-mlp.json", samples=64)
    edit(assets.folder / "metrics/pointnet-shapes10.json", epochs=1)
    assert states(known, "audits")["shapes10-mlp"] == f"{STALE}: decoded was 64 and is now 256"
    assert states(known, "pointnet")["shapes10"] == f"{STALE}: epochs was 1 and is now 2"


def test_without_names_status_counts_the_cells_of_each_experiment(assets, capsys):
    assets("reports/dimensions.json")
    assets("reports/dimensions.md")
    path = assets.folder / "reports/dimensions.json"
    edit(path, rows=[row for row in json.loads(path.read_text())["rows"] if row["of"] != "lora"])
    assert command.main(["status"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert f"dimensions: 19 {BEFORE}, 3 {MISSING}" in lines and f"maps: 18 {MISSING}" in lines
    assert command.main(["status", "dimensions"]) == 0
    assert f"dimensions emoji-lora: {MISSING}" in capsys.readouterr().out.splitlines()
