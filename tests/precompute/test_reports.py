"""A report that grows over several runs of a script holds rows of one run alone."""

import json

import pytest

from precompute import tables
from precompute.tables import Report, Resumed
from wsr.errors import WsrError
from wsr.identity import Identity


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    """Something that stands for a zoo: what counts are its bytes."""
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path))

    def make(name: str, content: str) -> str:
        folder = tmp_path / "zoos" / name
        folder.mkdir(parents=True, exist_ok=True)
        for file in ("zoo.json", "index.parquet", "weights-00000.safetensors"):
            (folder / file).write_text(content)
        return name

    return make


def begun(zoo, **changed) -> Report:
    report = Report("r", depends={"seed": 0, "config": {"lr": 1e-3}, **changed}, zoos=[zoo("a", "one")], samples=3)
    report.add({"k": 1, "FD": 0.5})
    return report


def test_the_same_run_finds_its_rows(zoo, tmp_path):
    begun(zoo)
    again = Report("r", depends={"seed": 0, "config": {"lr": 1e-3}}, zoos=["a"], samples=3)
    assert again.has(k=1) and not again.has(k=2)
    again.add({"k": 2, "FD": 0.4})
    kept = json.loads((tmp_path / "reports/r.json").read_text())
    assert [row["k"] for row in kept["rows"]] == [1, 2] and kept["samples"] == 3
    assert "| k | FD |" in (tmp_path / "reports/r.md").read_text()


@pytest.mark.parametrize(
    "depends, said",
    [
        ({"seed": 1, "config": {"lr": 1e-3}}, "seed was 0 and is now 1"),
        ({"seed": 0, "config": {"lr": 2e-3}}, "config.lr was 0.001 and is now 0.002"),
    ],
)
def test_another_run_is_refused(depends, said, zoo):
    begun(zoo)
    with pytest.raises(WsrError, match=said):
        Report("r", depends=depends, zoos=["a"])


def test_rows_of_a_zoo_that_was_made_anew_are_not_mixed_with_others(zoo):
    begun(zoo)
    zoo("b", "two")
    both = Report("r", depends={"seed": 0, "config": {"lr": 1e-3}}, zoos=["b"])  # a further zoo is no other run
    both.add({"k": 3})
    zoo("a", "another")
    with pytest.raises(WsrError, match="zoos.a is another"):
        Report("r", depends={"seed": 0, "config": {"lr": 1e-3}}, zoos=["b"])


def test_a_report_that_is_older_than_identities_is_read_and_not_continued(zoo, tmp_path):
    (tmp_path / "reports").mkdir()
    text = json.dumps({"rows": [{"k": 1}]})
    (tmp_path / "reports/r.json").write_text(text)
    report = Report("r", depends={"seed": 0})
    assert report.has(k=1)
    with pytest.raises(WsrError, match="does not say what it was made of"):
        report.add({"k": 2})
    assert (tmp_path / "reports/r.json").read_text() == text and report.rows == [{"k": 1}]


def test_fits_of_other_targets_another_base_or_preset_are_another_run(base, tmp_path, monkeypatch):
    """What figure 3, the learning rates and the levers of the barrier are resumed by."""
    from functools import partial

    import numpy as np

    from wsr import presets
    from wsr.data import Signal, Signals
    from wsr.fields.base import BaseField
    from wsr.fields.checkpoint import BaseInfo, save_base

    monkeypatch.setenv("WSR_ASSETS", str(tmp_path))
    save_base(tmp_path / "bases/test.safetensors", base, BaseInfo("test", "cpu", 3))

    def signals(value: float) -> Signals:
        return Signals("x", 2, [Signal("a", "", "train", 2, partial(np.full, (4, 4, 3), value, np.float32))])

    def identity(value: float = 0.5) -> Identity:
        return Identity.of("fits", 1, **tables.fit_parts(signals(value), "test"))

    path, first = tmp_path / "report.json", identity()
    Resumed(path, first).write({"rows": [1]})
    assert Resumed(path, identity()).report["rows"] == [1]
    with pytest.raises(WsrError, match="targets is another"):
        Resumed(path, identity(0.7))
    save_base(tmp_path / "bases/test.safetensors", BaseField(base.config, 5), BaseInfo("test", "cpu", 3))
    with pytest.raises(WsrError, match="base is another"):
        Resumed(path, identity())
    save_base(tmp_path / "bases/test.safetensors", base, BaseInfo("test", "cpu", 3))
    old = presets._PRESETS["cpu", "image"]
    edited = presets.PresetConfig(16, old.field, presets.FitConfig(300, 99, 8), old.base)
    monkeypatch.setitem(presets._PRESETS, ("cpu", "image"), edited)
    with pytest.raises(WsrError, match="fit.points was 512 and is now 99"):
        Resumed(path, identity())
