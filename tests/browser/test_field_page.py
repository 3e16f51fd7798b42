"""Networks that the page decodes itself: equal to PyTorch, on each of the browser's means."""

import numpy as np
import pytest
import torch

import wsr
from precompute.field_visit import without_decoder
from tests.browser.pixels import CLOSE, DIFFERENCE, FRAMES, SHOWN
from tests.browser.steps import asked_from_now_on
from wsr.fields.checkpoint import load_base
from wsr.fields.portable import base_file, network_file, operations, vectors_file
from wsr.fields.representation import make_representation
from wsr.render.decode import evaluate_in_chunks, render_images, render_surfaces
from wsr.render.pictures import draw_mesh
from wsr.symmetry import act, element, violations

SIZE = 32
MEANS = ("processor", "WebAssembly", "WebGL")
DATA = "wsr/field/data/"
ASK = """async ({ networks, points, size, ...more }) => {
  const { decoded } = await import(new URL("wsr/field/page/decoder.js", document.baseURI).href);
  const places = points ? { points: Float32Array.from(points) } : { width: size, height: size };
  const { values, ...rest } = await decoded({ networks, ...places, ...more });
  return { ...rest, values: values.map((one) => [...one]) };
}"""


def require_fluid(page):
    """Ten frames a second, or the coarsest there are."""
    rate, coarsest = page.evaluate(FRAMES)
    assert rate >= 10 or coarsest, rate


def served(page, address, base_name, alpha):
    """Lets the page fetch two random instances of each representation on a base; returns what to ask for, and the
    representation and the weights of the mix of each."""
    base, files, asked, mixes = load_base(base_name), {}, [], []
    files[base_name] = base_file(base)  # the page keeps what it has fetched from an address
    for name in wsr.representations:
        model = make_representation(name, base, base.config, mask_seed=base.info.mask_seed)
        noise = torch.Generator().manual_seed(5)
        a, b = (model.initial() + 0.05 * torch.randn(model.size, generator=noise) for _ in range(2))
        elements = {f"{kind}.{part}": value for kind in model.kind.symmetries
                    for part, value in element(model, kind, 2).items()}  # fmt: skip
        files[f"{base_name}-{name}-network"] = network_file(model, base_name)
        files[f"{base_name}-{name}-vectors"] = vectors_file({"a": a, "b": b} | elements)
        own = {what: f"{DATA}{base_name}-{name}-{what}" for what in ("network", "vectors")}
        asked.append({**own, "from": "a", "to": "b", "alpha": alpha})
        mixes.append((model, torch.lerp(a, b, alpha)[None]))
    page.route(f"{address}{DATA}*", lambda route: route.fulfill(body=files[route.request.url.partition(DATA)[2]]))
    return asked, mixes


def extract_inside(model, vector, grid):
    """The number of samples of a grid that lie inside a shape."""
    places = (np.indices((grid,) * 3).reshape(3, -1).T * 2 + 1) / grid - 1
    return int((evaluate_in_chunks(model, vector, torch.from_numpy(places.astype(np.float32))[None]) > 0).sum())


@pytest.mark.kept
def test_dragging_draws_all_six_without_the_server(page):
    page.get_by_role("tab", name="Connect").click()
    images = page.locator(".wsr-six figure img:visible")
    images.nth(5).wait_for()
    slider, idle = page.locator("input[type=range]:visible").first, page.locator(".wsr-six .wsr-field[aria-busy=false]")
    slider.focus()
    page.keyboard.press("ArrowRight")  # loads the decoder and what it decodes
    idle.wait_for()
    asked, before = asked_from_now_on(page), page.evaluate(SHOWN)
    for key in ("ArrowRight", "ArrowRight", "Home"):
        page.keyboard.press(key)
        page.wait_for_timeout(300)
    idle.wait_for()
    page.wait_for_function("Object.values(document.querySelectorAll('.wsr-six img')).every(i => i.naturalWidth === 96)")
    after = page.evaluate(SHOWN)
    assert all(new["src"] != old["src"] for new, old in zip(after, before, strict=True))
    assert [one["note"] for one in after] == ["30.0 dB PSNR"] * 6  # as the curves of the tiny assets begin
    assert page.evaluate("document.querySelector('.wsr-six .wsr-field').dataset.means") in MEANS
    require_fluid(page)  # at whatever resolution this machine can do; and at rest at the full one
    idle.wait_for()
    page.wait_for_function("Object.values(document.querySelectorAll('.wsr-six img')).every(i => i.naturalWidth === 96)")
    assert asked == []


def test_dragging_draws_six_shapes_without_the_server(page):
    """After this, a visitor says: five tables fall apart on the way, and one stays a table."""
    page.get_by_role("tab", name="Connect").click()
    page.locator(".wsr-six figure img:visible").nth(5).wait_for()
    page.get_by_label("Shapes", exact=True).locator("visible=true").click()
    page.wait_for_function("location.search.includes('tab=connect&data=shapes10')")
    page.locator(".wsr-look", has_text="IoU").first.wait_for()
    page.locator(".wsr-play:not([disabled])").wait_for()
    slider, idle = page.locator(".wsr-walk input[type=range]"), page.locator(".wsr-six .wsr-field[aria-busy=false]")
    slider.focus()
    page.keyboard.press("Home")  # loads the decoder and what it decodes
    page.wait_for_function("document.querySelector('.wsr-six .wsr-field').dataset.frames > 0")
    idle.wait_for()
    asked, ends = asked_from_now_on(page), page.evaluate(SHOWN)
    assert [one["note"] for one in ends] == ["IoU 30.000"] * 6  # as the curves of the tiny assets begin
    page.keyboard.press("End")
    page.wait_for_timeout(300)
    idle.wait_for()
    assert all(new["src"] != old["src"] for new, old in zip(page.evaluate(SHOWN), ends, strict=True))
    require_fluid(page)
    idle.wait_for()
    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_timeout(300)
    idle.wait_for()
    assert [one["src"] for one in page.evaluate(SHOWN)] == [one["src"] for one in ends] and asked == []
    page.wait_for_function("location.search.includes('alpha=0&')")
    page.goto(page.evaluate("location.href"))
    page.locator(".wsr-six figure img:visible").first.wait_for()
    for here, there in zip(ends, page.evaluate(SHOWN), strict=True):
        assert page.evaluate(CLOSE, [here["src"], there["src"]]) < 4


@pytest.mark.kept
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
    asked = asked_from_now_on(page)
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
@pytest.mark.kept
def test_the_page_draws_what_pytorch_draws(page, address, base_name):
    asked, mixes = served(page, address, base_name, 0.3)
    wanted = [render_images(model, vector, SIZE, SIZE)[0] for model, vector in mixes]
    for means in MEANS:
        found = page.evaluate(ASK, {"networks": asked, "means": means, "size": SIZE})
        assert found["means"] == means
        assert found["operations"] == SIZE**2 * sum(operations(model) for model, _ in mixes)
        for name, picture, values in zip(wsr.representations, wanted, found["values"], strict=True):
            drawn = np.array(values, np.uint8).reshape(SIZE, SIZE, 4)
            apart = np.abs(drawn[..., :3].astype(int) - np.round(picture * 255).astype(int))
            assert apart.max() <= 1 and drawn[..., 3].min() == 255, f"{name} by the {means}"


@pytest.mark.kept
def test_the_page_moves_weights_as_pytorch_does(page, address):
    """Each action on each representation, and the terms of adapters that are switched off."""
    asked, mixes = served(page, address, "faces", 0.0)
    for one, (model, vector) in zip(asked, mixes, strict=True):
        full = model.layout.fill(vector)
        kinds = model.kind.symmetries
        acted = [act(model, full, kind, 2, 1.3) for kind in kinds]
        networks = [{**one, "act": kind, "strength": 1.3} for kind in kinds]
        if "basis" in kinds:
            a, b = model.pairs(full)
            b = b.clone()
            b[..., [0, 3]] = 0
            acted.append(model.joined(a, b))
            networks.append({**one, "terms": [2, 1]})
        found = page.evaluate(ASK, {"networks": networks, "means": "processor", "size": SIZE, "compare": True})
        shown = zip(acted, found["values"], found["told"], strict=True)
        for (weights, values, told), done in zip(shown, [*kinds, "terms"], strict=False):
            wanted = render_images(model.unmasked(), weights, SIZE, SIZE)[0]
            drawn = np.array(values, np.uint8).reshape(SIZE, SIZE, 4)[..., :3].astype(int)
            assert np.abs(drawn - np.round(wanted * 255).astype(int)).max() <= 1, f"{model.name}: {done}"
            if done == "terms":
                continue
            assert told["distance"] == pytest.approx(float((weights - full).norm()), rel=1e-4)
            assert told["broken"] == int(violations(model, weights).sum()), f"{model.name}: {done}"
            assert 0 <= told["difference"] < 2e-3


@pytest.mark.kept
def test_sliders_of_symmetry_act_without_the_server(page):
    """Each slider and switch, and what is said of the weights; then the server draws the same from a link."""
    page.get_by_role("tab", name="Symmetry").click()
    card = lambda title: page.locator(".wsr-steps:visible").get_by_label(title).check()  # noqa: E731
    terms = page.locator(".wsr-row", has_text="with these terms").locator("img")
    terms.wait_for(state="attached")
    card("Signs")
    page.get_by_label("they stay").click()
    moved = page.locator(".wsr-row:visible", has_text="scale changed").locator("img")
    moved.nth(1).wait_for()
    told, layers = page.locator("[data-told=distance]").last, page.locator(".wsr-row:has-text('their sum') img")
    seen = lambda: [told.inner_text(), terms.get_attribute("src"), *(one.get_attribute("src") for one in layers.all())]  # noqa: E731
    idle = "![...document.querySelectorAll('.wsr-card .wsr-field')].some((one) => one.ariaBusy === 'true')"

    def press(label, key):
        page.get_by_label(label, exact=True).locator("visible=true").last.focus()
        page.keyboard.press(key)
        page.wait_for_timeout(100)
        page.wait_for_function(idle)

    press("range slider for How far", "ArrowLeft")  # loads the decoder and what it decodes
    card("What a pair does")
    press("term 2", "Space")
    card("Signs")
    asked, before = asked_from_now_on(page), seen()
    press("range slider for How far", "Home")
    assert told.inner_text() == "0" and page.locator("[data-told=difference]").last.inner_text() == ""  # nothing moves
    press("range slider for How far", "End")
    card("What a pair does")
    press("term 3", "Space")
    press("range slider for Layer drawn", "Home")
    after = seen()
    alike = [number for number, (new, old) in enumerate(zip(after, before, strict=True)) if new == old]
    assert alike == [4] and float(after[0]) > float(before[0]) > 0  # term 2 is grey before and after
    assert asked == []
    page.wait_for_function("location.search.includes('far=2') && location.search.includes('layer=1')")
    page.goto(page.evaluate("location.href"))
    terms.wait_for()  # the card that was on screen
    page.wait_for_function(f"{idle} && document.querySelectorAll('.wsr-frame img').length > 8")
    layers.nth(5).wait_for()
    for drawn_here, drawn_by_server in zip(after[1:], seen()[1:], strict=True):
        assert page.evaluate(DIFFERENCE, [drawn_here, drawn_by_server]) <= 1
    # a card that is not on screen may be drawn last
    distance = "Number([...document.querySelectorAll('[data-told=distance]')].at(-1).textContent)"
    page.wait_for_function(f"wanted => Math.abs({distance} / wanted - 1) < 0.01", arg=float(after[0]))


def test_the_server_draws_for_a_browser_that_cannot(open_page):
    page = open_page(before=lambda tab: tab.route("**/wsr/field/page/decoder.js", without_decoder))
    page.get_by_role("tab", name="Generate").click()
    page.get_by_label("Emoji", exact=True).locator("visible=true").click()
    page.wait_for_function("location.search.includes('tab=generate&data=emoji')")
    page.wait_for_function("""() => [...document.querySelectorAll(".wsr-pictures .wsr-thumb")].filter(
        (one) => one.checkVisibility() && one.style.backgroundImage.startsWith('url("data:image/png')).length === 6""")
    page.get_by_role("tab", name="Symmetry").click()
    page.locator(".wsr-steps:visible").get_by_label("Signs").check()
    page.get_by_label("they stay").click()
    moved = page.locator(".wsr-row:visible", has_text="scale changed").locator("img").last
    moved.wait_for()
    before = page.locator("[data-told=distance]:visible").last.inner_text()
    page.get_by_label("range slider for How far", exact=True).locator("visible=true").focus()
    page.keyboard.press("End")
    told = "[...document.querySelectorAll('[data-told=distance]')].filter((one) => one.checkVisibility()).at(-1)"
    page.wait_for_function(f"before => ![undefined, before].includes({told}?.textContent)", arg=before)


@pytest.mark.kept
def test_the_page_finds_the_same_inside_of_a_shape(page, address):
    asked, mixes = served(page, address, "shapes10", 0.7)
    points = torch.rand(500, 3, generator=torch.Generator().manual_seed(2)) * 2 - 1
    for means in MEANS:
        found = page.evaluate(ASK, {"networks": asked, "means": means, "points": points.flatten().tolist()})["values"]
        for name, (model, vector), values in zip(wsr.representations, mixes, found, strict=True):
            with torch.no_grad():
                wanted = model.evaluate(vector, points[None])[0, :, 0].numpy()
            assert np.abs(np.array(values) - wanted).max() <= 0.01 * np.abs(wanted).mean(), f"{name} by the {means}"


@pytest.mark.kept
def test_the_page_draws_the_surface_that_the_server_draws(page, address):
    """At once, and when it has followed the surface from another one's."""
    asked, mixes = served(page, address, "shapes10", 0.7)
    task = {"size": 64, "grid": 24, "fine": True, "means": "WebAssembly"}
    whole = page.evaluate(ASK, {"networks": asked, **task})
    page.evaluate(ASK, {"networks": [{**one, "alpha": 0.6} for one in asked], **task, "grid": 16})
    followed = page.evaluate(ASK, {"networks": asked, **task, "moves": True})
    assert followed["operations"] < whole["operations"]
    for number, (name, (model, vector)) in enumerate(zip(wsr.representations, mixes, strict=True)):
        mesh = render_surfaces(model, vector, task["grid"])[0]
        inside = extract_inside(model, vector, task["grid"])
        wanted = draw_mesh(mesh, task["size"]).astype(int)
        for found, missed, apart in ((whole, 2e-3, 4), (followed, 0.1, 8)):  # which may miss detached parts
            drawn = np.array(found["values"][number], np.uint8).reshape(64, 64, 4)[..., :3].astype(int)
            assert found["filled"][number] == pytest.approx(inside, rel=missed), name
            assert np.abs(drawn - wanted).mean() < apart, name
