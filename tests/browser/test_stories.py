"""The tabs after the Atlas, and links, in a browser: sequences of clicks as a visitor makes them, and what is drawn."""

from tests.browser.pixels import DIFFERENCE

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
# The share of two pictures' area that changes visibly, in percent; white in both is no part of it.
CHANGED = """async ([a, b]) => {
  const pixels = async (src) => {
    const image = new Image();
    image.src = src;
    await image.decode();
    const canvas = new OffscreenCanvas(image.width, image.height), context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    return context.getImageData(0, 0, image.width, image.height).data;
  };
  const [x, y] = [await pixels(a), await pixels(b)];
  let there = 0, changed = 0;
  for (let i = 0; i < x.length; i += 4) {
    const channels = [i, i + 1, i + 2];
    if (!channels.some((c) => Math.min(x[c], y[c]) < 0.98 * 255)) continue;
    there++;
    changed += channels.some((c) => Math.abs(x[c] - y[c]) > 0.1 * 255);
  }
  return (100 * changed) / Math.max(1, there);
}"""


def open_tab(page, name):
    page.get_by_role("tab", name=name).click()


def open_card(page, title):
    page.locator(".wsr-steps:visible").get_by_label(title).check()


def sources(page, figures):
    return [image.get_attribute("src") for image in figures.locator("img").all()]


def test_a_walk_changes_the_pictures_and_ends_at_the_fits(page):
    """After this tab, a visitor says: halfway between two networks, most pictures fall apart, and one stays."""
    open_tab(page, "Connect")
    figures = page.locator(".wsr-six figure:visible")
    figures.nth(5).locator("img").wait_for()
    halfway = sources(page, figures)
    assert len(halfway) == 6
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


def test_what_a_shuffle_leaves_and_what_the_mask_does_not(page):
    """After this tab, a visitor says: all the numbers changed, and the picture did not."""
    open_tab(page, "Symmetry")
    rows = page.locator(".wsr-row:visible")
    first = rows.first.locator("figure")
    first.nth(1).locator("img").wait_for()
    assert page.evaluate(DIFFERENCE, sources(page, rows.first)) <= 1  # in units of 1/255, for rounding
    strips = page.locator(".wsr-stripes:visible")
    assert strips.count() == 2 and page.evaluate(DIFFERENCE, sources(page, strips)) > 1
    assert page.locator(".wsr-strip:visible button[aria-pressed=true]").count() == 1
    page.get_by_role("button", name="Shuffle").click()
    page.locator(".wsr-ledger:visible", has_text="largest difference").first.wait_for()
    open_card(page, "Now with a mask")
    page.get_by_label("another picture").click()
    page.locator(".wsr-verdict:visible", has_text="Right.").wait_for()
    three = sources(page, rows.first)
    assert len(three) == 3
    assert page.evaluate(DIFFERENCE, three[:2]) <= 1 < page.evaluate(DIFFERENCE, [three[0], three[2]])


def test_cards_ask_before_they_tell(page):
    """After these cards, a visitor says: a mask gives each picture one place."""
    open_tab(page, "Symmetry")
    rows = page.locator(".wsr-row:visible")
    open_card(page, "Signs, scales, any basis")
    rows.first.locator("img").wait_for()
    assert page.locator(".wsr-verdict:visible").count() == 0 and rows.first.locator("img").count() == 1
    page.get_by_label("they stay").click()
    page.locator(".wsr-verdict:visible", has_text="Right.").wait_for()  # in mLoRA-Asym, frozen zeros stay zeros
    assert page.evaluate(DIFFERENCE, sources(page, rows.first)) <= 1
    page.get_by_label("they move").focus()
    page.keyboard.press("Space")
    page.locator(".wsr-verdict:visible", has_text="Look again.").wait_for()
    open_card(page, "What a pair does")
    page.get_by_label("all of it").click()
    page.locator(".wsr-verdict:visible", has_text="Without term 1").wait_for()
    assert not page.get_by_label("term 1").is_checked() and page.get_by_label("term 2").is_checked()
    page.wait_for_function("location.search.includes('term_guess=all')")
    page.get_by_label("Shapes", exact=True).locator("visible=true").click()  # another data set asks anew
    page.wait_for_function("location.search.includes('data=shapes10') && !location.search.includes('guess')")
    page.locator(".wsr-verdict").first.wait_for(state="detached")  # also on the cards that are not on screen
    assert not page.get_by_label("all of it").is_checked() and page.get_by_label("term 1").is_checked()


def test_one_card_is_on_screen_and_keeps_its_guess_when_it_is_left(page):
    open_tab(page, "Symmetry")
    cards, place = page.locator(".wsr-card:visible h2"), page.locator(".wsr-place:visible")
    line = page.locator(".wsr-steps:visible")

    def shown(number, title):
        page.wait_for_function("title => location.search.includes('card=' + title)", arg=title)
        page.wait_for_function("said => document.querySelector('.wsr-place').innerText === said", arg=f"{number} of 5")
        assert cards.count() == 1
        return cards.inner_text()

    page.locator(".wsr-row:visible img").first.wait_for()
    assert cards.all_inner_texts() == ["Shuffle"] and place.first.inner_text() == "1 of 5"
    assert not line.get_by_role("button", name="Back").is_visible()
    line.get_by_role("button", name="Next card").click()
    assert shown(2, "mask") == "Now with a mask"
    page.get_by_label("the same picture").click()
    page.locator(".wsr-verdict:visible", has_text="Look again.").wait_for()
    line.get_by_label("Now with a mask").focus()
    page.keyboard.press("ArrowRight")
    assert shown(3, "basis").startswith("Signs") and not page.locator(".wsr-verdict:visible").count()
    page.locator(".wsr-row:visible img").first.wait_for()
    page.keyboard.press("ArrowLeft")
    assert shown(2, "mask") and page.locator(".wsr-verdict:visible", has_text="Look again.").count() == 1
    open_card(page, "Where a fit begins")
    shown(5, "start")
    line.get_by_role("button", name="Next card").wait_for(state="hidden")
    page.goto(page.evaluate("location.href"))
    page.locator(".wsr-card:visible h2", has_text="Where a fit begins").wait_for()
    assert shown(5, "start")
    line.get_by_label("Now with a mask").check()
    page.locator(".wsr-verdict:visible", has_text="Look again.").wait_for()  # the guess is part of the link as well


def test_a_term_less_is_told_as_the_pictures_show_it(page):
    """In an earlier version, shapes always changed by 0 %, whatever was seen."""
    row = page.locator(".wsr-row:visible", has_text="with these terms")
    shown = "[...document.querySelectorAll('.wsr-row')].find(r => r.textContent.includes('with these terms'))"
    now = f"{shown}?.querySelector('img')?.src"
    open_tab(page, "Symmetry")
    open_card(page, "What a pair does")
    for dataset, guess, last in (("Emoji", "a part of it", None), ("Shapes", "all of it", "the emoji's")):
        row.locator("img").wait_for()
        last = last and page.evaluate(now)
        page.get_by_label(dataset, exact=True).locator("visible=true").click()
        # the pictures of the other data set give way
        page.wait_for_function(f"last => ![undefined, last].includes({now})", arg=last)
        (before,) = sources(page, row)
        page.get_by_label(guess).click()
        said = page.locator(".wsr-verdict:visible", has_text="Without term 1")
        said.wait_for()
        page.wait_for_function(f"before => ![undefined, before].includes({now})", arg=before)
        told = float(said.inner_text().split("Without term 1, ")[1].split("%")[0])
        seen = page.evaluate(CHANGED, [before, *sources(page, row)])
        assert abs(told - seen) <= 1 and (told < 1) == (seen < 1)


def test_terms_are_switched_by_keyboard(page):
    open_tab(page, "Symmetry")
    open_card(page, "What a pair does")
    drawn = page.locator(".wsr-row:visible", has_text="with these terms").locator("img")
    drawn.wait_for()
    before = drawn.get_attribute("src")
    page.get_by_label("term 2").focus()
    page.keyboard.press("Space")
    row = "[...document.querySelectorAll('.wsr-row')].find(r => r.textContent.includes('with these terms'))"
    page.wait_for_function(f"before => ![undefined, before].includes({row}?.querySelector('img')?.src)", arg=before)


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


def test_two_maps_stand_side_by_side(page):
    page.get_by_label("Beside it, the same targets fitted with").click()
    page.get_by_role("option", name="LoRA", exact=True).click()
    page.wait_for_function("document.querySelectorAll('.wsr-plot .main-svg').length >= 4")
    maps = """
        [...document.querySelectorAll('.wsr-plot')].filter(
            p => p.clientWidth && p.layout?.uirevision?.includes('UMAP')
        )"""
    page.wait_for_function(f"({maps}).length === 2")


def test_samples_appear_from_noise_and_one_is_opened(page):
    open_tab(page, "Generate")
    page.get_by_role("button", name="Sample", exact=True).click()
    page.locator(".wsr-state:visible", has_text="16 new networks").wait_for()
    grid = page.locator(".wsr-pictures button:visible")
    assert grid.count() == 16
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
    page.get_by_text("Settings", exact=True).locator("visible=true").click()
    seed = page.get_by_label("Seed")
    seed.fill("7")
    seed.press("Enter")
    page.wait_for_timeout(300)
    assert "seed=" not in page.evaluate("location.search")  # what is on screen was not drawn from it
    page.locator(".wsr-chips:visible").get_by_label("chair", exact=True).check()
    page.locator(".wsr-stale:visible").wait_for()
    page.locator(".wsr-blank:visible", has_text="New samples are on their way").wait_for()
    assert not page.locator(".wsr-stale .wsr-name:visible").count()
    page.locator(".wsr-state:visible", has_text="16 new networks").wait_for()
    page.wait_for_function("location.search.includes('class=chair') && location.search.includes('seed=7')")
    opened = page.locator(".wsr-row:visible", has_text="sample 1").locator("img")
    opened.wait_for()
    page.wait_for_timeout(500)  # what was asked for before may still arrive
    assert opened.get_attribute("src") != before and not page.locator(".wsr-stale").count()
    page.get_by_label("Emoji", exact=True).locator("visible=true").click()
    page.wait_for_function("location.search.includes('data=emoji') && !/seed=|class=/.test(location.search)")


def test_a_link_draws_the_samples_it_was_sent_with(open_page):
    page = open_page(link="?tab=generate&data=shapes10&kind=mlora-asym&class=chair&seed=7&sample=2")
    page.locator(".wsr-state:visible", has_text="16 new networks").wait_for()
    page.locator(".wsr-row:visible", has_text="sample 3").locator("img").wait_for()
    page.wait_for_function("location.search.includes('seed=7') && location.search.includes('sample=2')")


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
