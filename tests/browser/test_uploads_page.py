"""Boxes for files, in a browser: what is refused leaves no trace in them."""

import shutil

import pytest
from PIL import Image

from tests.browser.steps import unfold
from tests.imports import layouts

# Whether a press on the middle and on the upper right corner of the box opens it.
OPEN = """(box) => {
  const {left, right, top, bottom} = box.getBoundingClientRect();
  return [[(left + right) / 2, (top + bottom) / 2], [right - 20, top + 15]].every(
    ([x, y]) => document.elementFromPoint(x, y)?.closest("button") === box);
}"""


@pytest.mark.parametrize(("tab", "title", "label"), [
    ("Atlas", "Your own weights", "A zoo of yours"), ("Audit", "Audit your own samples", "Samples of a generator"),
])  # fmt: skip
def test_a_box_takes_the_next_file_after_one_of_a_refused_type(keep_page, tmp_path, tab, title, label):
    """In an earlier version, gradio's sign "Error" stayed over the box, and its cross could not be reached."""
    page = keep_page()
    for name in ("notes.txt", "notes.zip"):
        (tmp_path / name).write_text("hello")
    page.get_by_role("tab", name=tab).click()
    unfold(page, title)
    block = page.locator(".block:visible", has_text=label).last
    block.scroll_into_view_if_needed()

    def refused():
        block.locator("input[type=file]").set_input_files(tmp_path / "notes.txt")
        message = page.locator(".toast-body", has_text="Invalid file type: notes.txt").first
        message.wait_for()
        message.locator(".toast-close").click()
        page.wait_for_function("!document.querySelector('.toast-body')")
        box = block.locator("button.upload-container")
        assert not block.get_by_text("Error").is_visible() and box.evaluate(OPEN)

    refused()
    block.locator("input[type=file]").set_input_files(tmp_path / "notes.zip")
    page.wait_for_timeout(500)
    block = page.locator(".block:visible", has_text=label).last
    block.get_by_label("Clear").locator("visible=true").click()
    refused()


def test_what_came_of_a_file_is_said_where_it_is_seen_on_a_phone(open_page, tmp_path):
    """The line stands above the box, out of sight: the box emptied itself, and nothing else happened."""
    page = open_page(link="?tab=fit", viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    (tmp_path / "text.png").write_text("no picture")
    Image.new("RGB", (36, 64), "teal").save(tmp_path / "portrait.png")
    for name, said in (("text.png", "holds no picture"), ("portrait.png", "Portrait is chosen")):
        box = page.locator(".block:visible", has_text="Your own file").last
        box.scroll_into_view_if_needed()
        page.evaluate("box => scrollTo(0, scrollY + box.getBoundingClientRect().top)", box.element_handle())
        box.locator("input[type=file]").set_input_files(tmp_path / name)
        line = page.locator(".wsr-state:visible", has_text=said)
        line.wait_for()
        page.wait_for_function(
            "e => e.getBoundingClientRect().top >= 0 && e.getBoundingClientRect().bottom <= innerHeight",
            arg=line.element_handle(),
        )


def test_pictures_on_the_map_are_those_of_the_zoo_that_was_brought_last(open_page, tmp_path):
    """Where what was picked and its neighbours were in both zoos, the pictures of the one before stayed on the map."""
    page = open_page()
    layouts.dwsnets(tmp_path / "theirs", 12)
    unfold(page, "Your own weights")
    sheets = []
    for name in ("one", "two"):
        path = shutil.make_archive(str(tmp_path / name), "zip", tmp_path / "theirs")
        page.locator(".block:visible", has_text="A zoo of yours").last.locator("input[type=file]").set_input_files(path)
        page.wait_for_function(
            """([name, before]) => {
              const chosen = document.querySelector(".wsr-map input[type=radio]:checked")?.closest("label").textContent;
              const seen = [...document.querySelectorAll(".wsr-seen")].map((one) => one.style.backgroundImage);
              return chosen?.includes(name) && seen.length === 12 && new Set(seen).size === 1 && seen[0] !== before;
            }""",
            arg=[f"Yours: {name}", sheets[-1] if sheets else ""],
        )
        sheets.append(page.locator(".wsr-seen").first.evaluate("one => one.style.backgroundImage"))
