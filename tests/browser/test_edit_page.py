"""Networks that visitors change in the page, by the Edit row, blending and shuffling; and surfaces that they turn."""

import pytest

from app.shell import snippets
from tests.browser.pixels import CLOSE, DIFFERENCE
from tests.browser.steps import answered, asked_from_now_on, unfold


@pytest.mark.kept
def test_a_slider_changes_the_pixels_of_a_sample_and_reset_brings_them_back(page):
    page.get_by_role("tab", name="Generate").click()
    pictures = "[...document.querySelectorAll('.wsr-row img')].filter(i => i.offsetParent).map(i => i.src)"
    page.wait_for_function(f"{pictures}.length >= 1")
    before = page.evaluate(pictures)
    unfold(page, "Edit")
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


def test_shapes_are_edited_and_turned_together_by_the_page(page):
    """After this, a visitor says: this lamp is that one with another foot."""
    page.get_by_role("tab", name="Generate").click()
    row = page.locator(".wsr-row:visible", has_text="sample 1")
    frames = row.locator(".wsr-frame[data-turns]")
    frames.first.wait_for()
    unfold(page, "Edit")
    page.locator("input[aria-label='Attribute']:visible").wait_for()
    page.wait_for_function("[...document.querySelectorAll('input[aria-label=Attribute]')].some((one) => one.value)")
    box = page.get_by_label("range slider for Amount").locator("visible=true").bounding_box()
    asked = asked_from_now_on(page)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    by_server, image = frames.locator("img").first.get_attribute("src"), frames.locator("img").first.element_handle()
    page.mouse.move(box["x"] + box["width"] * 0.9, box["y"] + box["height"] / 2, steps=3)
    page.wait_for_function("([image, before]) => image.src !== before", arg=[image, by_server])
    assert not [one for one in asked if "queue/join" in one.url]
    page.mouse.up()  # and the server is told
    frames.nth(1).wait_for()

    def seen():
        page.wait_for_function("row => row.ariaBusy === 'false' && row.dataset.view", arg=row.element_handle())
        return [one.get_attribute("src") for one in frames.locator("img").all()]

    by_server = [one.get_attribute("src") for one in frames.locator("img").all()]
    frames.nth(1).focus()
    page.keyboard.press("ArrowUp")  # loads what it decodes
    before, box = seen(), frames.first.bounding_box()
    asked.clear()
    page.mouse.move(box["x"] + 10, box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + 110, box["y"] + 60, steps=4)
    page.mouse.up()
    assert all(new != old for new, old in zip(seen(), before, strict=True))
    views = frames.evaluate_all("all => all.map((one) => one.dataset.view)")
    assert views == ["[335,51]"] * 2  # turned by 100 and 20 pixels at 0.6 degrees
    frames.nth(1).focus()
    page.keyboard.press("Home")
    for here, there in zip(seen(), by_server, strict=True):
        assert page.evaluate(CLOSE, [here, there]) < 6
    assert asked == []


def test_a_sample_that_is_dragged_onto_another_is_blended_with_it(page):
    """After this, a visitor says: half of a lamp and half of a sofa is a thing as well."""
    page.get_by_role("tab", name="Generate").click()
    grid = page.locator(".wsr-pictures[aria-busy=false] button:visible, .wsr-pictures:not([aria-busy]) button:visible")
    grid.nth(5).wait_for()
    page.locator(".wsr-row:visible", has_text="sample 1").locator("img").first.wait_for()
    asked, blend = asked_from_now_on(page, "queue/join"), page.locator(".wsr-blend:visible")
    thumbs = grid.locator(".wsr-thumb").evaluate_all("all => all.map((one) => one.style.backgroundImage.slice(5, -2))")
    one, other = (grid.nth(number).bounding_box() for number in (1, 2))
    page.mouse.move(one["x"] + 30, one["y"] + 30)
    page.mouse.down()
    page.mouse.move(other["x"] + 20, other["y"] + 30, steps=4)
    assert page.locator(".wsr-ghost").count() == 1 and page.locator(".wsr-onto").count() == 1
    page.mouse.up()
    image = blend.locator("figure", has_text="between sample 2 and sample 3").locator("img")
    image.wait_for()

    def drawn():
        page.wait_for_timeout(300)
        blend.locator(".wsr-field[aria-busy=false]").wait_for()
        return image.get_attribute("src")

    halfway, ends = drawn(), []
    for key in ("Home", "End"):
        blend.locator("input[type=range]").focus()
        page.keyboard.press(key)
        ends.append(drawn())
    assert all(page.evaluate(CLOSE, [here, there]) < 8 for here, there in zip(ends, thumbs[1:3], strict=True))
    assert all(page.evaluate(CLOSE, [halfway, end]) > 1 for end in ends)
    page.get_by_role("button", name="Blend with another").locator("visible=true").focus()
    page.keyboard.press("Enter")
    page.locator(".wsr-second").wait_for()  # and the open one has the keyboard
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    blend.locator("figure", has_text="between sample 1 and sample 2").wait_for()
    drawn_again = blend.locator("img").get_attribute("src")
    assert drawn_again != ends[1] and not page.locator(".wsr-second").count()
    assert asked == []


def test_a_slider_that_is_dragged_is_drawn_by_the_page_and_told_to_the_server_once(page):
    """The samples of the grid are drawn by the page as well, from their weights."""
    page.get_by_role("tab", name="Generate").click()
    page.get_by_label("Emoji", exact=True).locator("visible=true").click()
    page.wait_for_function("location.search.includes('tab=generate&data=emoji')")
    grid = page.locator(".wsr-pictures[aria-busy=false] button:visible .wsr-thumb")
    page.wait_for_function("""() => [...document.querySelectorAll(".wsr-pictures .wsr-thumb")].filter(
        (one) => one.checkVisibility() && one.style.backgroundImage.startsWith('url("data:image/png')).length === 6""")
    grid.nth(5).wait_for()
    samples = grid.evaluate_all("all => all.map((one) => one.style.backgroundImage.slice(5, -2))")
    row = page.locator(".wsr-row:visible", has_text="sample 1").locator("img")
    answered(page)  # until then, the row is of a shape
    assert page.evaluate(CLOSE, [samples[0], row.first.get_attribute("src")]) < 8  # a finer picture by the server
    unfold(page, "Edit")
    page.wait_for_function("[...document.querySelectorAll('input')].some((one) => one.value === 'warmth')")
    slider = page.get_by_label("range slider for Amount").locator("visible=true")
    slider.focus()
    page.keyboard.press("ArrowRight")  # loads the decoder and what it decodes
    page.locator(".wsr-ledger:visible", has_text="asked for").wait_for()
    page.locator("figcaption:visible", has_text="sample 1, edited").wait_for()
    edited = page.locator(".wsr-row:visible", has_text="sample 1, edited").locator("img").last
    box = slider.bounding_box()
    asked = asked_from_now_on(page, "queue/join")
    page.mouse.move(box["x"] + box["width"] / 2 + 4, box["y"] + box["height"] / 2)
    page.mouse.down()
    old = "[...document.querySelectorAll('.wsr-ledger')].find((one) => one.checkVisibility()).closest('.wsr-old')"
    for step in range(1, 5):
        before = edited.get_attribute("src")
        page.mouse.move(box["x"] + box["width"] * (0.55 + step / 12), box["y"] + box["height"] / 2)
        page.wait_for_function("([image, before]) => image.src !== before", arg=[edited.element_handle(), before])
    page.wait_for_timeout(600)  # held still, it is not let go
    assert not asked and page.evaluate(f"Boolean({old})")  # what is said is about where the slider was before
    page.locator(".wsr-field[aria-busy=true]").wait_for(state="detached")
    here, amount = edited.get_attribute("src"), slider.input_value()
    page.mouse.up()
    page.wait_for_function("image => !image.isConnected", arg=edited.element_handle())
    page.wait_for_function(f"!{old}")
    sent = [one.post_data_json["data"] for one in asked]
    assert [data[2] for data in sent if data[1:2] == ["warmth"]] == [float(amount)]
    assert page.evaluate(DIFFERENCE, [here, edited.get_attribute("src")]) <= 1


@pytest.mark.kept
def test_a_shuffle_is_drawn_by_the_page(page):
    """The server only says where the point jumps; by a link it draws the same."""
    page.get_by_role("tab", name="Symmetry").click()
    strips, row = page.locator(".wsr-stripes:visible img"), page.locator(".wsr-row:visible").first.locator("img")
    strips.nth(1).wait_for()
    row.nth(1).wait_for()
    seen = lambda: [row.nth(1).get_attribute("src"), strips.nth(1).get_attribute("src")]  # noqa: E731
    idle = "![...document.querySelectorAll('.wsr-card .wsr-field')].some((one) => one.ariaBusy === 'true')"
    asked, drawn = asked_from_now_on(page, "queue/join"), [seen()]
    for _ in range(2):
        page.get_by_role("button", name="Shuffle").click()
        page.wait_for_function("([image, before]) => image.src !== before",
                               arg=[strips.nth(1).element_handle(), drawn[-1][1]])  # fmt: skip
        page.wait_for_function(f"{idle} && document.querySelector('[data-told=difference]').textContent !== '…'")
        drawn.append(seen())
    assert page.evaluate(DIFFERENCE, [row.first.get_attribute("src"), drawn[2][0]]) <= 1
    told = page.locator("[data-told]:visible").evaluate_all("all => all.slice(0, 3).map((one) => one.textContent)")
    page.wait_for_function("location.search.includes('seed=2')")
    page.wait_for_timeout(500)
    sent = [one.post_data_json["data"] for one in asked]
    own = [data for data in sent if data[-1] in (1, 2)]
    assert [one[2:] for one in own] == [["mlp", 1], ["mlp", 2]]  # for the map
    page.goto(page.evaluate("location.href"))
    strips.nth(1).wait_for()
    row.nth(1).wait_for()
    for drawn_here, drawn_by_server in zip(drawn[2], seen(), strict=True):
        assert page.evaluate(DIFFERENCE, [drawn_here, drawn_by_server]) <= 1
    again = page.locator("[data-told]:visible").evaluate_all("all => all.slice(0, 3).map((one) => one.textContent)")
    assert told[1:] == again[1:]  # rounding makes the first, the difference of the pictures, on each machine


FULL = """() => {
  const ask = window.fetch;
  window.fetch = (url, ...more) => String(url.url ?? url).includes("queue/join") && window.full
    ? Promise.resolve(Response.json({ detail: "The queue is full." }, { status: 503 })) : ask(url, ...more);
}"""


@pytest.mark.kept
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


def test_nothing_hidden_comes_to_light_when_a_fit_is_made_anew(page):
    """With the row open, a second fit showed the field in which the page keeps where its slider leads."""
    page.get_by_role("tab", name="Fit").click()
    fit = page.get_by_role("button", name="Fit", exact=True)
    kept, edit = page.get_by_role("button", name="Place on the map"), page.get_by_role("button", name="Edit")
    for again in (False, True):
        fit.click()
        if again:
            page.wait_for_function("one => one.disabled", arg=kept.element_handle())
        page.wait_for_function("one => !one.disabled", arg=kept.element_handle())
        edit.locator("visible=true").wait_for()
        if not again:
            edit.locator("visible=true").click()
            page.locator("input[aria-label='Attribute']:visible").wait_for()
    page.wait_for_timeout(500)
    assert page.locator("textarea:visible, input[type=text]:visible:not([role=combobox])").count() == 0


@pytest.mark.kept
def test_what_goes_on_now_is_read_while_what_was_said_before_is_pale(page):
    """That networks like this one are learnt to be read, which takes seconds, was as pale as what it replaced."""
    pale = """html => {
      const one = Object.assign(document.createElement("div"), {className: "wsr-old", innerHTML: html});
      one.style.transition = "none";
      document.body.append(one);
      const {opacity} = getComputedStyle(one);
      one.remove();
      return Number(opacity);
    }"""
    assert page.evaluate(pale, snippets.working("Learning …")) == 1
    assert page.evaluate(pale, snippets.settled("What it was")) < 0.5
