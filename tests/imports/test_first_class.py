"""An imported zoo is a zoo like any other: checked, mapped, searched, read by probes, aligned and audited."""

import re
import shutil

import pytest
import torch

from tests.imports import layouts
from wsr.analysis.neighbours import nearest
from wsr.analysis.novelty import audit_of
from wsr.analysis.probes import probe
from wsr.analysis.projections import project
from wsr.cli import main
from wsr.errors import WsrError
from wsr.fields.description import FieldDescription
from wsr.fields.registry import named, names, readable
from wsr.fields.representation import make_representation
from wsr.fitting.saved import load_weights, save_weights
from wsr.imports.run import import_zoo
from wsr.map_layouts import ProjectionConfig
from wsr.presets import preset
from wsr.symmetry import act, align, canonical
from wsr.zoo import Zoo, check_zoo, compress_zoo, merge_zoos

IMPORTED = ("dwsnets", "hyperdiffusion")


@pytest.fixture(scope="module", params=IMPORTED)
def zoo(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param)
    getattr(layouts, request.param)(folder / "source", 80)
    return import_zoo(request.param, folder / "source", folder / "zoo").zoo


def test_it_is_checked_and_described(zoo, capsys):
    report = check_zoo(Zoo.open(zoo.path))
    assert report.ok and report.instances == 80 and "imported" in report.targets_missing
    assert main(["zoo", "check", str(zoo.path)]) == 0 and main(["zoo", "info", str(zoo.path)]) == 0
    assert "all hold" in capsys.readouterr().out


def test_it_is_mapped_and_searched(zoo):
    weights = zoo.weights()
    assert project(weights.numpy(), ProjectionConfig("pca", 2)).coordinates.shape == (80, 2)
    found, away = nearest(weights[:3], weights, 2)
    assert found[:, 0].tolist() == [0, 1, 2] and (away[:, 0] < 1e-5).all()


def test_probes_read_its_classes(zoo):
    classes = ["ab"[i % 2] for i in range(80)]
    found = probe(zoo.weights().numpy(), classes, runs=1)
    assert 0 <= found.nearest[0] <= 1 and 0 <= found.logistic[0] <= 1


def test_symmetries_leave_its_fields_and_alignment_undoes_them(zoo):
    model, weights = zoo.representation, zoo.weights(zoo.ids[:2])
    points = torch.rand(1, 40, model.dim, generator=torch.Generator().manual_seed(0)) * 2 - 1
    before = model.evaluate(weights, points)
    for kind in model.kind.symmetries:
        moved = act(model, weights, kind, seed=3)
        assert not torch.allclose(moved, weights) and (model.evaluate(moved, points) - before).abs().max() < 1e-4
        assert (canonical(model, moved) - canonical(model, weights)).norm() < 1e-3 or kind == "permutation"
    moved = act(model, weights, "permutation", seed=3)
    assert torch.allclose(align(model, moved, weights), weights, atol=1e-6)


def test_it_is_audited_by_its_held_out_fits(zoo):
    audit, training, tested = audit_of(zoo, 0.25)
    assert len(training) and len(tested)
    copies = act(zoo.representation, zoo.weights(training[:2]), zoo.representation.kind.symmetries[1], seed=1)
    verdicts = audit.judge(torch.cat([zoo.weights(training[:1]), copies]))
    assert [one.word for one in verdicts] == ["replica"] * 3


def test_samples_that_are_imported_are_audited_against_it(zoo, tmp_path, capsys):
    folder = tmp_path / "source"  # as if a generator had given one training instance back, and new ones beside it
    getattr(layouts, zoo.meta["imported"]["format"])(folder, 84)
    samples = import_zoo(zoo.meta["imported"]["format"], folder, tmp_path / "samples").zoo
    command = ["audit", str(samples.path), str(zoo.path), "--false-positive-rate", "0.25", "--show", "84"]
    assert main(command) == 0
    replicas = int(re.search(r"(\d+) replica", capsys.readouterr().out)[1])
    assert replicas >= len(zoo.good("train"))  # all of them are among the samples


def test_it_is_compressed_merged_and_saved(zoo, tmp_path):
    small = compress_zoo(zoo, tmp_path / "small")
    assert (small.weights(zoo.ids[:2]) - zoo.weights(zoo.ids[:2])).abs().max() < 0.01 * zoo.weights().abs().max()
    getattr(layouts, zoo.meta["imported"]["format"])(tmp_path / "others", 82)
    others = import_zoo(zoo.meta["imported"]["format"], tmp_path / "others", tmp_path / "more").zoo
    merged = merge_zoos(tmp_path / "merged", [zoo.path, others.path])  # of two sources, without what both hold
    assert len(merged) == 82 and torch.equal(merged.weights(zoo.ids), zoo.weights())
    shutil.copytree(zoo.path, tmp_path / "renamed")
    zoo.index.assign(id=zoo.ids[::-1]).to_parquet(tmp_path / "renamed/index.parquet")
    with pytest.raises(WsrError, match="is another network than in"):  # and is not left out as if it were held already
        merge_zoos(tmp_path / "merged", [tmp_path / "renamed"])
    with pytest.raises(WsrError, match="compressed, and so final"):
        merge_zoos(tmp_path / "of small", [small.path])
    assert not (tmp_path / "of small").exists()
    save_weights(tmp_path / "one.safetensors", zoo.weights(zoo.ids[:1]), zoo.representation, zoo.ids[:1])
    held = load_weights(tmp_path / "one.safetensors")
    assert torch.equal(held.weights[0], zoo.weights()[0])
    assert FieldDescription.of(held.representation) == zoo.description


def test_what_it_stands_for_is_no_representation_to_choose(zoo):
    name = zoo.meta["representation"]
    assert name in readable() and name not in names() and not named(name).fitted
    with pytest.raises(WsrError, match="wsr import"):
        make_representation(name, None, preset("cpu", zoo.modality).field)


def test_a_start_keeps_the_size_of_values(zoo):
    values = zoo.representation.evaluate(zoo.representation.initial()[None], torch.zeros(1, 1, zoo.representation.dim))
    assert values.isfinite().all() and values.abs().max() < 20
