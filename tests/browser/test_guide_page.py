"""What explains the page to those who see it for the first time."""

from importlib.resources import files

import pytest

from app.shell import glossary
from tests.browser.steps import TWO_FRAMES, open_tab

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text() + ";0"
BROKEN = """axe.run(document, {resultTypes: ["violations"]}).then(({violations}) =>
  violations.flatMap(({id, nodes}) => nodes.map((n) => id + n.html)))"""

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True, "device_scale_factor": 2}
TIP = "[role=tooltip]:visible"
MARK = ".wsr-term:visible"
UNDERLINED = """[...(CSS.highlights.get("wsr-terms") ?? [])].map((range) =>
  range.startContainer.data.slice(range.startOffset, range.endOffset))"""
MARKED = "[...document.querySelectorAll('.wsr-term')].filter((e) => e.checkVisibility()).map((e) => e.textContent)"
# Where a text of a chart is on the page.
DRAWN = """([selector, text]) => {
  const all = [...document.querySelectorAll(selector)].filter((one) => one.checkVisibility());
  const drawn = all.find((one) => one.textContent.startsWith(text));
  const box = drawn?.getBoundingClientRect();
  return box && [box.left + box.width / 2, box.top + box.height / 2];
}"""


def explained(page, term):
    """Waits for the sentence of a term."""
    said = (glossary.NAMES | glossary.MATRICES | glossary.TERMS)[term]
    page.locator(TIP, has_text=said).wait_for()


def point_at(page, x, y):
    page.mouse.move(x - 30, y + 40)
    page.mouse.move(x, y, steps=3)


@pytest.mark.kept
def test_a_term_in_text_is_explained_by_pointer_and_keyboard(page):
    term = page.locator(MARK, has_text="weight space").first
    term.wait_for()
    term.hover()
    explained(page, "weight space")
    assert term.get_attribute("aria-describedby") == page.locator(TIP).get_attribute("id")
    page.keyboard.press("Escape")
    page.locator(TIP).wait_for(state="detached")
    assert term.get_attribute("aria-describedby") is None
    page.mouse.move(2, 2)
    term.focus()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Tab")
    explained(page, "weight space")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.evaluate(AXE)
    assert page.evaluate(BROKEN) == []  # also with the sentence on screen


@pytest.mark.kept
def test_each_term_is_underlined_once_in_a_tab(page):
    for name in ("Atlas", "Connect", "Symmetry", "Audit", "Results"):
        open_tab(page, name)
        page.wait_for_function(f"[...{UNDERLINED}, ...{MARKED}].length")  # a busy server takes a while
        page.wait_for_timeout(2000)
        found = page.evaluate(f"[...{UNDERLINED}, ...{MARKED}]")
        single = [text for text in found if "-" not in text or text in glossary.TERMS]
        assert found and len(single) == len(set(single)), (name, found)


@pytest.mark.kept
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
    page.keyboard.press("ArrowRight")  # it lay over what the slider changes
    page.locator(TIP).wait_for(state="detached")


@pytest.mark.kept
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
    page.locator("h1").tap()
    page.locator(TIP).wait_for(state="detached")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.kept
def test_a_click_on_a_choice_is_no_question(page):
    open_tab(page, "Symmetry")
    page.locator("label:visible", has_text="LoRA").first.click()
    page.wait_for_timeout(800)
    assert not page.locator(TIP).count()


WHAT = "#wsr-what"
SAID = "#wsr-tour .wsr-said"


@pytest.mark.kept
def test_what_is_seen_is_said_of_the_tab_on_screen(page):
    button = page.get_by_role("button", name="What am I looking at?")
    for name, said in (("Atlas", "Nobody said what anything is"), ("Results", "These are the paper's claims")):
        open_tab(page, name)
        button.click()
        page.locator(f"{WHAT} section:visible", has_text=said).wait_for()
        assert page.locator(f"{WHAT} section:visible").count() == 1
        assert page.locator(f"{WHAT} a[href='read/README.md']").is_visible()
        if name == "Results":
            page.evaluate(AXE)
            assert page.evaluate(BROKEN) == []
        page.keyboard.press("Escape")
        page.locator(WHAT).wait_for(state="hidden")
    assert button.evaluate("e => e === document.activeElement")


def test_the_tour_is_offered_once_never_in_the_way_and_can_be_left(page):
    offer = page.locator(".wsr-tools [data-tool=tour]")
    offer.click()
    page.locator(SAID, has_text="A small neural network draws it").wait_for()
    page.evaluate(AXE)
    assert page.evaluate(BROKEN) == []
    for said in ("the picture: no pixel is stored", "Now the picture is a dot", "placed by their weights alone"):
        page.get_by_role("button", name="Next").click()
        page.locator(SAID, has_text=said).wait_for()
    page.get_by_role("button", name="To the map").click()
    page.locator("#wsr-tour").wait_for(state="hidden")
    told = page.evaluate("fetch('wsr/tour.json').then((answer) => answer.json())")
    assert set(told["link"].split("&")) <= set(page.evaluate("location.search.slice(1)").split("&"))
    page.locator(".wsr-facts:visible", has_text=told["label"]).wait_for()  # on its own map, where it lies
    assert not offer.is_visible()
    what = page.get_by_role("button", name="What am I looking at?")
    assert what.evaluate("one => one === document.activeElement"), "the button that was pressed is gone"
    page.reload()
    page.locator(".wsr-pictures button").first.wait_for()
    assert not offer.is_visible()
    page.get_by_role("button", name="What am I looking at?").click()
    page.locator(f"{WHAT} [data-tool=tour-again]").click()
    page.locator(SAID, has_text="A small neural network draws it").wait_for()
    page.keyboard.press("Escape")
    page.locator("#wsr-tour").wait_for(state="hidden")


def test_the_tour_has_no_steps_before_its_pictures_are_there(page):
    """In an earlier version, whoever pressed Next at once met a silent error, and missed the first pictures."""
    held, following = [], page.locator("#wsr-tour [data-go=next]")
    page.route("**/wsr/tour.json", lambda route: held.append(route))
    with page.expect_request("**/wsr/tour.json"):
        page.locator(".wsr-tools [data-tool=tour]").click()
    page.locator(SAID, has_text="One moment").wait_for()
    assert following.is_disabled() and page.locator("#wsr-tour [data-go=back]").is_disabled()
    assert page.locator("#wsr-tour [data-go=skip]").evaluate("one => one === document.activeElement")
    held[0].continue_()
    page.locator(SAID, has_text="A small neural network draws it").wait_for()
    assert following.is_enabled() and following.evaluate("one => one === document.activeElement")
    page.keyboard.press("Escape")


def test_a_button_of_the_tour_that_goes_leaves_the_keyboard_to_the_next(page):
    """In an earlier version, whoever went back to the first step by keyboard had nothing to press any more."""
    page.locator(".wsr-tools [data-tool=what]").click()
    page.locator(f"{WHAT} [data-tool=tour-again]").click()
    page.locator(SAID, has_text="A small neural network draws it").wait_for()
    page.keyboard.press("Enter")
    page.locator(SAID, has_text="no pixel is stored").wait_for()
    page.locator("#wsr-tour [data-go=back]").focus()
    page.keyboard.press("Enter")
    page.locator(SAID, has_text="A small neural network draws it").wait_for()
    page.evaluate(TWO_FRAMES)
    for said in ("no pixel is stored", "Now the picture is a dot", "placed by their weights alone"):
        page.keyboard.press("Enter")
        page.locator(SAID, has_text=said).wait_for()
    page.keyboard.press("Escape")


def test_who_asks_for_less_motion_gets_steps_that_wait(page):
    page.emulate_media(reduced_motion="reduce")
    try:
        page.locator(".wsr-tools [data-tool=tour]").click()
        page.locator(SAID, has_text="A small neural network draws it").wait_for()
        page.wait_for_timeout(8500)  # longer than a step takes by itself
        page.locator(SAID, has_text="A small neural network draws it").wait_for()
        page.keyboard.press("Escape")
    finally:
        page.emulate_media(reduced_motion="no-preference")


def test_nothing_is_offered_to_who_follows_a_link_and_a_link_is_copied_whole(open_page):
    page = open_page(link="?tab=connect&data=shapes10&alpha=0.25")
    page.locator(".wsr-six figure img:visible").first.wait_for()
    assert not page.locator(".wsr-tools [data-tool=tour]").is_visible()
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_function("window.wsrCopied")
    copied = page.evaluate("window.wsrCopied")
    assert copied == page.evaluate("location.href")
    for part in ("tab=connect", "data=shapes10", "target=", "alpha=0.25", "aligned=false", "init="):
        assert part in copied
    page.get_by_role("button", name="Reset tab").click()
    page.wait_for_function("!location.search.includes('alpha=0.25')")
    page.locator("[role=tab][aria-selected=true]:has-text('Connect')").wait_for()
    page.wait_for_function("document.querySelector('input[type=range]')?.value === '0.5'")


@pytest.mark.kept
def test_a_plain_page_is_copied_with_all_that_it_shows(page):
    item = page.locator(".wsr-facts b").inner_text()
    page.get_by_role("button", name="Copy link").click()
    page.wait_for_function("window.wsrCopied")
    assert all(part in page.evaluate("window.wsrCopied") for part in ("?tab=atlas", "data=", "kind=", f"pick={item}"))


def test_the_page_around_a_space_s_frame_is_told_the_address(browsers, address):
    """A Space is a frame in another page, whose address is the one that visitors see."""
    # a page on another site may not open one of this machine, unless it is told so
    browser = browsers("--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests")
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    around = f"""<script>addEventListener("message", ({{data, origin}}) => window.got = {{...data, origin}})</script>
      <iframe src="{address}?__sign=secret&tab=audit" width="1400" height="800"></iframe>"""
    context.route("https://huggingface.co/**", lambda route: route.fulfill(body=around, content_type="text/html"))
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto("https://huggingface.co/spaces/some/body")
    frame = page.frame_locator("iframe")
    page.wait_for_function("window.got?.queryString?.includes('tab=audit')")  # a click before that yields to the link
    frame.get_by_role("tab", name="Results").click()
    page.wait_for_function("window.got?.queryString?.includes('tab=results')")
    got = page.evaluate("window.got")
    assert got["hash"] == "" and "secret" not in got["queryString"] and got["origin"] == address.rstrip("/")
    page.context.close()


STRIP = "#wsr-lesson"
LOW = """[...document.querySelectorAll('#wsr-lesson :is(a, button)')].filter((one) =>
  one.getBoundingClientRect().height < 24).map((one) => one.textContent)"""


def test_a_finger_hits_what_leads_through_a_lesson(open_page):
    """In an earlier version, the links Back, Next and All lessons were 20 pixels high."""
    page = open_page(link="?lesson=copies&step=2", **PHONE)
    page.locator(STRIP).get_by_role("link", name="Next").wait_for()
    assert page.evaluate(LOW) == []


def test_a_lesson_asks_answers_and_remembers(open_page):
    page = open_page(link="?lesson=copies&step=1")
    strip = page.locator(STRIP)
    strip.get_by_text("whether it is a copy?").wait_for()
    page.locator("[role=tab][aria-selected=true]:has-text('Generate')").wait_for()
    answer = strip.locator(".wsr-answer")
    assert answer.inner_text() == "" and not strip.locator(".wsr-right").count()
    strip.get_by_role("button", name="Yes, copies look better").click()
    assert answer.inner_text().startswith("Not quite.") and strip.locator(".wsr-right").count() == 1
    page.evaluate(AXE)
    assert [said for said in page.evaluate(BROKEN) if "wsr-lesson" in said or "wsr-title" in said] == []
    open_tab(page, "Audit")
    page.wait_for_function("location.search.includes('tab=audit') && location.search.includes('lesson=copies')")
    page.reload()
    page.locator(f"{STRIP} .wsr-answer", has_text="A copy of a good chair").wait_for()  # what was answered is kept here
    assert strip.get_by_role("link", name="Next").get_attribute("href").endswith("lesson=copies&step=2")
    page.locator("[role=tab][aria-selected=true]:has-text('Audit')").wait_for()
    strip.get_by_role("button", name="Leave").click()
    assert not strip.count() and "lesson" not in page.evaluate("location.search")
    assert not page.locator(".wsr-note:visible").count()
    page.evaluate("location.assign('lessons')")
    page.locator("[data-lesson=copies]", has_text="1 of 5 answered here").wait_for()
    page.evaluate(AXE)
    assert page.evaluate(BROKEN) == []
