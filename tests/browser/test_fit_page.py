"""The Fit tab in a browser: a fit with live progress, stopping it, and files that cannot be fitted."""

import pytest
from on_map import NAME_IS_FREE
from playwright.sync_api import TimeoutError

from tests.browser.steps import asked_from_now_on, type_into, unfold


@pytest.fixture
def fit_page(page):
    page.get_by_role("tab", name="Fit").click()
    page.get_by_role("button", name="astronaut").wait_for()
    return page


def press(page, name):
    page.get_by_role("button", name=name, exact=True).click()


def state(page, words):
    line = page.locator(".wsr-state:visible", has_text=words)
    try:
        line.wait_for()
    except TimeoutError:
        pytest.fail(f"waited for {words!r}, and the page says {page.locator('.wsr-state:visible').all_inner_texts()}")
    return line.inner_text()


def choose(page, name):
    page.get_by_role("button", name=name).click()
    state(page, "is chosen")


# Two fingers, first 40 pixels apart, then 80, in the middle of an element.
PINCH = """(element) => {
  const box = element.getBoundingClientRect(), x = box.left + box.width / 2, clientY = box.top + box.height / 2;
  const finger = (identifier, clientX) => new Touch({ identifier, target: element, clientX, clientY });
  for (const [kind, apart] of [["touchstart", 20], ["touchmove", 40]]) {
    const touches = [finger(1, x - apart), finger(2, x + apart)];
    element.dispatchEvent(new TouchEvent(kind, { touches, bubbles: true, cancelable: true }));
  }
  element.dispatchEvent(new TouchEvent("touchend", { touches: [], bubbles: true, cancelable: true }));
}"""
CANVAS = "[...document.querySelectorAll('.wsr-frame[data-field] canvas')].at(-1)"


def zoomed_into(page):
    """The page zooms into the field by wheel, drag, keys and two fingers, without the server, and back."""
    frame = page.locator(".wsr-frame[data-field]:visible")
    frame.wait_for()
    frame.scroll_into_view_if_needed()
    box, asked = frame.bounding_box(), asked_from_now_on(page, "/queue/")
    page.mouse.move(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 2)
    for _ in range(6):
        page.mouse.wheel(0, -200)
    label = frame.locator(".wsr-zoom")
    label.filter(has_text="20×").wait_for()
    page.locator(".wsr-frame[aria-busy=false]").wait_for()
    assert frame.get_attribute("data-means") in ("processor", "WebAssembly", "WebGL")
    left, top, right, bottom = map(float, frame.get_attribute("data-window").split())
    assert right - left == pytest.approx(0.1, abs=0.01), "a twentieth of the field"
    assert (left + right) / 2 == pytest.approx(0.475, abs=0.01) and top == pytest.approx(-bottom, abs=0.01)
    seen = [page.evaluate(f"{CANVAS}.toDataURL()")]
    page.mouse.down()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 0.3 * box["height"], steps=3)
    page.mouse.up()
    frame.focus()
    for key in ("ArrowLeft", "+"):
        page.locator(".wsr-frame[aria-busy=false]").wait_for()
        seen.append(page.evaluate(f"{CANVAS}.toDataURL()"))
        page.keyboard.press(key)
    label.filter(has_text="30×").wait_for()
    page.locator(".wsr-frame[aria-busy=false]").wait_for()
    assert len({*seen, page.evaluate(f"{CANVAS}.toDataURL()")}) == 4
    page.keyboard.press("0")
    page.wait_for_function(f"getComputedStyle({CANVAS}).display === 'none'")
    assert label.inner_text() == ""
    frame.evaluate(PINCH)
    label.filter(has_text="2.0×").wait_for()
    page.locator(".wsr-frame[aria-busy=false]").wait_for()
    assert frame.get_attribute("data-window").startswith("-0.5000 ") and asked == []
    frame.dblclick()


def stopped_while_it_waits(page):
    """Stop answers at once, even if the fit has not had its turn, because another visitor's is running."""
    press(page, "Fit")
    state(page, "Waiting for the machine")
    line = page.locator(".html-container.pending:has(.wsr-working)")
    assert line.evaluate("e => getComputedStyle(e).opacity") == "1"  # gradio makes it pale, too pale to be read
    press(page, "Stop")
    state(page, "Stopped: it was still waiting for its turn.")
    page.wait_for_timeout(500)  # in an earlier version, another sentence then took its place
    state(page, "Stopped: it was still waiting for its turn.")
    assert page.get_by_role("button", name="Fit", exact=True).is_enabled()


def beside_each_other(choices):
    """Also on a tablet, where the picture is narrow: in an earlier version, the last stood alone in its line."""
    before = choices.page.viewport_size
    choices.page.set_viewport_size({"width": 768, "height": 900})
    assert choices.count() == 3 and len({choice.bounding_box()["y"] for choice in choices.all()}) == 1
    choices.page.set_viewport_size(before)


@pytest.mark.kept
def test_a_fit_is_watched_stopped_zoomed_kept_and_placed(fit_page, open_page):
    other = open_page(link="?tab=fit")
    choose(other, "coffee")
    choose(fit_page, "coffee")
    unfold(fit_page, "Settings")
    type_into(fit_page.get_by_label("number input for Steps"), "3000")  # longer than what happens meanwhile
    press(fit_page, "Fit")
    first = state(fit_page, "Step ")
    stopped_while_it_waits(other)
    assert "dB PSNR" in first
    picture = "[...document.querySelectorAll('.wsr-frame img')].at(-1).src"
    before = fit_page.evaluate(picture)
    fit_page.wait_for_function(f"before => {picture} !== before", arg=before)  # the picture changes during the fit
    press(fit_page, "Stop")
    assert "numbers" in state(fit_page, "Stopped after")
    press(other, "Fit")  # what was taken back can be asked for again
    state(other, "Step ")
    press(other, "Stop")
    state(other, "Stopped after")
    zoomed_into(fit_page)
    beside_each_other(fit_page.locator("fieldset:visible", has=fit_page.get_by_label("4×")).locator("label"))
    fit_page.get_by_label("4×").click()
    fit_page.wait_for_function("[...document.querySelectorAll('.wsr-frame img')].some(i => i.naturalWidth >= 512)")
    with fit_page.expect_download() as kept:
        fit_page.get_by_text("Download the weights").click()
    assert kept.value.suggested_filename == "coffee-mlora-asym.safetensors"
    press(fit_page, "Place on the map")
    fit_page.wait_for_function(
        "document.querySelector('.wsr-plot').layout.annotations.some(name => name.text === 'your coffee')"
    )
    assert fit_page.get_by_role("tab", name="Atlas").get_attribute("aria-selected") == "true"
    fit_page.locator(".wsr-row:visible", has_text="your coffee").locator("img").nth(1).wait_for()
    state(fit_page, "Your coffee, drawn from its weights, beside")
    assert fit_page.evaluate("scrollY") == 0 and fit_page.evaluate(NAME_IS_FREE)


# Whether the curve of the fit is on its chart.
SEEN = """() => {
  const drawn = (one) => one.checkVisibility() && one.data?.[0]?.y?.length > 1;
  const plots = [...document.querySelectorAll(".wsr-plot")].filter(drawn);
  const [low, high] = plots[0]?._fullLayout.yaxis.range ?? [];
  return Boolean(plots.length) && plots[0].data[0].y.every((value) => value >= low && value <= high);
}"""


def test_the_curve_of_another_target_is_on_its_chart(fit_page):
    """In an earlier version, the axis of an empty chart stayed as it was, and the curve of the next fit was outside."""
    for target in ("coffee", "astronaut"):
        choose(fit_page, target)
        press(fit_page, "Fit")
        state(fit_page, "Step ")
        fit_page.wait_for_function(SEEN)
        press(fit_page, "Stop")
        state(fit_page, "Stopped after")


def test_a_shape_becomes_a_surface(fit_page):
    choose(fit_page, "chair")
    unfold(fit_page, "Settings")
    steps = fit_page.get_by_label("number input for Steps")
    steps.fill("40")
    steps.press("Enter")
    fit_page.wait_for_timeout(500)  # gradio sends the number of a slider shortly after it has been typed
    with fit_page.expect_response(lambda response: ".glb" in response.url and response.ok):
        press(fit_page, "Fit")
        assert "IoU" in state(fit_page, "Done after")


def test_the_first_sample_is_done_after_few_steps_and_looks_right(fit_page):
    """After this fit, a visitor says: a few thousand numbers became this while I looked."""
    first = fit_page.locator(".wsr-pictures:visible button").first
    assert first.inner_text().endswith("70 steps")
    # what a chart was built with is still there if an answer has come before its tab was drawn
    assert fit_page.get_by_label("Quality of the fit after each step").bounding_box()["height"] == 300
    first.click()
    state(fit_page, "Car is chosen")
    unfold(fit_page, "Settings")
    steps = fit_page.get_by_label("number input for Steps").element_handle()
    fit_page.wait_for_function("steps => steps.value === '70'", arg=steps)
    press(fit_page, "Fit")
    assert "IoU" in state(fit_page, "Done after 70 steps")


BROKEN = {"broken.png": b"\x89PNG rubbish", "empty.obj": b"", "noise.glb": b"glTF"}


@pytest.mark.parametrize("name, content", BROKEN.items())
@pytest.mark.kept
def test_a_broken_file_is_told_in_a_sentence_and_nothing_else_suffers(fit_page, tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    fit_page.set_input_files("input[type=file]", path)
    said = state(fit_page, name)
    assert "\n" not in said and "Traceback" not in said
    choose(fit_page, "astronaut")
    press(fit_page, "Fit")
    state(fit_page, "Step ")
    press(fit_page, "Stop")
    state(fit_page, "Stopped after")


@pytest.mark.kept
def test_a_tall_picture_is_whole_and_nothing_of_the_last_fit_stays(fit_page, tmp_path):
    """In an earlier version, the frame cut the bottom quarter off. The fit is of a sample, the new target the visitor's
    own: its picture, curve, weights, buttons, and the ring in the strip must not be those of the sample."""
    import numpy as np
    from PIL import Image

    choose(fit_page, "coffee")
    ring = fit_page.locator(".wsr-pictures button[aria-pressed=true]:visible")
    assert ring.get_attribute("title") == "coffee"
    press(fit_page, "Fit")
    state(fit_page, "Step ")
    press(fit_page, "Stop")
    state(fit_page, "Stopped after")
    path = tmp_path / "tower.png"
    Image.fromarray(np.tile(np.linspace(0, 255, 424, dtype=np.uint8)[:, None, None], (1, 318, 3))).save(path)
    fit_page.set_input_files("input[type=file]", path)
    state(fit_page, "Tower is chosen")
    box = """() => {
      const image = [...document.querySelectorAll(".wsr-frame img")].find((one) => one.offsetParent);
      const frame = image.closest(".wsr-frame");
      const [inner, outer] = [image.getBoundingClientRect(), frame.getBoundingClientRect()];
      return [image.naturalHeight > image.naturalWidth, inner.bottom <= outer.bottom + 1, inner.top >= outer.top - 1];
    }"""
    drawn = "[...document.querySelectorAll('.wsr-frame img')].find(image => image.offsetParent)"
    fit_page.wait_for_function(f"{drawn}?.naturalHeight > {drawn}?.naturalWidth")
    assert fit_page.evaluate(box) == [True, True, True]
    fit_page.locator(".wsr-blank:visible", has_text="Press Fit").wait_for()
    assert ring.count() == 0
    assert fit_page.evaluate("""() => {
      const shown = [...document.querySelectorAll(".wsr-plot")].filter((plot) => plot.offsetParent && plot.layout);
      return shown.filter((plot) => plot.data?.some((trace) => trace.x?.length || trace.z?.length)).length;
    }""") == 0
    assert fit_page.get_by_role("button", name="Place on the map").locator("visible=true").is_disabled()


def test_a_fit_that_begins_at_once_has_its_curve(open_page):
    page = open_page(link="?tab=fit&sample=photo:coffee")
    press(page, "Fit")
    state(page, "Step ")
    curve = "[...document.querySelectorAll('.wsr-plot')].find(p => p.layout?.xaxis?.title?.text?.startsWith('Step'))"
    page.wait_for_function(f"{curve}?.data?.[0]?.x?.length > 0")
    press(page, "Stop")
    state(page, "Stopped after")


@pytest.mark.kept
def test_a_visitors_own_picture_is_fitted(fit_page, tmp_path):
    import numpy as np
    from PIL import Image

    path = tmp_path / "stripes.png"
    Image.fromarray(np.tile(np.uint8([[[255, 0, 0]] * 8 + [[0, 0, 255]] * 8]), (64, 4, 1))).save(path)
    fit_page.set_input_files("input[type=file]", path)
    state(fit_page, "Stripes is chosen")
    press(fit_page, "Fit")
    state(fit_page, "Step ")
    press(fit_page, "Stop")
    state(fit_page, "Stopped after")


@pytest.mark.kept
def test_a_strip_without_pictures_says_what_it_waits_for(page):
    """After the start of a server it was empty for nine seconds."""
    page.get_by_role("tab", name="Fit").click()
    strip = page.locator("[role=tabpanel]:visible .wsr-pictures")
    strip.locator("button").first.wait_for()
    said = """(strip) => {
      const said = () => getComputedStyle(strip, "::before").content, full = said(), pictures = [...strip.children];
      strip.replaceChildren();
      const empty = said();
      strip.replaceChildren(...pictures);
      return [full, empty];
    }"""
    assert strip.evaluate(said) == ["none", '"Drawing the samples …"']


def test_no_new_pair_is_offered_on_targets_that_are_not_here(page):
    """The emoji have not been fetched in these tests, and shapes are generated."""
    page.get_by_role("tab", name="Connect").click()
    page.get_by_text("Fit a new pair, live").click()
    button = page.get_by_role("button", name="Fit two")
    for dataset, here in (("Emoji", False), ("Shapes", True)):
        page.get_by_label(dataset, exact=True).locator("visible=true").click()
        said = "Fits the target above twice" if here else "not on this machine"
        page.locator(".wsr-state:visible", has_text=said).wait_for()
        page.wait_for_function("([button, here]) => button.disabled !== here", arg=[button.element_handle(), here])
    page.get_by_label("Emoji", exact=True).locator("visible=true").click()
    page.locator(".wsr-state:visible", has_text="`wsr data emoji`").wait_for()  # says what would help
