"""The second of the seven additions, a modality: everything that `wsr` must know about sounds is in sound.py, and
fields of sounds go through base, fit, zoo, map, table, picture and page."""


import numpy as np
import pandas as pd
import pytest
import tiny_assets

import wsr
from app.shared import library, samples, sheets
from app.tabs.atlas import controls, panel
from app.tabs.atlas.map import Visit
from app.tabs.audit import handlers as audit
from app.tabs.connect import run as connect_run
from app.tabs.connect.handlers import shown as connect_shown
from app.tabs.fit import preparing, six
from app.tabs.fit import run as fit_run
from app.tabs.generate import drawn, models
from app.tabs.generate import run as generate_run
from app.tabs.symmetry import run as symmetry_run
from precompute.experiment import Context
from precompute.experiments import experiments
from precompute.plan import Plan
from tests.additions.sound import LENGTH, SOUND, tone
from wsr.analysis.evaluation import evaluate
from wsr.analysis.projections import ProjectionConfig, project, to_table
from wsr.cli import main
from wsr.data import load_signals
from wsr.errors import WsrError
from wsr.fields.checkpoint import load_base
from wsr.fitting.bases import train_base
from wsr.fitting.fit import representation_for
from wsr.modalities import registered
from wsr.render.pictures import contact_sheet, draw_weights
from wsr.zoo import Zoo, build_zoo, check_zoo


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """Eighteen sounds in a folder, a base that was trained on them for a few steps, and a zoo of them."""
    folder, patched = tmp_path_factory.mktemp("sounds"), pytest.MonkeyPatch()
    patched.setenv("WSR_ASSETS", str(folder / "assets"))
    (folder / "wav").mkdir()
    with registered(SOUND):
        for i in range(18):
            SOUND.save(tone(i), folder / "wav" / f"tone{i:02d}.wav")
        signals = load_signals(f"sounds:{folder / 'wav'}")
        for _ in train_base(signals, folder / "assets/bases/sounds.safetensors"):
            pass
        made = Zoo.create(
            folder / "assets/zoos/sounds-mlora-asym", representation_for("mlora-asym", None, SOUND),
            dataset=signals.name, preset="cpu", init="centered", sigma=0.02, init_seed=0, steps=60,
        )  # fmt: skip
        for _ in build_zoo(made, signals, workers=1):
            pass
        yield folder, signals
    patched.undo()


def test_its_base_says_what_it_has_learnt(sounds):
    base = load_base("sounds")
    assert base.info.modality == "sound" and base.modality is SOUND
    assert base.config.dim == 1 and base.config.outputs == 1


@pytest.mark.parametrize("name", wsr.representations)
def test_sounds_are_fitted_by_every_representation(sounds, name):
    folder, _ = sounds
    result = wsr.fit([str(folder / "wav/tone00.wav"), tone(1)], name)
    assert result.ids == ["tone00", "sound-1"] and result.modality is SOUND
    assert result.quality.min() > 1 and result.render().shape == (2, LENGTH)


def test_an_array_of_waves_is_a_batch_and_what_is_no_wave_is_refused(sounds):
    assert wsr.fit(np.stack([tone(0), tone(1)]), steps=1).ids == ["sound-0", "sound-1"]
    with pytest.raises(WsrError, match="waveform"):
        wsr.fit([3 * tone(0)], steps=1)
    with pytest.raises(WsrError, match="Sounds and images cannot be fitted in one batch"):
        wsr.fit([tone(0), np.zeros((8, 8, 3), np.float32)], steps=1)
    with pytest.raises(WsrError, match="This base is for sounds and the signals are images: use base='emoji'"):
        wsr.fit(np.zeros((1, 8, 8, 3), np.float32), base="sounds", steps=1)


def test_the_verdict_is_in_its_own_words(sounds):
    noise = np.random.default_rng(0).uniform(-1, 1, LENGTH).astype(np.float32)
    poor = wsr.fit(noise, steps=3).status[0]
    assert poor.startswith("poor: ") and "dB is below 3 dB; 3 steps may be too few" in poor
    assert "more overtones than these weights can hold" in wsr.fit(noise, steps=201, points=16).status[0]
    assert wsr.fit(tone(0), steps=200).status == ["ok"]


def test_weights_that_were_taken_home_open_again(sounds, tmp_path):
    result = wsr.fit(tone(0), steps=5)
    result.save(tmp_path / "tone.safetensors")
    again = wsr.load_weights(tmp_path / "tone.safetensors")
    assert again.modality is SOUND and np.allclose(again.render(), result.render(), atol=1e-6)


def test_a_zoo_of_sounds_opens_holds_and_decodes(sounds):
    zoo = Zoo.open("sounds-mlora-asym")
    assert zoo.modality is SOUND and zoo.meta["modality"] == "sound" and zoo.meta["dim"] == 1 and len(zoo) == 18
    assert zoo.resolution == LENGTH and zoo.decode(zoo.ids[:2]).shape == (2, LENGTH)
    report = check_zoo(zoo)
    assert report.ok and len(report.recomputed) == 18


def test_a_map_and_a_row_of_a_table(sounds):
    zoo = Zoo.open("sounds-mlora-asym")
    found = to_table(zoo.ids, [project(zoo.weights().numpy(), ProjectionConfig("pca", 2))])
    assert len(found) == 18 and np.isfinite(found[["x", "y"]].to_numpy()).all()
    good = zoo.good("train")["id"].tolist()
    table = evaluate(zoo.weights(good), zoo, zoo.modality.extractor(), count=3, repeats=2)
    row = table[table["set"] == "samples"].iloc[0]
    assert isinstance(row, pd.Series) and row["FD"] >= 0 and row["empty"] == 0


def test_pictures_for_the_page(sounds):
    zoo = Zoo.open("sounds-mlora-asym")
    pictures = draw_weights(zoo.representation, zoo.weights(zoo.ids[:3]), LENGTH, 48)
    assert all(picture.shape == (48, 48, 3) and picture.dtype == np.uint8 for picture in pictures)
    assert all(10 < picture.min() < picture.max() == 255 for picture in pictures)
    assert contact_sheet(pictures, 3).shape == (48, 3 * 48 + 2 * 4, 3)


def test_the_command_line_fits_renders_and_lists(sounds, tmp_path, capsys):
    folder, _ = sounds
    out, again = tmp_path / "w.safetensors", tmp_path / "again.wav"
    given = str(folder / "wav/tone03.wav")
    assert main(["fit", given, "--steps", "30", "--out", str(out), "--render", str(again)]) == 0
    assert SOUND.read(again).shape == (LENGTH,)
    assert main(["render", "sounds-mlora-asym", "--count", "2", "--out", str(tmp_path / "decoded")]) == 0
    assert len(list((tmp_path / "decoded").glob("*.wav"))) == 2
    capsys.readouterr()
    assert main(["data", f"sounds:{folder / 'wav'}"]) == 0
    assert "18 sounds" in capsys.readouterr().out


@pytest.fixture(scope="module")
def tiny(sounds, tmp_path_factory):
    """Tiny assets of sounds, with a generator and an audit."""
    folder = tmp_path_factory.mktemp("tiny")
    with registered(SOUND), pytest.MonkeyPatch.context() as changed:
        changed.setenv("WSR_ASSETS", str(folder))
        tiny_assets.make(folder, {"emoji": "image", "sounds": "sound"})
    return folder


@pytest.fixture
def page(sounds, tiny, on_page):
    with registered(SOUND):
        yield on_page(tiny)


def test_every_tab_of_the_page_has_its_data_set(page):
    assert "sounds" in page["every Data set"], "in Atlas, Connect, Symmetry, Generate and Audit"


def test_atlas_shows_its_picture(page):
    view, item = controls.first_view("sounds"), library.first_pick("sounds-mlora-asym")
    shown = list(panel.show(view, item, Visit()))
    assert any("<img" in str(one.frame) for one in shown) and "dB SNR" in shown[0].facts
    assert sheets.thumb("sounds-mlora-asym", item)["src"].startswith("data:image")
    sheets._make("sounds-mlora-asym")
    assert sheets.find("sounds-mlora-asym")["columns"] == 5


def test_fit_offers_its_examples_and_takes_its_files(page, sounds, tmp_path):
    folder, _ = sounds
    there = {item.id: item for item in samples.samples()}
    assert there["sound:tone 21"].modality is SOUND and all("src" in one for one in samples.strip())
    found = preparing.uploaded(str(folder / "wav/tone03.wav"), lambda: False)
    assert found.modality is SOUND and found.view.shape == (samples.VIEW, samples.VIEW, 3)
    with pytest.raises(WsrError, match=r"nor a sound \(WAV\) by its ending"):
        samples.checked_file("tone.mp3")
    for target in (samples.target("sound:tone 21"), found):
        *live, last = fit_run.run(target, fit_run.checked("mlora-asym", 2, 20), tmp_path / "stop")
        assert all("<img" in screen.picture for screen in live if screen.picture) and "<img" in last.picture
        assert "dB SNR" in last.state and last.curve["layout"]["yaxis"]["title"]["text"] == "SNR (dB)"
    *_, last = six.run(found, fit_run.checked("mlora-asym", 2, 10), tmp_path / "stop")
    assert last.picture.count("<figure>") == 6 and last.fitted.modality is SOUND


def test_connect_symmetry_generate_and_audit_show_it(page, tmp_path):
    race = connect_run.race("sounds", connect_run.targets("sounds")[0])
    assert connect_run.pictures(race, 0.5, False)["mlora-asym"].shape == (connect_run.VIEW, connect_run.VIEW, 3)
    assert "dB SNR" in connect_shown(race, 0.5, False).sheet
    of = symmetry_run.subject("sounds-mlora", library.collection("sounds-mlora").ids[0])
    assert symmetry_run.act(of, "permutation", 1, 1.0).picture.ndim == 3
    *_, last = generate_run.run(models.checked("sounds", "mlora-asym", "any", 1.0, 10, 0), tmp_path / "stop")
    assert len(last.items) == models.COUNT
    shown, glb = drawn.look(drawn.fitted(last.sampled, 0), tmp_path)
    assert shown.ndim == 3 and glb is None
    assert drawn.files(last.sampled, 0, tmp_path)[1].endswith(".wav")
    (screen,) = audit.shown("sounds", "mlora-asym", "")
    assert "<figure>" in screen.pair


def test_without_it_its_files_are_refused_by_its_name(sounds):
    """A file names its modality, so that a message can name what is missing."""
    folder, _ = sounds
    from wsr.modalities import registry

    known = registry._registered.pop("sound")
    try:
        with pytest.raises(WsrError, match="Unknown modality 'sound'"):
            Zoo.open(folder / "assets/zoos/sounds-mlora-asym")
    finally:
        registry._registered["sound"] = known


def test_every_experiment_can_be_planned_for_it(sounds):
    folder, _ = sounds
    with registered(SOUND):
        plan = Plan(experiments(), Context(given=(f"sounds:{folder / 'wav'}",)))
        rates = {cell["lr"] for cell in plan.context.cells(plan.experiments["learning_rates"])}
    assert {"zoos", "maps", "table1", "figure3"} <= {cell.experiment for cell in sum(plan.producers.values(), [])}
    assert 3e-2 in rates and len(rates) == 4, "searched around the rate of its own preset"
