"""Networks that the page decodes itself: equal to PyTorch, on each of the browser's means."""

import numpy as np
import pytest
import torch

import wsr
from wsr.fields.checkpoint import load_base
from wsr.fields.portable import base_file, network_file, operations, vectors_file
from wsr.fields.representation import make_representation
from wsr.render.decode import render_images

SIZE = 32
DATA = "wsr/field/data/"
ASK = """async ({ networks, points, means, size }) => {
  const { decoded } = await import(new URL("wsr/field/page/decoder.js", document.baseURI).href);
  const places = points ? { points: Float32Array.from(points) } : { width: size, height: size };
  const { values, ...rest } = await decoded({ networks, means, ...places });
  return { ...rest, values: values.map((one) => [...one]) };
}"""

SHOWN = """() => [...document.querySelectorAll(".wsr-six figure")].map(
  (one) => ({ src: one.querySelector("img").src, note: one.querySelector("figcaption span").textContent }))"""


def served(page, address, base_name, alpha):
    """Lets the page fetch two random instances of each representation on a base; returns what to ask for, and the
    representation and the weights of the mix of each."""
    base, files, asked, mixes = load_base(base_name), {}, [], []
    files["base"] = base_file(base)
    for name in wsr.representations:
        model = make_representation(name, base, base.config, mask_seed=base.info.mask_seed)
        noise = torch.Generator().manual_seed(5)
        a, b = (model.initial() + 0.05 * torch.randn(model.size, generator=noise) for _ in range(2))
        files[f"{name}-network"], files[f"{name}-vectors"] = network_file(model, "base"), vectors_file({"a": a, "b": b})
        own = {"network": f"{DATA}{name}-network", "vectors": f"{DATA}{name}-vectors"}
        asked.append({**own, "from": "a", "to": "b", "alpha": alpha})
        mixes.append((model, torch.lerp(a, b, alpha)[None]))
    start = f"{address}{DATA}"
    page.route(f"{start}*", lambda route: route.fulfill(body=files[route.request.url.removeprefix(start)]))
    return asked, mixes


def test_dragging_draws_all_six_without_the_server(page):
    page.get_by_role("tab", name="Connect").click()
    images = page.locator(".wsr-six figure img:visible")
    images.nth(5).wait_for()
    slider, idle = page.locator("input[type=range]:visible").first, page.locator(".wsr-field[aria-busy=false]")
    slider.focus()
    page.keyboard.press("ArrowRight")  # loads the decoder and what it decodes
    idle.wait_for()
    asked, before = [], page.evaluate(SHOWN)
    page.on("request", lambda request: asked.append(request.url) if request.url.startswith("http") else None)
    for key in ("ArrowRight", "ArrowRight", "Home"):
        page.keyboard.press(key)
        page.wait_for_timeout(300)
    idle.wait_for()
    page.wait_for_function("Object.values(document.querySelectorAll('.wsr-six img')).every(i => i.naturalWidth === 96)")
    after = page.evaluate(SHOWN)
    assert all(new["src"] != old["src"] for new, old in zip(after, before, strict=True))
    assert [one["note"] for one in after] == ["30.0 dB PSNR"] * 6  # as the curves of the tiny assets begin
    assert page.evaluate("document.querySelector('.wsr-field').dataset.means") in ("processor", "WebGL")
    assert asked == []


def test_play_walks_to_the_second_fit_and_back_without_the_server(page):
    page.get_by_role("tab", name="Connect").click()
    page.locator(".wsr-six figure img:visible").nth(5).wait_for()
    play, slider = page.get_by_role("button", name="Play"), page.locator(".wsr-walk input[type=range]")
    page.evaluate("""() => {
      window.places = [];
      const slider = document.querySelector(".wsr-walk input[type=range]");
      slider.addEventListener("input", () => window.places.push(Number(slider.value)));
    }""")
    play.click()  # loads the decoder and what it decodes
    page.wait_for_function("window.places.at(-1) >= 0.2")
    play.click()
    page.wait_for_function("document.querySelector('.wsr-play').ariaPressed === 'false'")
    page.locator(".wsr-field[aria-busy=false]").wait_for()
    asked = []
    page.on("request", lambda request: asked.append(request.url) if request.url.startswith("http") else None)
    page.evaluate("window.places = []")
    play.click()
    page.wait_for_function("window.places.length === 41 && document.querySelector('.wsr-play').ariaPressed === 'false'")
    places = page.evaluate("window.places")
    assert places[0] == places[-1] == 0 and places[20] == max(places) == 1
    assert all(abs(b - a) < 0.051 for a, b in zip(places, places[1:], strict=False))
    page.locator(".wsr-field[aria-busy=false]").wait_for()
    assert [one["note"] for one in page.evaluate(SHOWN)] == ["30.0 dB PSNR"] * 6
    assert asked == []
    page.evaluate("window.places = []")
    play.click()
    page.wait_for_function("window.places.length > 2")
    slider.focus()
    page.keyboard.press("ArrowRight")  # the visitor takes α
    page.wait_for_function("document.querySelector('.wsr-play').ariaPressed === 'false'")
    page.emulate_media(reduced_motion="reduce")
    try:
        page.evaluate("window.places = []")
        play.click()
        page.wait_for_function("window.places.length === 2")
        assert page.evaluate("window.places") == [0, 0.25]
        play.click()
    finally:
        page.emulate_media(reduced_motion="no-preference")


@pytest.mark.parametrize("base_name", ["emoji", "faces"])
def test_the_page_draws_what_pytorch_draws(page, address, base_name):
    asked, mixes = served(page, address, base_name, 0.3)
    wanted = [render_images(model, vector, SIZE, SIZE)[0] for model, vector in mixes]
    for means in ("processor", "WebGL"):
        found = page.evaluate(ASK, {"networks": asked, "means": means, "size": SIZE})
        assert found["means"] == means
        assert found["operations"] == SIZE**2 * sum(operations(model) for model, _ in mixes)
        for name, picture, values in zip(wsr.representations, wanted, found["values"], strict=True):
            drawn = np.array(values, np.uint8).reshape(SIZE, SIZE, 4)
            apart = np.abs(drawn[..., :3].astype(int) - np.round(picture * 255).astype(int))
            assert apart.max() <= 1 and drawn[..., 3].min() == 255, f"{name} by the {means}"


def test_the_page_finds_the_same_inside_of_a_shape(page, address):
    asked, mixes = served(page, address, "shapes10", 0.7)
    points = torch.rand(500, 3, generator=torch.Generator().manual_seed(2)) * 2 - 1
    for means in ("processor", "WebGL"):
        found = page.evaluate(ASK, {"networks": asked, "means": means, "points": points.flatten().tolist()})["values"]
        for name, (model, vector), values in zip(wsr.representations, mixes, found, strict=True):
            with torch.no_grad():
                wanted = model.evaluate(vector, points[None])[0, :, 0].numpy()
            assert np.abs(np.array(values) - wanted).max() <= 0.01 * np.abs(wanted).mean(), f"{name} by the {means}"
