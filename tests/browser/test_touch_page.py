"""Fingers on pictures: two look into a field, one scrolls the page wherever it begins."""

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
