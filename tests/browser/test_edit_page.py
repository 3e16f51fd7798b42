"""The Edit row in a browser: a slider moves the open network, and its pixels change."""

from tests.browser.pixels import DIFFERENCE

# The mean difference of two pictures, 0 to 255, at the size of the first.
CLOSE = """async ([a, b]) => {
  const [one, other] = await Promise.all([a, b].map(async (src) => {
    const image = Object.assign(new Image(), { src });
    await image.decode();
    return image;
  }));
  const pixels = (image) => {
    const context = new OffscreenCanvas(one.width, one.height).getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, one.width, one.height);
    return context.getImageData(0, 0, one.width, one.height).data;
  };
  const [x, y] = [pixels(one), pixels(other)];
  return x.reduce((sum, value, i) => sum + Math.abs(value - y[i]), 0) / x.length;
}"""


def test_a_slider_changes_the_pixels_of_a_sample_and_reset_brings_them_back(page):
    page.get_by_role("tab", name="Generate").click()
    pictures = "[...document.querySelectorAll('.wsr-row img')].filter(i => i.offsetParent).map(i => i.src)"
    page.wait_for_function(f"{pictures}.length >= 1")
    before = page.evaluate(pictures)
    page.get_by_role("button", name="Edit").click()
    amount = page.get_by_label("number input for Amount").locator("visible=true")
    amount.wait_for()
    attribute = page.get_by_label("Attribute", exact=True).locator("visible=true")
    page.wait_for_function("input => input.value", arg=attribute.element_handle())
    amount.fill("3")
    amount.press("Enter")
    page.wait_for_function(f"before => {pictures}.length === 2 && !before.includes({pictures}[1])", arg=before)
    after = page.evaluate(pictures)
    assert after[1] != after[0]  # the unedited picture differs from the edited one
    assert "asked for" in page.locator(".wsr-ledger:visible", has_text=attribute.input_value()).inner_text()
    page.get_by_role("button", name="Reset", exact=True).click()
    page.wait_for_function(f"before => JSON.stringify({pictures}) === JSON.stringify(before)", arg=before)
    assert amount.input_value() == "0"


def test_a_slider_that_is_dragged_is_drawn_by_the_page_and_told_to_the_server_once(page):
    """The samples of the grid are drawn by the page as well, from their weights."""
    answers = []
    page.get_by_role("tab", name="Generate").click()
    page.get_by_label("Emoji", exact=True).locator("visible=true").click()
    page.wait_for_function("location.search.includes('tab=generate&data=emoji')")
    grid = page.locator(".wsr-pictures[aria-busy=false] button:visible .wsr-thumb")
    page.wait_for_function("""() => [...document.querySelectorAll(".wsr-pictures .wsr-thumb")].filter(
        (one) => one.checkVisibility() && one.style.backgroundImage.startsWith('url("data:image/png')).length === 6""")
    grid.nth(5).wait_for()
    samples = grid.evaluate_all("all => all.map((one) => one.style.backgroundImage.slice(5, -2))")
    row = page.locator(".wsr-row:visible", has_text="sample 1").locator("img")
    row.first.wait_for()
    assert page.evaluate(CLOSE, [samples[0], row.first.get_attribute("src")]) < 8  # a finer picture by the server
    page.get_by_role("button", name="Edit").locator("visible=true").click()
    page.wait_for_function("[...document.querySelectorAll('input')].some((one) => one.value === 'warmth')")
    slider = page.get_by_label("range slider for Amount").locator("visible=true")
    slider.focus()
    page.keyboard.press("ArrowRight")  # loads the decoder and what it decodes
    page.locator(".wsr-ledger:visible", has_text="asked for").wait_for()
    page.locator("figcaption:visible", has_text="sample 1, edited").wait_for()
    edited = page.locator(".wsr-row:visible", has_text="sample 1, edited").locator("img").last
    box = slider.bounding_box()
    page.on("request", lambda request: answers.append(request.post_data_json) if "queue/join" in request.url else None)
    page.mouse.move(box["x"] + box["width"] / 2 + 4, box["y"] + box["height"] / 2)
    page.mouse.down()
    old = "[...document.querySelectorAll('.wsr-ledger')].find((one) => one.checkVisibility()).closest('.wsr-old')"
    for step in range(1, 5):
        before = edited.get_attribute("src")
        page.mouse.move(box["x"] + box["width"] * (0.55 + step / 12), box["y"] + box["height"] / 2)
        page.wait_for_function("([image, before]) => image.src !== before", arg=[edited.element_handle(), before])
    page.wait_for_timeout(600)  # held still, it is not let go
    assert not answers and page.evaluate(f"Boolean({old})")  # what is said is about where the slider was before
    page.locator(".wsr-field[aria-busy=true]").wait_for(state="detached")
    here, amount = edited.get_attribute("src"), slider.input_value()
    page.mouse.up()
    page.wait_for_function("image => !image.isConnected", arg=edited.element_handle())
    page.wait_for_function(f"!{old}")
    assert [asked["data"][2] for asked in answers if asked["data"][1:2] == ["warmth"]] == [float(amount)]
    assert page.evaluate(DIFFERENCE, [here, edited.get_attribute("src")]) <= 1


FULL = """() => {
  const ask = window.fetch;
  window.fetch = (url, ...more) => String(url.url ?? url).includes("queue/join") && window.full
    ? Promise.resolve(Response.json({ detail: "The queue is full." }, { status: 503 })) : ask(url, ...more);
}"""


def test_samples_stand_as_they_did_where_there_is_no_room_for_new_ones(page):
    page.get_by_role("tab", name="Generate").click()
    opened = page.locator(".wsr-row:visible", has_text="sample 1").locator("img")
    opened.first.wait_for()
    before, grid = opened.first.get_attribute("src"), page.locator(".wsr-pictures:visible").last.inner_text()
    page.evaluate(FULL)
    page.evaluate("window.full = true")
    page.get_by_role("button", name="Sample", exact=True).click()
    page.locator(".wsr-failed:visible", has_text="has no room for more samples").wait_for()
    page.evaluate("window.full = false")
    opened.first.wait_for()
    assert not page.locator(".wsr-stale").count() and opened.first.get_attribute("src") == before
    assert page.locator(".wsr-pictures:visible").last.inner_text() == grid  # their verdicts are there again
    assert page.get_by_role("button", name="Sample", exact=True).is_enabled()
