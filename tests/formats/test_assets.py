"""Every file in assets/ can be opened: current schemas accept files of earlier versions."""

from pathlib import Path

import pytest

from wsr.analysis.realism import load_realism
from wsr.fields.checkpoint import load_base, load_latents
from wsr.formats import read_json, read_table
from wsr.formats.tables import MAP, MAP_KEY
from wsr.generators.metadata import read_about
from wsr.metrics.pointnet import load_pointnet
from wsr.zoo import Zoo

ASSETS = Path(__file__).parents[2] / "assets"
pytestmark = pytest.mark.skipif(not (ASSETS / "zoos").is_dir(), reason="the assets are not here")


def test_all_zoos_and_samples_open():
    folders = [path.parent for kind in ("zoos", "samples") for path in (ASSETS / kind).glob("*/zoo.json")]
    for folder in folders:
        zoo = Zoo.open(folder)
        assert len(zoo) and len(zoo.weights(zoo.ids[:1])) == 1
    assert folders


def test_all_bases_models_and_networks_open():
    for path in (ASSETS / "bases").glob("*.safetensors"):
        assert len(load_latents(path)[1]) == load_base(path).info.training["instances"]
    for path in (ASSETS / "diffusion").glob("*.safetensors"):
        assert read_about(path)["about"]["zoo"]["format"] == "wsr-zoo-1"
    for path in (ASSETS / "metrics").glob("pointnet-*.safetensors"):
        load_pointnet(path)
    for path in (ASSETS / "metrics").glob("realism-*.safetensors"):
        load_realism(path)
    kinds = {path.name.partition("-")[0] for path in (ASSETS / "metrics").glob("*.safetensors")}
    assert kinds <= {"pointnet", "realism"}


def test_all_maps_and_reports_open():
    for path in (ASSETS / "maps").glob("*.parquet"):
        assert len(read_table(path, "a map", MAP, MAP_KEY))
    for path in (ASSETS / "reports").glob("*.json"):
        assert read_json(path, "a report")
