"""What lies over the map of the Atlas, in a browser: names and pictures; the search, and the first shape."""

import pytest
from on_map import DRAWN, PLACE, picked

from tests.browser.steps import answered

# The names over the first map: text, place, and contrast with the page behind them.
NAMES = """() => {
  const bright = (colour) => {
    const [r, g, b] = colour.match(/[0-9.]+/g).map((one) => one / 255)
      .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const page = document.createElement("i");
  page.style.color = "var(--background-fill-primary)";
  document.querySelector(".wsr-chart").append(page);
  const behind = bright(getComputedStyle(page).color);
  page.remove();
  return [...document.querySelector(".wsr-over").querySelectorAll(".wsr-group")].map((one) => {
    const [{left, right, top, bottom}, own] = [one.getBoundingClientRect(), bright(getComputedStyle(one).color)];
    return {text: one.textContent, left, right, top, bottom, contrast: Math.max(own / behind, behind / own)};
  });
}"""


@pytest.mark.kept
def test_classes_are_named_on_the_map_and_names_are_not_in_the_way(page):
    for dark in (False, True):
        page.evaluate("dark => document.body.classList.toggle('dark', dark)", dark)
        page.wait_for_timeout(300)
        names = page.evaluate(NAMES)
        assert {one["text"] for one in names} == {"animals", "food", "people"}
        assert all(one["contrast"] >= 4.45 for one in names), names  # colours on the screen are rounded
        for i, a in enumerate(names):
            for b in names[:i]:
                apart = a["left"] >= b["right"] or b["left"] >= a["right"] or a["top"] >= b["bottom"] - 1
                assert apart or b["top"] >= a["bottom"] - 1, (a, b)
    one = names[0]
    page.mouse.move((one["left"] + one["right"]) / 2, (one["top"] + one["bottom"]) / 2)
    assert page.evaluate("([x, y]) => !document.elementFromPoint(x, y).closest('.wsr-over')", [one["left"], one["top"]])
    x, y, item = page.evaluate(PLACE, [0, 2])
    page.mouse.click(x, y)
    picked(page, item)
    page.get_by_label("Colour", exact=True).click()
    page.get_by_role("option", name="split").click()
    page.wait_for_function("!document.querySelector('.wsr-over .wsr-group')")


@pytest.mark.kept
def test_a_network_is_found_by_what_is_said_of_it(page):
    bright = "document.querySelector('.wsr-plot')._fullData.flatMap(t => [...(t.selectedpoints ?? [])]).length"
    box = page.get_by_placeholder("Find a network")
    box.fill("FOO")
    found = page.locator(".wsr-find .wsr-state", has_text="found, by name and class.")
    found.wait_for()
    count = int(found.inner_text().split()[0])
    page.wait_for_function(f"count => {bright} === count", arg=count)
    map_at = page.locator(".wsr-chart").first.bounding_box()["y"]
    item = page.evaluate(PLACE, [0, 1])[2]
    box.fill(item)
    page.locator(".wsr-find .wsr-state", has_text="Enter opens it.").wait_for()
    page.keyboard.press("Enter")
    picked(page, item)
    box.fill("")
    page.wait_for_function(f"{bright} === 0")
    assert page.locator(".wsr-chart").first.bounding_box()["y"] == map_at


@pytest.mark.kept
def test_a_neighbour_that_was_opened_is_not_marked_beside_another_network(page):
    """It kept the frame of a choice wherever it was a neighbour again, as if it were the one on screen."""
    strip, box = page.locator(".wsr-panel .wsr-pictures button"), page.get_by_placeholder("Find a network")
    first = page.evaluate(PLACE, [0, 1])[2]
    for item in (first, None, first):
        if item:
            box.fill(item)
            page.locator(".wsr-find .wsr-state", has_text="Enter opens it.").wait_for()
            page.keyboard.press("Enter")
        else:
            item = strip.first.evaluate("one => (one.click(), one.dataset.id)")  # another may come to its place
        picked(page, item)
        answered(page)
        page.wait_for_function("id => !document.querySelector(`.wsr-panel .wsr-pictures [data-id='${id}']`)", arg=item)
        assert not page.locator(".wsr-panel .wsr-pictures [aria-pressed=true]").count()
    box.fill("")


def test_pictures_stand_in_place_of_few_points_and_are_clicked_like_them(open_page, address):
    # the map of the tiny assets has 23 points, so that 20 are few here
    fewer = lambda route: route.fulfill(body=route.fetch().text().replace("FEW = 60", "FEW = 20"))  # noqa: E731
    page = open_page(before=lambda page: page.route(address, fewer, times=1))
    page.get_by_label("Shapes", exact=True).click()
    page.wait_for_function(f"{DRAWN}.some(t => t.name === 'chair')")
    seen = page.locator(".wsr-chart").first.locator(".wsr-seen")
    page.locator(".wsr-over .wsr-group", has_text="chair").wait_for()
    assert not seen.count()
    x, y, item = page.evaluate(PLACE, [0, 2])
    page.mouse.move(x, y)
    for _ in range(8):
        page.mouse.wheel(0, -300)
        page.wait_for_timeout(200)
    seen.first.wait_for()
    assert 0 < seen.count() <= 20
    x, y, item = page.evaluate(PLACE, [0, 2])
    wide = seen.first.bounding_box()["width"]
    assert "shapes10-mlora-asym.webp" in seen.first.evaluate("e => e.style.backgroundImage")
    page.mouse.click(x + 0.4 * wide, y + 0.4 * wide)  # near a corner of its picture
    picked(page, item)
    page.locator(".wsr-chart").first.locator(".wsr-seen.picked").wait_for()
    page.locator(".modebar-btn[data-title='Reset axes']").first.click()
    page.wait_for_function("!document.querySelector('.wsr-over .wsr-seen')")


def test_a_page_that_opens_with_a_shape_loads_no_viewer_before_it_is_asked_to(open_page):
    page = open_page(link="?tab=atlas&data=shapes10")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.locator(".wsr-frame img").first.wait_for()
    assert not page.locator("[data-testid=model3d] canvas").count()
    assert not [url for url in asked if ".glb" in url]
    page.get_by_role("button", name="Turn it around").click()
    page.locator("[data-testid=model3d] canvas").wait_for()
    page.locator(".wsr-frame img").first.wait_for(state="detached")


@pytest.mark.kept
def test_what_the_legend_hides_has_no_rings_and_comes_back_with_another_colour(page):
    """The rings of hidden points stayed. And the trace of the same number stayed hidden in another colour: coloured by
    quality, of which the legend has no entry to press, the map was empty for good."""
    rings = "document.querySelector('.wsr-plot').layout.shapes.length"
    seen = "document.querySelector('.wsr-plot')._fullData.map((trace) => trace.visible)"
    page.wait_for_function(f"{rings} > 1")
    before = page.evaluate(rings)
    names = page.locator(".wsr-plot").first.locator(".legendtoggle")
    for i in range(names.count()):
        names.nth(i).click()
        page.wait_for_function(f"i => {seen}[i] === 'legendonly'", arg=i)
        page.wait_for_timeout(600)  # two presses at once would be another question
    page.wait_for_function(f"{rings} === 0")
    names.nth(0).click()
    page.wait_for_function(f"{rings} > 0 && {rings} < {before + 1}")
    page.get_by_label("Colour", exact=True).click()
    page.get_by_role("option", name="quality").click()
    page.wait_for_function(f"{seen}.join() === 'true' && {rings} === {before}")
    page.get_by_label("Colour", exact=True).click()
    page.get_by_role("option", name="class", exact=True).click()
    page.wait_for_function(f"{seen}.length > 1 && {seen}.every((one) => one === true)")
