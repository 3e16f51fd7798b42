"""An asset that is replaced while the app runs is seen in every tab; unchanged ones are not read again."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import load_file, save_file

from app.shared import library, networks
from app.tabs.audit import run as audit_run
from app.tabs.connect import run as connect_run
from app.tabs.generate import models
from app.tabs.generate import run as generate_run
from app.tabs.symmetry import run as symmetry_run
from wsr.paths import atomic_path
from wsr.zoo import Zoo

NAME = "emoji-mlora-asym"


@pytest.fixture
def own(assets, tmp_path, monkeypatch):
    """The tiny assets, in a folder that may be changed."""
    shutil.copytree(assets, tmp_path / "own")
    for path in (tmp_path / "own").glob("*/*/zoo.json"):  # zoos refer to the bases in the copied folder by their names
        meta = json.loads(path.read_text())
        path.write_text(json.dumps(meta | {"base": Path(meta["base"]).stem if meta["base"] else None}))
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path / "own"))
    return tmp_path / "own"


def remade(folder, seed: int = 1) -> Zoo:
    """Replaces a zoo by one with other weights, three rows fewer and other qualities."""
    old = Zoo.open(folder)
    rows, meta = old.index.iloc[:-3].to_dict("records"), old.meta
    noise = torch.randn(len(rows), old.representation.size, generator=torch.Generator().manual_seed(seed))
    weights = old.weights(old.ids[:-3]) + 0.2 * noise
    shutil.rmtree(folder)
    kept = {key: meta[key] for key in ("dataset", "preset", "init", "sigma", "init_seed", "steps", "fit", "seed")}
    extra = {"perturb": meta["perturb"]} if "perturb" in meta else {}
    zoo = Zoo.create(folder, old.representation, **kept, **extra)
    zoo.append(weights, [row | {"quality": row["quality"] + 1} for row in rows])
    return zoo


def test_a_zoo_made_anew_is_seen_by_the_library(own):
    before, item = library.collection(NAME), library.collection(NAME).ids[3]
    seen = networks.picture(NAME, item, 16), networks.weights(NAME), networks.neighbours(NAME, item, 3)
    networks.clusters(NAME), library.columns(NAME), networks.start_layers(NAME), networks.canonical_weights(NAME)
    assert library.collection(NAME) is before and networks.weights(NAME) is seen[1]
    zoo = remade(own / "zoos" / NAME)
    after = library.collection(NAME)
    assert len(after.ids) == len(before.ids) - 3 and after.quality[0] == before.quality[0] + 1
    assert torch.equal(networks.weights(NAME), zoo.weights(after.ids, dtype=None))
    assert not np.array_equal(networks.picture(NAME, item, 16), seen[0])
    assert np.array_equal(networks.picture(NAME, item, 16), zoo.modality.picture(zoo.decode([item], 16)[0]))
    assert networks.neighbours(NAME, item, 3) != seen[2]
    assert len(networks.canonical_weights(NAME)) == len(networks.clusters(NAME)) == len(after.ids)
    assert before.position(before.ids[-1]) == len(before.ids) - 1  # an object that was opened before stays consistent


def test_a_map_made_anew_is_seen(own):
    before = library.collection(NAME).points("UMAP", 2)
    path = own / "maps" / f"{NAME}.parquet"
    table = pd.read_parquet(path)
    with atomic_path(path) as temporary:
        table.assign(x=table["x"] + 5).to_parquet(temporary, index=False)
    assert np.allclose(library.collection(NAME).points("UMAP", 2), before + [5, 0], equal_nan=True)


def test_the_symmetry_tab_opens_the_new_weights(own):
    item = library.collection(NAME).ids[2]
    before = symmetry_run.subject(NAME, item)
    assert symmetry_run.subject(NAME, item) is before
    remade(own / "zoos" / NAME)
    assert not torch.equal(symmetry_run.subject(NAME, item).full, before.full)


def test_a_model_made_anew_is_the_one_that_samples(own):
    path = own / "diffusion" / f"{NAME}.safetensors"
    before = models.model(NAME)
    mean = before.mean.clone()
    assert models.model(NAME) is before
    replace(before, mean=mean + 1).save(path)
    assert torch.allclose(models.model(NAME).mean, mean + 1) and torch.equal(before.mean, mean)


def test_kept_samples_and_their_pictures_are_those_of_the_files(own):
    folder = own / "samples" / NAME
    *_, first = generate_run.opening(NAME)
    *_, again = generate_run.opening(NAME)
    assert first.sampled is again.sampled
    zoo = remade(folder)
    *_, last = generate_run.opening(NAME)
    assert torch.equal(last.sampled.weights, zoo.weights()[: models.COUNT])
    assert len(last.items) == len(zoo) == len(first.items) - 3


def test_an_audit_made_anew_is_the_one_that_is_shown(own):
    before = audit_run.report(NAME)
    weight = audit_run.weights(NAME, "diffusion", 0)
    path = own / "reports" / f"audit-{NAME}.json"
    about = json.loads(path.read_text())
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(about | {"alarm": 0.25}))
    assert before.about["alarm"] == 0.05 and audit_run.report(NAME).about["alarm"] == 0.25
    remade(own / "samples" / NAME)
    assert not torch.equal(audit_run.weights(NAME, "diffusion", 0), weight)


def test_pairs_and_their_report_made_anew_are_seen(own):
    target = connect_run.targets("emoji")[0]
    before = connect_run.race("emoji", target)
    assert connect_run.race("emoji", target) is before
    folder = own / "zoos" / f"{NAME}-pairs"
    (weights,) = folder.glob("weights-*.safetensors")
    save_file({"weights": load_file(weights)["weights"] + 0.5}, weights)
    index = pd.read_parquet(folder / "index.parquet")
    with atomic_path(folder / "index.parquet") as temporary:
        index.to_parquet(temporary, index=False)
    lanes = connect_run.race("emoji", target).lanes
    assert not torch.equal(lanes["mlora-asym"].pair.a, before.lanes["mlora-asym"].pair.a)
    path = own / "reports/figure3-emoji.json"
    report = json.loads(path.read_text())
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(report | {"ids": report["ids"][1:]}))
    assert target not in connect_run.targets("emoji")


def test_another_base_is_seen_by_what_decodes_on_it(own):
    from wsr.errors import WsrError
    from wsr.fields.base import BaseField
    from wsr.fields.checkpoint import BaseInfo, save_base
    from wsr.presets import preset

    item = library.collection(NAME).ids[0]
    networks.picture(NAME, item, 16)
    save_base(own / "bases/emoji.safetensors", BaseField(preset("cpu", 2).field, 9), BaseInfo("emoji", "cpu", 0))
    with pytest.raises(WsrError, match="another base"):
        networks.picture(NAME, item, 16)
