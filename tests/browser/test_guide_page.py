"""What explains the page to those who see it for the first time."""

from importlib.resources import files

from app.shell import glossary

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text() + ";0"
BROKEN = "axe.run(document).then(({violations}) => violations.flatMap(({id, nodes}) => nodes.map((n) => id + n.html)))"

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
TIP = "[role=tooltip]:visible"
MARK = ".wsr-term:visible"
UNDERLINED = """[...CSS.highlights.get("wsr-terms")].map((range) =>
  range.startContainer.data.slice(range.startOffset, range.endOffset))"""
MARKED = "[...document.querySelectorAll('.wsr-term')].filter((e) => e.checkVisibility()).map((e) => e.textContent)"
# Where a text of a chart is on the page.
DRAWN = """([selector, text]) => {
  const all = [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility());
  const drawn = all.find((one) => one.textContent.startsWith(text));
  const box = drawn?.getBoundingClientRect();
  return box && [box.left + box.width / 2, box.top + box.height / 2];
}"""


def open_tab(page, name):
    page.get_by_role("tab", name=name).click()
    page.locator(f"[role=tab][aria-selected=true]:has-text('{name}')").wait_for()


def explained(page, term):
    """Waits for the sentence of a term."""
    said = (glossary.NAMES | glossary.MATRICES | glossary.TERMS)[term]
    page.locator(TIP, has_text=said).wait_for()


def point_at(page, x, y):
    page.mouse.move(x - 30, y + 40)
    page.mouse.move(x, y, steps=3)


def test_a_term_in_text_is_explained_by_pointer_and_keyboard(page):
    term = page.locator(MARK, has_text="PSNR").first
    term.wait_for()
    term.hover()
    explained(page, "PSNR")
    assert term.get_attribute("aria-describedby") == page.locator(TIP).get_attribute("id")
    page.keyboard.press("Escape")
    page.locator(TIP).wait_for(state="detached")
    assert term.get_attribute("aria-describedby") is None
    page.mouse.move(2, 2)
    term.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    explained(page, "PSNR")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.evaluate(AXE)
    assert page.evaluate(BROKEN) == []  # also with the sentence on screen


def test_each_term_is_underlined_once_in_a_tab(page):
    for name in ("Atlas", "Connect", "Symmetry", "Audit", "Results"):
        open_tab(page, name)
        page.wait_for_timeout(2000)
        found = page.evaluate(f"[...{UNDERLINED}, ...{MARKED}]")
        single = [text for text in found if "-" not in text or text in glossary.TERMS]
        assert found and len(single) == len(set(single)), (name, found)


def test_a_control_is_explained_by_its_label(page):
    open_tab(page, "Connect")
    label = page.locator("[data-testid=block-info]:visible", has_text="α")
    label.wait_for()
    box = label.bounding_box()
    point_at(page, box["x"] + 10, box["y"] + box["height"] / 2)
    explained(page, "α")
    page.mouse.move(2, 2)
    page.locator(TIP).wait_for(state="detached")
    slider = page.locator("input[type=range]:visible").first
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    explained(page, "α")


def test_what_a_chart_is_drawn_with_is_explained(page):
    page.wait_for_function(f"args => ({DRAWN})(args)", arg=[".wsr-plot text", "Bᵀ ("])
    page.locator(".wsr-label:visible", has_text="Its weights").scroll_into_view_if_needed()
    point_at(page, *page.evaluate(DRAWN, [".wsr-plot text", "Bᵀ ("]))
    explained(page, "Bᵀ")


def test_a_choice_brings_up_no_sentence_and_a_tap_does(open_page):
    page = open_page(**PHONE)
    term = page.locator(MARK, has_text="PSNR").first
    term.wait_for()
    term.tap()
    explained(page, "PSNR")
    page.locator(".wsr-title").tap()
    page.locator(TIP).wait_for(state="detached")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_click_on_a_choice_is_no_question(page):
    open_tab(page, "Symmetry")
    page.locator("label:visible", has_text="LoRA").first.click()
    page.wait_for_timeout(800)
    assert not page.locator(TIP).count()
