"""The page on phones, tablets and small windows."""

import pytest
from on_map import PLACE, picked

from tests.browser.steps import unfold

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}


@pytest.mark.parametrize("width", [1024, 390])
def test_narrow_pages_do_not_scroll_sideways(keep_page, width):
    page = keep_page(viewport={"width": width, "height": 900})
    for name in ("Atlas", "Fit", "Connect", "Symmetry"):
        page.get_by_role("tab", name=name).click()
        page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")


def test_a_tap_is_a_pick_and_two_fingers_zoom_and_move(open_page):
    page = open_page(**PHONE)
    x, y, item = page.evaluate(PLACE, [2, 4])
    page.touchscreen.tap(x, y)
    picked(page, item)
    assert page.locator(".wsr-tip:visible").count() == 0, "nothing would take it away"
    page.wait_for_timeout(1500)  # the page glides to its picture, away from the middle of the map
    page.evaluate("document.querySelector('.wsr-chart').scrollIntoView({block: 'center', behavior: 'instant'})")
    page.wait_for_timeout(500)
    range_of = "['xaxis', 'yaxis'].map((a) => [...document.querySelector('.wsr-plot')._fullLayout[a].range])"
    box = page.locator(".wsr-chart").first.bounding_box()
    middle, scrolled = (box["x"] + box["width"] / 2, box["y"] + box["height"] / 2), page.evaluate("scrollY")

    def spread(*gaps, along=0):
        touch = page.context.new_cdp_session(page)
        for i, gap in enumerate(gaps):
            at = [{"x": middle[0] + side * gap + along * i, "y": middle[1], "id": side + 1} for side in (-1, 1)]
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove" if i else "touchStart", "touchPoints": at})
            page.wait_for_timeout(300)
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    width = lambda range_: range_[1] - range_[0]  # noqa: E731
    (x0, y0) = page.evaluate(range_of)
    spread(30, 60, 90)
    page.wait_for_function(f"before => {range_of}[0][0] !== before", arg=x0[0])
    page.wait_for_timeout(500)
    (x1, y1) = page.evaluate(range_of)
    assert width(x1) == pytest.approx(width(x0) / 3, rel=0.05) and width(y1) == pytest.approx(width(y0) / 3, rel=0.05)
    spread(60, 60, 60, along=-20)
    page.wait_for_function(f"before => {range_of}[0][0] !== before", arg=x1[0])
    page.wait_for_timeout(500)
    (x2, _) = page.evaluate(range_of)
    assert x2[0] > x1[0] and width(x2) == pytest.approx(width(x1), rel=0.02)
    assert page.evaluate("scrollY") == scrolled


# The files of a download that their box, which would have to be scrolled, does not show.
HIDDEN = """() => [...document.querySelectorAll(".file-preview a")].filter((one) => {
  const { bottom } = one.getBoundingClientRect();
  if (!one.checkVisibility()) return false;
  for (let e = one.parentElement; e && e !== document.body; e = e.parentElement)
    if (getComputedStyle(e).overflowY !== "visible" && e.getBoundingClientRect().bottom < bottom) return true;
  return false;
}).map((one) => one.download)"""


def test_a_tapped_sample_opens_in_sight(open_page):
    """In an earlier version, it opened a screen below the grid, and nothing on screen told of it."""
    page = open_page(**PHONE)
    end = lambda one: (box := one.bounding_box())["y"] + min(box["height"], 240)  # noqa: E731
    page.get_by_role("tab", name="Generate").tap()
    page.locator(".wsr-row:visible", has_text="sample 1").locator("img").first.wait_for()
    page.get_by_role("button", name="Sample", exact=True).tap()
    page.locator(".wsr-state:visible", has_text="16 samples").wait_for()
    opened = page.locator(".wsr-row:visible", has_text="sample 1").locator("img").first
    opened.wait_for()
    before = end(opened)
    tapped = page.locator(".wsr-pictures button:visible").nth(14)
    tapped.tap()
    opened = page.locator(".wsr-row:visible", has_text="sample 15").locator("img").first
    opened.wait_for()
    page.wait_for_timeout(1000)  # the page glides there
    assert end(opened) <= 846 < before and tapped.bounding_box()["y"] + tapped.bounding_box()["height"] > 60
    page.get_by_role("button", name="Download it").tap()
    files = page.locator(".file-preview:visible a")
    files.nth(1).wait_for()
    page.wait_for_timeout(300)
    assert not page.evaluate(HIDDEN), "in an earlier version, the second file was below the end of its box"


CUT = """() => [...document.querySelectorAll("table")].filter((t) => t.getClientRects().length).filter((t) => {
  for (let e = t; e; e = e.parentElement)
    if (["auto", "scroll"].includes(getComputedStyle(e).overflowX))
      return e.getBoundingClientRect().right > innerWidth + 1;
  return t.getBoundingClientRect().right > innerWidth + 1;
}).map((t) => t.innerText.slice(0, 60))"""


# Of charts on screen: names that lie under the buttons of the chart, and room that is kept but not used.
CROWDED = """() => [...document.querySelectorAll(".wsr-chart")].flatMap((chart) => {
  if (!chart.checkVisibility()) return [];
  const box = (selector) => chart.querySelector(selector)?.getBoundingClientRect() ?? { width: 0 };
  const [names, buttons] = [box(".legend"), box(".modebar-group")];
  const apart = !names.width || !buttons.width || names.top >= buttons.bottom || names.bottom <= buttons.top;
  const kept = chart.closest(".html-container").offsetHeight - chart.offsetHeight;
  return [...(apart ? [] : ["names under buttons"]), ...(kept > 8 ? [`${kept} pixels below the chart`] : [])];
})"""


@pytest.mark.parametrize("width", [768, 1024, 390])
def test_at_every_width_what_was_tapped_is_near_and_tables_are_whole_or_scroll(keep_page, width):
    page = keep_page(viewport={"width": width, "height": 900})
    x, y, item = page.evaluate(PLACE, [1, 2])
    page.mouse.click(x, y)
    picked(page, item)
    page.wait_for_timeout(600)  # the page may glide there
    picture = page.locator(".wsr-frame img").first.bounding_box()
    assert picture["y"] < 900, f"its picture is {picture['y'] - 900:.0f} pixels below the screen"
    for name in ("Audit", "Results"):
        page.get_by_role("tab", name=name).click()
        page.locator("[role=tabpanel]:visible table").first.wait_for()
        assert not page.evaluate(CUT), name
        page.wait_for_function(f"!({CROWDED})().length")
    page.locator("td button:visible", has=page.locator(".wsr-mark")).first.click()
    claims = page.locator(".wsr-record .wsr-claims button > span:nth-child(2)")
    claims.first.wait_for()
    assert min(claim.bounding_box()["width"] for claim in claims.all()) > 90, "a few letters a line"


def test_the_names_of_curves_stay_above_them_when_a_window_gets_wider(open_page):
    page = open_page(link="?tab=connect", viewport={"width": 390, "height": 900})
    apart = """() => {
      const chart = [...document.querySelectorAll(".wsr-chart")].find((one) => one.checkVisibility());
      const [names, curves] = [".legend", ".cartesianlayer .xy .gridlayer"].map((one) => chart?.querySelector(one));
      return names && names.getBoundingClientRect().bottom <= curves.getBoundingClientRect().top + 4;
    }"""
    page.wait_for_function(apart)
    page.set_viewport_size({"width": 1440, "height": 900})
    page.wait_for_function("[...document.querySelectorAll('.wsr-chart')].some((one) => one.clientWidth > 500)")
    page.wait_for_timeout(500)  # by then plotly has finished its own redrawing
    page.wait_for_function(apart)
    page.set_viewport_size({"width": 390, "height": 900})


def test_a_surface_is_whole_in_a_narrow_column(open_page):
    """In an earlier version, a viewer narrower than high cut off both sides of what it showed."""
    page = open_page(link="?tab=atlas&data=shapes10", viewport={"width": 768, "height": 900})
    page.get_by_role("button", name="Turn it around").click()
    page.locator("[data-testid=model3d] canvas").wait_for()
    viewer = page.locator("[data-testid=model3d]:visible").bounding_box()
    assert viewer["width"] >= 0.98 * viewer["height"] > 100


# How many pictures have room beside each other.
COLUMNS = "(row) => getComputedStyle(row).gridTemplateColumns.split(' ').length"


@pytest.mark.parametrize(("width", "name", "row", "count"), [
    (1024, "Symmetry", ".wsr-strip .wsr-pictures", 8), (768, "Audit", ".wsr-panel .wsr-row", 3),
    (390, "Symmetry", ".wsr-strip .wsr-pictures", 4), (1009, "Fit", ".wsr-pictures", 6),
])  # fmt: skip
def test_no_picture_stands_alone_below_the_others(keep_page, width, name, row, count):
    """Nine of ten stood in one line, and the last in a line of its own."""
    page = keep_page(viewport={"width": width, "height": 900})
    page.get_by_role("tab", name=name).click()
    shown = page.locator(f"{row}:visible")
    shown.locator("img, .wsr-thumb").first.wait_for()
    # beside the names of five data sets, of which there are fewer here, and a scroll bar, which is not shown here
    shown.evaluate("row => { const strip = row.closest('.wsr-strip'); if (strip) strip.style.maxWidth = '529px'; }")
    assert shown.evaluate(COLUMNS) == count


def test_beside_a_scroll_bar_cards_and_explanations_have_room(keep_page):
    """The map of the first card went below its pictures, and the words about “Amount” into a column of one or two."""
    page = keep_page(viewport={"width": 1009, "height": 900})
    page.get_by_role("tab", name="Symmetry").click()
    card = page.locator(".wsr-card:visible").first
    card.locator("img").first.wait_for()
    tops = "row => [...row.children].map((column) => Math.round(column.getBoundingClientRect().top))"
    assert len(set(card.evaluate(tops))) == 1
    page.get_by_role("tab", name="Generate").click()
    page.locator(".wsr-row:visible", has_text="sample 1").locator("img").first.wait_for()
    unfold(page, "Edit")
    about = page.get_by_text("One step is one standard deviation").locator("visible=true")
    assert about.bounding_box()["width"] > 200


def test_four_networks_stand_two_by_two_on_a_phone(keep_page):
    """Around zero, Connect has four of the six."""
    page = keep_page(viewport={"width": 390, "height": 844})
    page.get_by_role("tab", name="Connect").click()
    sheet = page.locator(".wsr-six .wsr-sheet:visible")
    sheet.locator("img").first.wait_for()
    assert sheet.evaluate(COLUMNS) == 3
    sheet.evaluate("one => [4, 4].forEach((at) => one.children[at].remove())")
    assert sheet.evaluate(COLUMNS) == 2


# Where the corners of a 3D map's box are on the chart: 1 is its edge.
CORNERS = """() => {
  const {glplot} = document.querySelector(".wsr-plot")._fullLayout.scene._scene, {bounds} = glplot;
  const {model, view, projection} = glplot.cameraParams, way = [0, 1];
  const times = (m, v) => [0, 1, 2, 3].map((row) => v.reduce((sum, one, i) => sum + m[4 * i + row] * one, 0));
  const all = way.flatMap((i) => way.flatMap((j) => way.map((k) => [bounds[i][0], bounds[j][1], bounds[k][2], 1])));
  const seen = all.map((one) => [model, view, projection].reduce((v, m) => times(m, v), one));
  return seen.map(([x, y, , w]) => [x / w, y / w]);
}"""


@pytest.mark.parametrize("width", [1440, 390])
def test_a_map_in_3d_leaves_room_for_the_titles_of_its_axes(keep_page, width):
    """In an earlier version, the nearest corner of the box was below the chart, with half of two titles."""
    page = keep_page(viewport={"width": width, "height": 900})
    page.get_by_label("3D", exact=True).click()
    try:
        page.wait_for_function("document.querySelector('.wsr-plot')._fullLayout?.scene?._scene?.glplot?.cameraParams")
        page.wait_for_timeout(500)
        assert max(abs(at) for corner in page.evaluate(CORNERS) for at in corner) < 0.95
    finally:
        page.get_by_label("2D", exact=True).click()


# How far the title of the horizontal axis is below its numbers, in pixels.
BELOW = """() => {
  const plot = [...document.querySelectorAll(".wsr-plot")].find((one) => one.offsetParent);
  if (!plot) return null;
  const numbers = [...plot.querySelectorAll(".xtick text")].map((one) => one.getBoundingClientRect().bottom);
  const title = plot.querySelector(".xtitle")?.getBoundingClientRect().top;
  return numbers.length && title ? title - Math.max(...numbers) : null;
}"""


@pytest.mark.parametrize("width", [1440, 390])
def test_the_title_of_an_axis_leaves_its_numbers_free(open_page, width):
    """In an earlier version, five rows of names pushed it up on a phone."""
    page = open_page(link="?tab=audit", viewport={"width": width, "height": 844})
    page.wait_for_function(f"({BELOW})() !== null")
    assert page.evaluate(BELOW) >= 0


@pytest.mark.parametrize("dims", [2, 3])
def test_a_scale_of_colours_takes_no_width_of_a_map(open_page, dims):
    """In an earlier version, it stood beside the map, which on a phone had two thirds of its width left."""
    page = open_page(link=f"?tab=atlas&data=emoji&dims={dims}&colour=quality", viewport={"width": 390, "height": 844})
    page.wait_for_function("document.querySelector('.wsr-plot')?._fullLayout?._size")
    inner, whole = page.locator(".wsr-plot").first.evaluate("({_fullLayout: all}) => [all._size.w, all.width]")
    assert inner > 0.85 * whole


# The number of choices in each line, after the list of data sets has got five that do not fit beside each other.
LINES = """(radio) => {
  const wrap = radio.closest(".wrap"), label = radio.closest("label"), at = {};
  while (wrap.children.length < 5) wrap.append(label.cloneNode(true));
  wrap.closest("fieldset").style.width = `${4.6 * label.offsetWidth}px`;
  for (const { offsetTop } of wrap.children) at[offsetTop] = (at[offsetTop] ?? 0) + 1;
  return Object.values(at);
}"""


def test_no_choice_stands_alone_below_four_others(open_page):
    page = open_page(viewport={"width": 1024, "height": 900})
    counts = page.locator("input[type=radio]").first.evaluate(LINES)
    assert sorted(counts) == [2, 3]


MORE = "one => ['left', 'right'].map((side) => getComputedStyle(one).getPropertyValue(`--wsr-more-${side}`))"


def test_what_scrolls_sideways_fades_where_there_is_more(keep_page):
    """In an earlier version, a column was cut as if the table ended there."""
    page = keep_page(viewport={"width": 768, "height": 900})
    page.get_by_role("tab", name="Results").click()
    table = page.locator(".wsr-wide:visible").first
    table.locator("button").first.wait_for()
    fades = lambda sides: page.wait_for_function(  # noqa: E731, in the next frame
        f"([one, sides]) => String(({MORE})(one)) === sides", arg=[table.element_handle(), sides]
    )
    table.evaluate("one => { one.style.width = '300px'; }")
    fades("0px,40px")
    assert "40px" in table.evaluate("one => getComputedStyle(one).maskImage")
    table.evaluate("one => { one.scrollLeft = 9999; }")
    fades("40px,0px")
    # all of it is in sight
    table.evaluate("one => { one.scrollLeft = 0; }")
    fades("0px,40px")
    table.evaluate("one => { one.style.width = '2000px'; }")
    fades("0px,0px")


def test_tables_of_documents_fade_too(open_page, address):
    page = open_page(viewport={"width": 390, "height": 844})
    page.goto(f"{address}read/precompute/README.md")
    sides = f"all => all.filter((one) => one.scrollWidth > one.clientWidth + 1).map({MORE})"
    found = page.locator("main > table").evaluate_all(sides)
    assert found and all(one == ["0px", "40px"] for one in found)
