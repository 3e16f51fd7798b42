"""The page for those who do not use a mouse or do not see it as others do: axe-core's rules, the keyboard, and forced
colours."""

from importlib.resources import files

import pytest

from tests.browser.steps import answered, asked_from_now_on, open_tab

AXE = files("axe_playwright_python").joinpath("axe.min.js")
TABS = ("Atlas", "Fit", "Connect", "Symmetry", "Generate", "Audit", "Results")
# label-content-name-mismatch is a rule of WCAG 2.1 that axe-core leaves off by default.
RUN = """axe.run(document, {
  rules: {"label-content-name-mismatch": {enabled: true}},
  resultTypes: ["violations"], // without a report on each element that is right
}).then(({violations}) =>
  violations.flatMap(({id, nodes}) => nodes.map((node) => `${id}: ${node.html.slice(0, 200)}`)))"""
SETTLED = """![...document.querySelectorAll(".wsr-blank, .wsr-message, .wsr-state")].some(
  (one) => one.checkVisibility() && /^(Decoding|Reading|Comparing|Drawing)/.test(one.textContent))"""
# a button that comes alive fades in; what follows a finger does not move by itself
STILL = """!document.getAnimations().some(
  (one) => one.timeline === document.timeline && one.playState === "running")"""
LISTS = "[role=listbox]:visible"
# What shows where the keyboard is: the outline of the element, or of the label around it.
OUTLINED = """() => {
  const here = document.activeElement;
  return [here, here.closest("label")].some((one) => one && getComputedStyle(one).outlineStyle === "solid");
}"""
# The colour of a chart's own lines and that of its text, of the chart whose x axis has this title.
INKS = """(title) => {
  const plot = [...document.querySelectorAll(".wsr-plot")].find((p) => p.layout?.xaxis?.title?.text?.startsWith(title));
  return [plot.layout.shapes[0].line.color, plot.layout.font.color];
}"""


def dark(page, wanted):
    page.evaluate("wanted => document.body.classList.toggle('dark', wanted)", wanted)
    page.wait_for_timeout(300)  # colours fade into each other


@pytest.mark.kept
def test_axe_finds_nothing_on_any_tab_light_or_dark(page):
    page.evaluate(AXE.read_text() + ";0")
    found = {}
    for name in TABS:
        open_tab(page, name)
        page.wait_for_function(SETTLED)
        for card in page.locator(".wsr-steps label:visible").all() if name == "Symmetry" else [None]:
            if card:
                card.click()
            for theme in ("light", "dark"):
                dark(page, theme == "dark")
                page.wait_for_function(STILL)
                found[name, card, theme] = page.evaluate(RUN)
            dark(page, False)
    assert not {where: said for where, said in found.items() if said}


def test_a_surface_and_a_map_in_3d_have_names_and_no_tab_stops_of_their_own(page):
    page.get_by_label("Shapes", exact=True).first.click()
    page.locator("[data-testid=model3d] canvas").wait_for()
    page.get_by_label("3D", exact=True).click()
    page.locator(".wsr-plot .gl-container canvas").first.wait_for(state="attached")
    page.wait_for_function("!document.querySelector('[tabindex]:not([tabindex=\"0\"], [tabindex=\"-1\"])')")
    page.locator("[data-testid=model3d] canvas[aria-label^='Surface']").wait_for()
    assert not page.locator(".wsr-plot [tabindex='0']").count()
    page.evaluate(AXE.read_text() + ";0")
    assert page.evaluate(RUN) == []


@pytest.mark.kept
def test_pictures_say_what_they_show_and_lines_are_seen_in_the_dark(page):
    picture = page.locator(".wsr-frame img").first
    picture.wait_for()
    assert "of the class" in picture.get_attribute("alt")
    for name, title in (("Connect", "α"), ("Audit", "Novelty")):
        open_tab(page, name)
        page.wait_for_function(f"title => {{ try {{ return ({INKS})(title) }} catch {{}} }}", arg=title)
        light, _ = page.evaluate(INKS, title)
        dark(page, True)
        line, text = page.evaluate(INKS, title)
        assert line == text != light, name
        dark(page, False)


@pytest.mark.kept
def test_the_keyboard_is_seen_and_leaves_no_list_open(page):
    page.get_by_role("combobox").first.click()
    page.locator(LISTS).first.wait_for()
    for _ in range(10):
        page.keyboard.press("Tab")
        assert page.evaluate(OUTLINED), page.evaluate("document.activeElement.outerHTML")
    page.wait_for_function("!document.querySelector('[role=listbox]')")
    open_tab(page, "Connect")
    slider = page.locator("input[type=range]:visible").first
    slider.wait_for()
    slider.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    assert page.evaluate(OUTLINED)
    page.locator(".wsr-plot .main-svg:visible").first.wait_for()  # the next test has this page, and counts requests


# The contrast of that outline with what a block of controls stands on.
GROUNDS = {False: "rgb(255, 255, 255)", True: "rgb(22, 25, 34)"}
CONTRAST = """(ground, colour) => {
  const light = (colour) => {
    const linear = (x) => x <= 0.04045 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = colour.match(/[\\d.]+/g).map((x) => linear(x / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
  };
  const here = document.activeElement, label = here.closest("label:has(> input[type=radio])") ?? here;
  const [dim, bright] = [colour ?? getComputedStyle(label).outlineColor, ground].map(light).sort((x, y) => x - y);
  return bright / dim;
}"""
# The colour of the button of a chart that is on.
ON = "getComputedStyle(document.querySelector('.wsr-plot .modebar-btn.active path') ?? document.body).fill"


@pytest.mark.kept
def test_the_button_of_a_chart_that_is_on_is_seen_in_the_dark_too(page):
    """In an earlier version, it had the accent's colour, which is hardly seen on black."""
    page.locator(".modebar-btn[data-title='Pan']").first.click()
    for theme in (True, False):
        dark(page, theme)
        page.wait_for_function(f"(on) => ({CONTRAST})(on, {ON}) > 4.5", arg=GROUNDS[theme])


@pytest.mark.kept
def test_the_keyboard_is_seen_in_the_dark_too(page):
    """The line around all but buttons had the colour for a light page there."""
    for theme in (False, True):
        dark(page, theme)
        for where in ("button", "input[type=radio]", "[role=combobox]", "[tabindex='0']"):
            page.locator(f"[role=tabpanel]:visible {where}").locator("visible=true").first.focus()
            page.keyboard.press("Tab")
            page.keyboard.press("Shift+Tab")
            page.wait_for_function(f"(on) => ({CONTRAST})(on) >= 3 && ({OUTLINED})()", arg=GROUNDS[theme])
    dark(page, False)


@pytest.mark.kept
def test_a_choice_by_keyboard_leaves_the_keyboard_in_the_list(page):
    """It was thrown back to the beginning of the page, where the arrow keys do nothing."""
    colour = page.get_by_label("Colour", exact=True).locator("visible=true")
    before = colour.input_value()
    colour.focus()
    for key in ("ArrowDown", "ArrowUp"):
        page.keyboard.press(key)
        page.locator(LISTS).first.wait_for()
        page.keyboard.press("Enter")
        page.wait_for_function("!document.querySelector('[role=listbox]')")
        page.wait_for_function("document.activeElement.matches('[role=combobox]')")
        answered(page)
    assert colour.input_value() == before
    colour.click()
    page.locator(LISTS).first.wait_for()
    page.keyboard.press("Escape")
    page.wait_for_function("!document.querySelector('[role=listbox]')")


@pytest.mark.kept
def test_what_is_typed_into_a_list_looks_for_a_choice(page):
    """It was appended to the present choice, and nothing was found."""
    colour = page.get_by_label("Colour", exact=True).locator("visible=true")
    before = colour.input_value()
    for reach in (colour.focus, colour.click):
        reach()
        page.keyboard.type(before[:3])
        assert colour.input_value() == before[:3]
        page.locator("[role=option]", has_text=before).first.wait_for()
        page.locator("h1").click()
        page.wait_for_function("!document.querySelector('[role=listbox]')")
        assert colour.input_value() == before


@pytest.mark.kept
def test_a_list_that_is_only_passed_changes_nothing(page):
    """In an earlier version, leaving a list was taken for a choice: the tab was drawn anew, and closed what was open.
    """
    colour = page.get_by_label("Colour", exact=True).locator("visible=true")
    before = colour.input_value()
    page.get_by_role("combobox").locator("visible=true").first.focus()
    page.locator(LISTS).first.wait_for()
    asked = asked_from_now_on(page, "/queue/join")
    for _ in range(10):  # past four lists
        page.keyboard.press("Tab")
        page.wait_for_timeout(150)
    colour.click()
    page.locator(LISTS).first.wait_for()
    page.locator("h1").click()
    page.wait_for_function("!document.querySelector('[role=listbox]')")
    page.wait_for_timeout(500)
    assert not asked
    for key in ("ArrowDown", "ArrowUp"):  # and then a choice is one each time
        colour.focus()
        page.keyboard.press(key)
        page.locator(LISTS).first.wait_for()
        page.keyboard.press("Enter")
        page.wait_for_timeout(500)
        answered(page)  # a slow answer would end the next choice
    assert len(asked) == 2 and colour.input_value() == before


@pytest.mark.kept
def test_arrow_keys_move_along_the_tabs(page):
    page.get_by_role("tab", name="Atlas").focus()
    for key, name in (("ArrowRight", "Fit"), ("ArrowLeft", "Atlas"), ("ArrowLeft", "Results"), ("Home", "Atlas"),
                      ("End", "Results")):  # fmt: skip
        page.keyboard.press(key)
        page.locator(f"[role=tab][aria-selected=true]:has-text('{name}')").wait_for()
        assert page.evaluate("document.activeElement.textContent.trim()") == name


def test_arrow_keys_choose_among_radio_buttons(page):
    """In an earlier version, nothing happened: each of gradio's radio buttons is alone in its group."""
    choices = page.locator("fieldset:visible input[type=radio]")
    names = [one.evaluate("e => e.closest('label').innerText") for one in choices.all()]
    here = names.index("Emoji")
    choices.nth(here).focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("location.search.includes('data=')")
    chosen = "document.activeElement.checked && document.activeElement.closest('label').innerText"
    assert page.evaluate(chosen) == names[here + 1]
    page.keyboard.press("ArrowLeft")
    page.wait_for_function("location.search.includes('data=emoji')")
    assert page.evaluate(chosen) == "Emoji"


@pytest.mark.kept
def test_backspace_takes_a_class_back_on_the_map_too(page):
    traces = "document.querySelector('.wsr-plot')._fullData.map(t => t.name).join()"
    before = page.evaluate(traces)
    page.get_by_label("Only these classes").click()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_function(f"{traces}.startsWith('others')")
    page.keyboard.press("Backspace")
    page.wait_for_function(f"before => {traces} === before", arg=before)


@pytest.mark.kept
def test_forced_colours_keep_what_is_chosen(page):
    page.emulate_media(forced_colors="active")
    try:
        drawn = "(e, name) => getComputedStyle(e)[name]"
        chosen = page.locator("label.selected:visible").first
        assert page.locator("input[type=radio]:visible").first.evaluate(drawn, "appearance") == "auto"
        assert chosen.evaluate(drawn, "borderTopStyle") == "solid"
        tabs = {state: page.locator(f"[role=tab][aria-selected={state}]:visible").first for state in ("true", "false")}
        assert tabs["true"].evaluate(drawn, "borderBottomWidth") != tabs["false"].evaluate(drawn, "borderBottomWidth")
        open_tab(page, "Connect")
        slider = page.locator("input[type=range]:visible").first
        slider.wait_for()
        assert slider.evaluate(drawn, "appearance") == "auto"
    finally:
        page.emulate_media(forced_colors="none")


@pytest.mark.kept
def test_scroll_bars_of_a_dark_page_are_dark(page):
    scheme = "getComputedStyle(document.documentElement).colorScheme"
    assert page.evaluate(scheme) != "dark"
    dark(page, True)
    assert page.evaluate(scheme) == "dark"
    dark(page, False)
