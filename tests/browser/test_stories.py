"""The tabs after the Atlas, and links, in a browser: sequences of clicks as a visitor makes them, and what is drawn."""

import pytest

from tests.browser.pixels import DIFFERENCE
from tests.browser.steps import answered, open_tab, type_into, unfold
from tests.imports import pairs

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}


def sources(page, figures):
    return [image.get_attribute("src") for image in figures.locator("img").all()]


@pytest.mark.kept
def test_a_walk_changes_the_pictures_and_ends_at_the_fits(page):
    """After this tab, a visitor says: halfway between two networks, most pictures fall apart, and one stays."""
    open_tab(page, "Connect")
    figures = page.locator(".wsr-six figure:visible")
    figures.nth(5).locator("img").wait_for()
    halfway = sources(page, figures)
    assert len(halfway) == 6
    page.locator(".wsr-strip:visible button[aria-pressed=true]").wait_for()  # the target that the six show
    slider = page.locator("input[type=range]:visible").first
    slider.focus()
    page.keyboard.press("ArrowRight")  # the keyboard moves the slider to 0.55
    page.wait_for_function("before => document.querySelector('.wsr-six figure img').src !== before", arg=halfway[0])
    chart = "[...document.querySelectorAll('.wsr-plot')].find(p => p.layout?.xaxis?.title?.text?.startsWith('α'))"
    assert page.evaluate(f"{chart}._fullData.length") == 12
    page.wait_for_function(f"{chart}.layout.shapes[0].x0 === 0.55")
    page.locator(".wsr-pictures button:visible").nth(1).click()
    page.wait_for_function("location.search.includes('tab=connect')")
    assert "dB PSNR" in figures.first.inner_text()


def test_a_link_opens_what_was_on_screen(page):
    open_tab(page, "Connect")
    page.locator(".wsr-six figure img:visible").first.wait_for()
    halfway = sources(page, page.locator(".wsr-six"))
    slider = page.locator("input[type=range]:visible").first
    slider.focus()
    page.keyboard.press("Home")
    page.wait_for_function("location.search.includes('alpha=0&')")
    page.wait_for_function("src => document.querySelector('.wsr-six figure img').src !== src", arg=halfway[0])
    page.locator(".wsr-field[aria-busy=false]").wait_for()
    ends = sources(page, page.locator(".wsr-six"))
    page.goto(page.evaluate("location.href"))
    page.locator(".wsr-six figure img:visible").first.wait_for()
    assert page.get_by_role("tab", name="Connect").get_attribute("aria-selected") == "true"
    for drawn_here, drawn_by_server in zip(ends, sources(page, page.locator(".wsr-six")), strict=True):
        assert page.evaluate(DIFFERENCE, [drawn_here, drawn_by_server]) <= 1  # in units of 1/255
    assert page.locator("input[type=range]:visible").first.input_value() == "0"


@pytest.mark.kept
def test_a_box_selects_and_says_what_is_in_it(page):
    page.locator(".modebar-btn[data-title='Box Select']").first.click()
    box = page.locator(".wsr-chart").first.bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 60, box["y"] + box["height"] - 120, steps=6)
    page.mouse.up()
    said = page.locator(".wsr-shares:visible", has_text="networks")
    said.wait_for()
    page.wait_for_timeout(1000)  # by then plotly has finished its own redrawing
    bright = """() => {
      const traces = document.querySelector(".wsr-plot")._fullData.filter((trace) => trace.customdata);
      return traces.reduce((sum, trace) => sum + (trace.selectedpoints ?? trace.customdata).length, 0);
    }"""
    count = page.evaluate(bright)
    assert count and said.inner_text().startswith(f"{count:,} networks")
    page.get_by_role("button", name="Download the selection").click()
    page.locator("a[href*='emoji-mlora-asym-selection.csv']").first.wait_for()


@pytest.mark.kept
def test_two_maps_stand_side_by_side(page):
    page.get_by_label("Beside it, the same targets fitted with").click()
    page.get_by_role("option", name="LoRA", exact=True).click()
    page.wait_for_function("document.querySelectorAll('.wsr-plot .main-svg').length >= 4")
    maps = """
        [...document.querySelectorAll('.wsr-plot')].filter(
            p => p.clientWidth && p.layout?.uirevision?.includes('UMAP')
        )"""
    page.wait_for_function(f"({maps}).length === 2")


@pytest.mark.kept
def test_samples_appear_from_noise_and_one_is_opened(page):
    open_tab(page, "Generate")
    page.get_by_role("button", name="Sample", exact=True).click()
    page.locator(".wsr-state:visible", has_text="16 samples").wait_for()
    grid = page.locator(".wsr-pictures button:visible")
    assert grid.count() == 16
    page.wait_for_function("""() => [...document.querySelectorAll(".wsr-pictures .wsr-thumb")].filter(
        (one) => one.checkVisibility() && one.style.backgroundImage).length === 16""")
    drawn = grid.locator(".wsr-thumb").evaluate_all("all => all.map(one => one.style.backgroundImage.slice(5, -2))")
    assert page.evaluate(DIFFERENCE, drawn[:2]) > 1
    page.locator(".wsr-row:visible", has_text="sample 1").locator("img").wait_for()
    grid.nth(1).click()
    page.locator(".wsr-row:visible", has_text="sample 2").locator("img").wait_for()
    page.get_by_role("button", name="Download it").last.click()
    page.locator("a[href*='shapes10-mlora-asym-seed1-2.glb']").first.wait_for()


def test_a_class_is_asked_for_above_the_grid_and_the_address_tells_of_what_is_on_screen(page):
    """After this tab, a visitor says: it draws new chairs, and tells me which are copies."""
    open_tab(page, "Generate")
    page.locator(".wsr-row:visible", has_text="sample 1").locator("img").wait_for()
    (before,) = sources(page, page.locator(".wsr-row:visible", has_text="sample 1"))
    assert page.locator(".wsr-chips:visible label.selected").inner_text() == "any"
    unfold(page, "Settings")
    type_into(page.get_by_label("Seed"), "7")
    assert "seed=" not in page.evaluate("location.search")  # what is on screen was not drawn from it
    page.locator(".wsr-chips:visible").get_by_label("chair", exact=True).check()
    page.locator(".wsr-stale:visible").wait_for()
    page.locator(".wsr-blank:visible", has_text="New samples are on their way").wait_for()
    assert not page.locator(".wsr-stale .wsr-name:visible").count()
    page.locator(".wsr-state:visible", has_text="16 samples").wait_for()
    page.wait_for_function("location.search.includes('class=chair') && location.search.includes('seed=7')")
    opened = page.locator(".wsr-row:visible", has_text="sample 1").locator("img")
    opened.wait_for()
    page.wait_for_timeout(500)  # what was asked for before may still arrive
    assert opened.get_attribute("src") != before and not page.locator(".wsr-stale").count()
    page.get_by_label("Emoji", exact=True).locator("visible=true").click()
    page.wait_for_function("location.search.includes('data=emoji') && !/seed=|class=/.test(location.search)")


# Keeps what the line of the job says from now on.
HEARD = """() => {
  window.said = [];
  const own = (one) => one.checkVisibility() && !one.closest(".wsr-told");
  const lines = () => [...document.querySelectorAll(".wsr-state")].filter(own);
  new MutationObserver(() => window.said.push(...lines().map((one) => one.textContent)))
    .observe(document.body, { subtree: true, childList: true, characterData: true });
}"""


KEPT = ("Drawing the samples", "that nobody fitted")  # said of what is kept of the data set that is chosen
OF_SAMPLING = ("from noise to networks", "Looking for copies", "Comparing with real ones")


def said_around_a_choice(page):
    """What the line says from the middle of sampling on, before and after it first speaks of emoji, which are chosen
    then."""
    line = page.locator(".wsr-state:visible")
    page.get_by_role("button", name="Sample", exact=True).click()
    line.filter(has_text="from noise to networks").wait_for()
    page.evaluate(HEARD)
    page.get_by_label("Emoji", exact=True).locator("visible=true").click()
    page.wait_for_function("location.search.includes('data=emoji') && !location.search.includes('steps=200')")
    answered(page)
    said = page.evaluate("window.said")
    at = next(number for number, one in enumerate(said) if any(words in one for words in KEPT))
    return said[:at], said[at:]


def test_samples_of_a_data_set_that_has_been_left_are_not_drawn_on(page):
    """Faces went on appearing from noise under the name of shapes, and were counted as new ones."""
    page.get_by_role("tab", name="Generate").click()
    page.locator(".wsr-row:visible", has_text="sample 1").locator("img").first.wait_for()
    page.get_by_text("Settings", exact=True).locator("visible=true").click()
    type_into(page.get_by_label("number input for Steps from noise"), "200")
    for _ in range(5):  # on a busy machine, the samples may be there before the click is
        before, after = said_around_a_choice(page)
        if not any("Looking for copies" in one for one in before):
            break
        page.get_by_label("Shapes", exact=True).locator("visible=true").click()
        page.wait_for_function("location.search.includes('data=shapes10')")
        answered(page)
    else:
        raise AssertionError("Emoji were never chosen in the middle of sampling.")
    assert not [one for one in after if any(words in one for words in OF_SAMPLING)]
    assert "samples" in after[-1] and page.get_by_role("button", name="Sample", exact=True).is_enabled()


def test_a_link_draws_the_samples_it_was_sent_with(open_page):
    page = open_page(link="?tab=generate&data=shapes10&kind=mlora-asym&class=chair&seed=7&sample=2")
    page.locator(".wsr-state:visible", has_text="16 samples").wait_for()
    page.locator(".wsr-row:visible", has_text="sample 3").locator("img").wait_for()
    page.wait_for_function("location.search.includes('seed=7') && location.search.includes('sample=2')")


@pytest.mark.kept
def test_a_point_of_the_plane_opens_beside_what_it_copies(page):
    """After this tab, a visitor says: copies lie on the left, and beside each I see what it was copied from."""
    open_tab(page, "Audit")
    pair = page.locator(".wsr-row:visible", has_text="nearest weights")
    pair.locator("img").first.wait_for()
    before = sources(page, pair)
    chart = "[...document.querySelectorAll('.wsr-plot')].find(p => p.layout?.xaxis?.title?.text?.startsWith('Novelty'))"
    page.wait_for_function(f"{chart}?._fullData?.length >= 3")
    x, y = page.evaluate(f"""() => {{
      const plot = {chart}, {{xaxis, yaxis}} = plot._fullLayout, data = plot._fullData[1];
      const box = plot.getBoundingClientRect();
      return [box.left + xaxis._offset + xaxis.d2p(data.x[2]), box.top + yaxis._offset + yaxis.d2p(data.y[2])];
    }}""")
    page.mouse.click(x, y)
    page.locator(".wsr-state:visible", has_text="Held out no. 3 is novel").wait_for()
    assert sources(page, pair) != before
    page.wait_for_function("decodeURIComponent(location.search).includes('point=held out:3') || "
                           "location.search.includes('point=held+out')")  # fmt: skip


def test_weights_of_ones_own_are_a_map_and_their_samples_are_audited(page, tmp_path):
    samples, training = pairs.write(tmp_path)
    (tmp_path / "notes.zip").write_text("hello")

    def upload(box, path):
        page.locator(".block:visible", has_text=box).last.locator("input[type=file]").set_input_files(path)

    unfold(page, "Your own weights")
    upload("A zoo of yours", tmp_path / "notes.zip")
    page.locator(".wsr-failed:visible", has_text="'notes.zip' is no file of weights").wait_for()
    page.locator(".block:visible", has_text="A zoo of yours").last.get_by_label("Clear").click()
    upload("A zoo of yours", training)
    page.locator(".wsr-state:visible", has_text="54 networks").wait_for()
    page.locator("label.selected", has_text="Yours: train-sent").wait_for()
    chart = "document.querySelector('.wsr-plot')"
    page.wait_for_function(f"{chart}._fullData[0].customdata?.some(id => String(id).startsWith('mnist_png'))")
    near = page.locator(".wsr-pictures button[title^='mnist_png']:visible").nth(2)  # the emoji's are there until then
    item = near.get_attribute("title")
    near.click()
    page.locator(".wsr-facts", has_text=item).wait_for()
    page.wait_for_function("location.search.includes('data=yours-')")

    open_tab(page, "Audit")
    unfold(page, "Audit your own samples")
    upload("Samples of a generator", samples)
    upload("Its training zoo", training)
    for name in ("samples-sent.zip", "train-sent.zip"):
        page.locator(".block:visible", has_text=name.split(".")[0]).first.wait_for()
    page.get_by_role("button", name="Audit", exact=True).click()
    page.locator(".wsr-state:visible", has_text="10 samples were compared").wait_for()
    page.locator(".wsr-state:visible", has_text="of your samples").wait_for()
    row = page.locator("tr:visible", has_text="your samples").inner_text()
    assert float(row.split()[4]) >= 60  # the share of replicas, in percent
    page.locator(".wsr-row:visible", has_text="nearest weights").locator("img").first.wait_for()
    page.wait_for_function("decodeURIComponent(location.search).includes('point=your')")


def test_a_phone_shows_it_all(open_page):
    page = open_page(**PHONE)
    for name in ("Connect", "Symmetry", "Generate", "Audit"):
        page.get_by_role("tab", name=name).tap()
        page.locator(f"[role=tab][aria-selected=true]:has-text('{name}')").wait_for()
        page.locator(".wsr-frame img:visible").first.wait_for()
        page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")
        strip = page.locator(".wsr-strip:visible")
        if strip.count():  # several pictures in a row, not one below the other
            assert strip.first.bounding_box()["width"] > 300, name
