"""The assets as the tabs see them."""

import base64
import io
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tiny_assets
from PIL import Image

from app.shared import library, networks, sheets
from app.tabs.atlas import controls
from app.tabs.audit import run as audit_run
from app.tabs.connect import run as connect_run
from app.tabs.generate import models
from wsr.analysis.probes import PROTOCOLS, RAW
from wsr.data.registry import named
from wsr.errors import WsrError
from wsr.fields import registry

NAME = "emoji-mlora-asym"


def test_images_come_first_and_failed_fits_are_left_out(assets):
    names = library.collection_names()
    assert names[0] == NAME and names[6] == "shapes10-mlora-asym" and len(names) == 12
    found = library.collection(NAME)
    assert len(found.ids) == tiny_assets.COUNT - 1 and found.rows[0] == 1
    assert set(found.maps) == {(method, dims) for method in ("UMAP", "PCA") for dims in (2, 3)}
    assert all(points.shape == (len(found.ids), dims) for (_, dims), points in found.maps.items())


def test_nothing_is_there_before_the_assets_are_made(assets, tmp_path, monkeypatch):
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path))
    assert library.collection_names() == []


def test_a_data_set_whose_name_begins_like_anothers_has_its_own_collections(assets, tmp_path, monkeypatch):
    """As a run at the preset `paper` makes them beside those of the same pictures."""
    shutil.copytree(library.assets_dir() / "bases", tmp_path / "bases")
    (tmp_path / "maps").mkdir()
    for old, new in ((NAME, NAME), ("emoji-mlora", "emoji-paper-mlora")):
        shutil.copytree(library.assets_dir() / "zoos" / old, tmp_path / "zoos" / new)
        shutil.copy(library.assets_dir() / f"maps/{old}.parquet", tmp_path / f"maps/{new}.parquet")
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path))
    assert controls.kinds_of("emoji") == ["mlora-asym"] and controls.kinds_of("emoji-paper") == ["mlora"]
    assert controls.first_view("emoji", "mlora").name == NAME
    assert [found.name for found in library.collections_of("emoji-paper")] == ["emoji-paper-mlora"]


def test_a_zoo_may_state_with_which_others_it_is_shown(assets, tmp_path, monkeypatch):
    """Then its own name is not looked into, not even one that ends like that of another representation."""
    shutil.copytree(library.assets_dir() / "bases", tmp_path / "bases")
    (tmp_path / "maps").mkdir()
    for old, new in ((NAME, NAME), ("emoji-mlora", "second-try-lora"), ("emoji-lora", "third")):
        copy = shutil.copytree(library.assets_dir() / "zoos" / old, tmp_path / "zoos" / new)
        shutil.copy(library.assets_dir() / f"maps/{old}.parquet", tmp_path / f"maps/{new}.parquet")
        if new != old:
            meta = json.loads((copy / "zoo.json").read_text()) | {"shown_as": "emoji"}
            (copy / "zoo.json").write_text(json.dumps(meta))
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path))
    assert library.collection_names() == [NAME, "second-try-lora", "third"]
    assert controls.datasets() == ["emoji"] and set(controls.kinds_of("emoji")) == {"mlora-asym", "lora", "mlora"}
    assert controls.first_view("emoji", "mlora").name == library.name_of("emoji", "mlora") == "second-try-lora"
    for forged in (("emoji", "mlp"), ("second-try", "mlora"), (["emoji"], "mlora"), ("emoji", ["mlora"]), (None, None)):
        with pytest.raises(WsrError, match="Unknown collection"):
            library.name_of(*forged)


def test_zoos_of_faces_are_shown_at_their_place_once_they_are_here(assets, tmp_path, monkeypatch):
    """In all tabs; where generated weights are shown, before the emoji and before a part of another data set."""
    shutil.copytree(assets, tmp_path / "assets")
    for new, source in (("faces", "faces"), ("faces-large", "faces"), ("emoji-people", "emoji/people")):
        made = (tmp_path / "assets").glob("*/*emoji-mlora-asym*")
        for path in [*made, tmp_path / "assets/reports/figure3-emoji.json"]:
            copy = path.with_name(path.name.replace("emoji", new))
            (shutil.copytree if path.is_dir() else shutil.copy)(path, copy)
            if (copy / "zoo.json").exists():
                meta = json.loads((copy / "zoo.json").read_text()) | {"dataset": source}
                (copy / "zoo.json").write_text(json.dumps(meta))
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path / "assets"))
    everyone = ("All faces", "faces-large")
    atlas = [("Emoji", "emoji"), ("People", "emoji-people"), ("Faces", "faces"), everyone, ("Shapes", "shapes10")]
    assert library.titles(library.collection_names()) == atlas
    assert connect_run.titles() == atlas
    generated = [("Faces", "faces"), everyone, ("Shapes", "shapes10"), ("Emoji", "emoji"), ("People", "emoji-people")]
    assert library.titles(models.models()) == library.titles(audit_run.names()) == generated


def test_what_was_made_with_a_representation_that_is_not_here_is_left_out(assets, tmp_path, monkeypatch):
    """As when the page is started without the additions that a zoo and a table were made with."""
    shutil.copytree(assets, tmp_path / "assets")
    table = tmp_path / "assets/reports/table4.json"
    rows = json.loads(table.read_text())["rows"]
    table.write_text(json.dumps({"rows": [*rows, rows[0] | {"representation": "lokr"}]}))
    described = tmp_path / "assets/zoos/emoji-mlp/zoo.json"
    described.write_text(json.dumps(json.loads(described.read_text()) | {"representation": "lokr"}))
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path / "assets"))
    assert library.probes("emoji") == [row for row in rows if row["data set"] == "emoji"]
    assert "emoji-mlp" not in library.collection_names() and "lokr" in library.problem("emoji-mlp")


def test_the_table_beside_the_map_has_one_row_for_each_representation(assets, tmp_path, monkeypatch):
    """The weights that a map is made of are read as they are, and not a second time prepared."""
    shutil.copytree(assets, tmp_path / "assets")
    table = tmp_path / "assets/reports/table4.json"
    rows = json.loads(table.read_text())["rows"]
    both = [row | {"protocol": protocol} for row in rows for protocol in PROTOCOLS]
    table.write_text(json.dumps({"rows": both}))
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path / "assets"))
    shown = [(row["representation"], row["protocol"]) for row in library.probes("emoji")]
    assert sorted(shown) == sorted((name, RAW) for name in registry.names())


@pytest.mark.parametrize("name", ["", "../zoos/emoji-mlora-asym", "emoji", "/etc/passwd", "emoji-mlora-asym/"])
def test_a_forged_collection_is_refused(assets, name):
    with pytest.raises(WsrError):
        library.collection(name)


def test_a_forged_item_is_refused(assets):
    for item in ("", "chair-99999", "animals-00000"):  # the last one is in the zoo but failed
        with pytest.raises(WsrError):
            library.collection(NAME).position(item)
    with pytest.raises(WsrError):
        library.collection(NAME).points("t-SNE", 2)


def test_neighbours_are_the_others_nearest_first(assets):
    found = library.collection(NAME)
    near = networks.neighbours(NAME, found.ids[3])
    assert len(near) == 6 and found.ids[3] not in dict(near)
    distances = [distance for _, distance in near]
    assert distances == sorted(distances) and -0.001 <= distances[0] <= distances[-1] <= 2.001
    classes = {found.classes[found.position(item)] for item, _ in near[:3]}
    assert classes == {found.classes[3]}


def test_weights_are_shown_by_layer_with_the_mask_left_empty(assets):
    layers = networks.weight_layers(NAME, library.first_pick(NAME))
    start = networks.start_layers(NAME)
    assert [name for name, _ in layers] == [name for name, _ in start]
    for (name, array), (_, origin) in zip(layers, start, strict=True):
        assert np.array_equal(np.isnan(array), np.isnan(origin))
        assert np.isnan(array).any() == name.endswith(".A")


def test_a_picture_has_any_resolution(assets):
    item = library.first_pick(NAME)
    for size in (16, 40):
        picture = networks.picture(NAME, item, size)
        assert picture.shape == (size, size, 3) and picture.dtype == np.uint8


def test_a_surface_is_a_glb_file(assets):
    name = "shapes10-mlora-asym"
    assert networks.surface_glb(name, library.first_pick(name), 16)[:4] == b"glTF"


def test_the_first_pick_is_held_out_and_of_the_class_to_begin_with(assets):
    found = library.collection(NAME)
    at = found.position(library.first_pick(NAME))
    assert found.held_out[at] and found.classes[at] == named("emoji").first_class


def test_missing_thumbnails_are_decoded_into_the_cache(assets, tmp_path, monkeypatch):
    monkeypatch.setenv("WSR_CACHE", str(tmp_path))  # pages served by other tests may have made them
    assert sheets.find(NAME) is None and sheets.find("shapes10-mlora-asym")
    sheets._busy.clear()
    sheets.make_missing()
    sheet = sheets.find(NAME)
    assert (sheet["columns"], sheet["rows"]) == (5, 5)
    with Image.open(sheets._cached(NAME)) as image:
        pixels = np.asarray(image)
    item = library.collection(NAME).ids[7]
    row, column = divmod(sheets.cell(NAME, item), 5)
    cell = pixels[row * 64 : row * 64 + 64, column * 64 : column * 64 + 64] / 255
    assert np.abs(cell - networks.picture(NAME, item, 64) / 255).mean() < 0.06  # WebP is lossy
    with Image.open(io.BytesIO(base64.b64decode(sheets.cut(NAME, item).partition(",")[2]))) as alone:
        assert np.array_equal(np.asarray(alone) / 255, cell)


def test_a_thumbnail_alone_needs_a_sheet(assets, tmp_path, monkeypatch):
    monkeypatch.setenv("WSR_CACHE", str(tmp_path))
    assert sheets.cut(NAME, library.collection(NAME).ids[0]) is None


def test_emoji_are_called_by_their_names():
    assert library.label_of("emoji", "1f98a") == "fox"
    assert library.label_of("emoji", "1f44b-1f3fb") == "waving hand (light skin tone)"
    assert library.label_of("emoji", "1f1f0-1f1f7") == "South Korea"
    assert library.label_of("emoji", "1fabd") == "wing"  # newer than Python's own names
    assert library.label_of("emoji", "not-code-points") == "not-code-points"
    assert library.label_of("shapes10", "1f98a") == "1f98a"


LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"4d" * 32 + b"\nsize 31360\n"


@pytest.mark.parametrize("file", ["zoos/emoji-mlora/zoo.json", "zoos/emoji-mlora/index.parquet",
                                  "maps/emoji-mlora.parquet"])  # fmt: skip
def test_a_collection_that_cannot_be_read_is_left_out_and_named(assets, tmp_path, monkeypatch, file):
    folder = tmp_path / "pointers"
    shutil.copytree(assets, folder)
    monkeypatch.setenv("WSR_ASSETS", str(folder))
    kept = (folder / file).read_bytes()
    (folder / file).write_bytes(LFS)
    assert "emoji-mlora" not in library.collection_names() and "emoji-mlora-asym" in library.collection_names()
    (said,) = library.problems()
    assert "LFS" in said and "git lfs pull" in said and Path(file).name in said
    with pytest.raises(WsrError, match="LFS pointer"):
        library.collection("emoji-mlora")
    (folder / file).write_bytes(kept)  # fetched meanwhile
    os.utime(folder / file, ns=(1, 1))
    assert "emoji-mlora" in library.collection_names()


def test_of_assets_that_are_all_pointers_the_page_says_what_to_do(assets, tmp_path, monkeypatch):
    import gradio as gr

    from app import main

    folder = tmp_path / "pointers"
    shutil.copytree(assets, folder)
    for path in folder.rglob("*"):
        if path.is_file():
            path.write_bytes(LFS)
    monkeypatch.setenv("WSR_ASSETS", str(folder))
    page = main.build_app()
    text = " ".join(str(block.value) for block in page.blocks.values() if isinstance(block, gr.HTML))
    assert "git lfs pull" in text and "none are here yet" not in text.split("wsr-empty")[0]
