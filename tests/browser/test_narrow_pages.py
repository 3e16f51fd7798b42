"""The page on phones, tablets and small windows."""

import pytest
from on_map import PLACE, picked

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}


@pytest.mark.parametrize("width", [1024, 390])
def test_narrow_pages_do_not_scroll_sideways(open_page, width):
    page = open_page(viewport={"width": width, "height": 844})
    for name in ("Atlas", "Fit", "Connect", "Symmetry"):
        page.get_by_role("tab", name=name).click()
        page.wait_for_function("document.documentElement.scrollWidth <= innerWidth")


def test_a_tap_is_a_pick(open_page):
    page = open_page(**PHONE)
    x, y, item = page.evaluate(PLACE, [2, 4])
    page.touchscreen.tap(x, y)
    picked(page, item)
    assert page.locator(".wsr-tip:visible").count() == 0, "nothing would take it away"


CUT = """() => [...document.querySelectorAll("table")].filter((t) => t.getClientRects().length).filter((t) => {
  for (let e = t; e; e = e.parentElement)
    if (["auto", "scroll"].includes(getComputedStyle(e).overflowX))
      return e.getBoundingClientRect().right > innerWidth + 1;
  return t.getBoundingClientRect().right > innerWidth + 1;
}).map((t) => t.innerText.slice(0, 60))"""


@pytest.mark.parametrize("width", [768, 1024, 390])
def test_at_every_width_what_was_tapped_is_near_and_tables_are_whole_or_scroll(open_page, width):
    page = open_page(viewport={"width": width, "height": 900})
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
