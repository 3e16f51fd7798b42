"""Fingers on pictures: two look into a field, one scrolls the page wherever it begins."""

from on_map import PLACE, picked

from tests.browser.steps import answered, asked_from_now_on

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def touched(page, *ways):
    """Moves a finger along each way (x, y, dx, dy) at once, and takes them away."""
    hand, steps = page.context.new_cdp_session(page), 8
    for step in range(steps + 1):
        part = step / steps
        points = [{"x": x + dx * part, "y": y + dy * part, "id": i} for i, (x, y, dx, dy) in enumerate(ways)]
        hand.send("Input.dispatchTouchEvent", {"type": "touchMove" if step else "touchStart", "touchPoints": points})
        page.wait_for_timeout(20)
    hand.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_timeout(400)


def middle(frame):
    frame.evaluate("one => one.scrollIntoView({ block: 'center' })")
    box = frame.bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def test_a_finger_that_scrolls_over_a_surface_does_not_tilt_it(open_page):
    page = open_page(**PHONE)
    page.get_by_role("tab", name="Generate").click()
    frame = page.locator(".wsr-row:visible .wsr-frame[data-turns]").first
    frame.locator("img").wait_for()
    x, y = middle(frame)
    before = page.evaluate("scrollY")
    touched(page, (x, y, 0, -150))
    assert page.evaluate("scrollY") > before
    touched(page, (*middle(frame), 60, 0))
    page.wait_for_function("frame => frame.dataset.view", arg=frame.element_handle())
    azimuth, elevation = frame.evaluate("one => JSON.parse(one.closest('.wsr-row').dataset.view)")
    assert azimuth != 35 and elevation == 24


# Where the last point of Audit's chart is on the screen.
POINT = """() => {
  const drawn = (one) => one.checkVisibility() && one.data?.some((trace) => trace.customdata?.length);
  const plot = [...document.querySelectorAll(".wsr-plot")].find(drawn);
  if (!plot) return null;
  plot.scrollIntoView({ block: "center" });
  const { xaxis, yaxis } = plot._fullLayout, { x, y } = plot.data.findLast((trace) => trace.customdata?.length);
  const box = plot.getBoundingClientRect();
  return [box.left + xaxis._offset + xaxis.d2p(x[0]), box.top + yaxis._offset + yaxis.d2p(y[0])];
}"""


def test_a_point_that_is_tapped_opens_and_no_label_stays_over_the_others(open_page):
    page = open_page(link="?tab=audit", **PHONE)
    page.locator("[role=tab][aria-selected=true]:has-text('Audit')").wait_for()
    page.wait_for_function(f"({POINT})() !== null && location.search.includes('point=')")
    before = page.evaluate("new URLSearchParams(location.search).get('point')")
    page.touchscreen.tap(*page.evaluate(POINT))
    page.wait_for_function("before => new URLSearchParams(location.search).get('point') !== before", arg=before)
    page.wait_for_timeout(300)
    assert page.locator(".hoverlayer .hovertext").count() == 0
    # what it has opened stands below the chart, and was out of sight
    page.wait_for_function("""() => {
      const frame = [...document.querySelectorAll(".wsr-panel .wsr-frame")].find((one) => one.checkVisibility());
      const { top, height } = frame.getBoundingClientRect();
      return top > 0 && top + Math.min(height, 240) < innerHeight + 2;
    }""")


def test_a_finger_that_scrolls_from_a_point_of_a_map_picks_nothing(open_page):
    page = open_page(**PHONE)
    page.locator(".wsr-plot").first.evaluate("one => one.scrollIntoView({ block: 'center' })")
    x, y, item = page.evaluate(PLACE, [0, 2])
    asked, before = asked_from_now_on(page, "queue/join"), page.evaluate("scrollY")
    touched(page, (x, y, 0, -150))
    answered(page)
    assert page.evaluate("scrollY") > before and not asked


def test_a_tap_on_a_map_that_two_fingers_have_zoomed_opens_its_point_once_and_keeps_the_zoom(open_page):
    """plotly took each tap for two, and showed the whole map again. And a tap asked for what lay below it three times,
    the last time after the page had moved."""
    page = open_page(**PHONE)
    wide = "document.querySelector('.wsr-plot')._fullLayout.xaxis.range.reduce((low, high) => high - low)"
    page.locator(".wsr-plot").first.evaluate("one => one.scrollIntoView({ block: 'center' })")
    x, y, item = page.evaluate(PLACE, [0, 2])
    before = page.evaluate(wide)
    touched(page, (x - 20, y, -40, 0), (x + 20, y, 40, 0))
    zoomed = page.evaluate(wide)
    assert zoomed < 0.5 * before
    x, y, item = page.evaluate(PLACE, [0, 2])
    asked = asked_from_now_on(page, "queue/join")
    page.touchscreen.tap(x, y)
    picked(page, item)
    answered(page)
    picks = [one for one in asked if '"event_data":{"id"' in (one.post_data or "")]
    assert abs(page.evaluate(wide) / zoomed - 1) < 1e-6 and len(picks) == 1
