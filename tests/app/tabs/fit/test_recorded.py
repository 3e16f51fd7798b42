"""The recorded fit that plays when the Fit tab is opened, and the order of the samples below it.

After this tab, a visitor says: a few thousand numbers became a picture, and mine can, too."""

import json
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
from by_name import by_name
from PIL import Image

from app.shared import samples, work
from app.tabs.fit import handlers, recorded, starting
from app.tabs.fit.handlers import FitTab
from precompute.experiments.recorded_fit import FRAMES, shown_steps
from wsr.memory import MEMORY

CAT = samples.first()[0]
ASSETS = Path(__file__).resolve().parents[4] / "assets"


@pytest.fixture
def record(tmp_path, monkeypatch):
    folder = tmp_path / "reports"
    folder.mkdir()
    frames = [Image.new("RGB", (8, 8), shade) for shade in ("black", "grey", "white")]
    frames[0].save(folder / "recorded-fit.webp", save_all=True, append_images=frames[1:], duration=50, loop=1)
    frames[-1].save(folder / "recorded-fit-last.webp")
    about = {"item": CAT, "label": "cat", "representation": "mlora-asym", "steps": 1500, "numbers": 7840}
    about |= {"quality": 25.34, "curve": [[0, 9.0], [10, 14.5], [1500, 25.34]]}
    (folder / "recorded-fit.json").write_text(json.dumps(about))
    monkeypatch.setenv("WSR_ASSETS", str(tmp_path))
    return folder


def test_it_plays_once_and_invites(record):
    shown, said = recorded.picture(CAT), recorded.invitation(CAT)
    assert "recorded-fit.webp" in shown and 'loading="lazy"' in shown and "step by step" in shown
    assert "1,500 steps turned 7,840 numbers into this cat, at 25.3 dB PSNR. Now yours" in said
    # visitors who want no motion see its last frame
    assert shown.index("prefers-reduced-motion: reduce") < shown.index("<img") and "recorded-fit-last.webp" in shown


def test_it_never_stands_beside_another_target(record):
    assert "Press Fit" in recorded.picture("photo:coffee") and "recorded" not in recorded.picture("photo:coffee")
    assert "recorded-fit" in handlers.restore(by_name(FitTab), {"rank": "3"})["picture"]
    assert "recorded" not in handlers.restore(by_name(FitTab), {"sample": "photo:coffee"})["picture"]
    line = handlers.restore(by_name(FitTab), {"rank": "3"})["curve"]["data"][0]
    assert line["x"] == [10, 1500] and line["y"] == [14.5, 25.34]
    assert not handlers.restore(by_name(FitTab), {"sample": "photo:coffee"})["curve"]["data"]
    event = gr.EventData(None, {"id": CAT})
    chosen, _ = handlers.choose_sample(by_name(FitTab), event, SimpleNamespace(session_hash="who looks"))
    assert "Press Fit" in chosen["picture"]["value"] and not chosen["curve"]["data"]


@pytest.mark.parametrize("missing", ["recorded-fit.webp", "recorded-fit-last.webp", "recorded-fit.json"])
def test_without_a_record_the_tab_says_what_to_do(record, missing):
    (record / missing).unlink()
    assert "Press Fit" in recorded.picture(CAT) and recorded.invitation(CAT) == recorded.INVITES
    assert recorded.curve(CAT) is None


def test_a_press_on_fit_ends_the_recorded_one():
    class Ann:
        session_hash = "ann who has seen the cat"

    tab = by_name(FitTab)
    assert handlers.BEGINS in handlers.prepare(tab, Ann())["picture"]["value"]
    tab.job.finish(Ann())


def test_the_picture_is_drawn_most_often_where_it_changes_fastest():
    steps = shown_steps(1500)
    assert steps[0] == 10 and steps[-1] == 1500 and len(steps) <= FRAMES and steps == sorted(set(steps))
    assert sum(step <= 150 for step in steps) >= len(steps) / 2
    assert shown_steps(5) == [5]


def test_the_quickest_samples_come_first(assets, monkeypatch):
    strip = samples.strip()
    steps = [int(item["note"].split()[0].replace(",", "")) for item in strip]
    assert steps == sorted(steps) and len(set(steps)) > 1 and {item["id"] for item in strip} == {
        sample.id for sample in samples.samples()}  # fmt: skip
    chair, cat = samples.target("shape:chair-00452"), samples.target(CAT)
    plain = samples.usual_steps(chair), samples.usual_steps(cat)
    assert plain == (chair.steps, cat.steps)
    monkeypatch.setattr(samples, "there", lambda path: True)  # an encoder knows shapes, and no photographs
    assert samples.usual_steps(chair) == chair.modality.encoded_steps < chair.steps
    assert samples.usual_steps(cat) == cat.steps


@pytest.mark.parametrize("sample", ["shape:car-00454", "emoji:0039-fe0f-20e3", "face:face-900250", "face:face-900497"])
def test_a_quick_sample_looks_right_after_its_few_steps(monkeypatch, sample):
    monkeypatch.setenv("WSR_ASSETS", str(ASSETS))
    MEMORY.drop()
    if sample not in {one.id for one in samples.samples()}:
        pytest.skip("the emoji have not been fetched")
    target = samples.target(sample)
    assert samples.usual_steps(target) == target.quick <= target.steps / 2
    assert starting.usual_steps(target, "mlora-asym", 4) == target.quick
    assert handlers.restore(by_name(FitTab), {"sample": sample})["steps"] == target.quick
    assert handlers.restore(by_name(FitTab), {"sample": sample, "kind": "mlp"})["steps"] == target.steps
    assert starting.usual_steps(target, "mlp", 4) == target.steps  # a network of its own takes all of them
    assert starting.usual_steps(target, "mlora-asym", 2) == target.steps  # as does another rank: no encoder knows it
    assert handlers.restore(by_name(FitTab), {"sample": sample, "rank": "2"})["steps"] == target.steps
    asked = target.signal.carried(), ("mlora-asym",), 4, target.quick
    (_, first), *_, (_, last) = work.fit(*asked, start="auto", base=target.base)
    assert float(last.quality[0]) > float(first.quality[0])  # an encoder's start, if there is one
    assert float(last.quality[0]) > {"image": 30, "occupancy": 0.9}[target.modality.name]
    MEMORY.drop()
