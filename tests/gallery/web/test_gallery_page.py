"""The page in a real browser, on a gallery in memory."""

import shutil
import socket
import threading
from datetime import datetime, timezone

import pytest
import uvicorn

from tests.gallery.colourful import people, png
from tests.gallery.fake_gallery import FakeGallery
from tfreid.gallery import NewImage
from tfreid.gallery.web import create_app

playwright = pytest.importorskip("playwright.sync_api")

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
EVIL = "<img src=x onerror=document.title='taken'>"
TOKEN = "correct-horse-battery"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not CHROMIUM, reason="there is no chromium to show the page in"),
]


@pytest.fixture(scope="module")
def browser():
    playwright.expect.set_options(timeout=30_000)
    with playwright.sync_playwright() as started:
        # Containers run tests as root, whom Chromium's sandbox refuses.
        opened = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield opened
        opened.close()


@pytest.fixture
def gallery():
    made = FakeGallery()
    taken_at = datetime(2024, 5, 1, 12, tzinfo=timezone.utc)
    made.enrol(people(3), "test")
    made.enrol([NewImage("evil.png", EVIL, png(7), "cam9", taken_at)], "test")
    return made


@pytest.fixture
def address(gallery, request):
    """Of a server of the gallery, with the token that the test's parameter says."""
    app = create_app(gallery, getattr(request, "param", None), max_pictures=4)
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def page(browser, address):
    """The page, which must not complain, and nothing of it comes from elsewhere."""
    opened = browser.new_page(viewport={"width": 1200, "height": 900})
    faults, requests = [], []
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.on("console", lambda line: line.type == "error" and faults.append(line.text))
    opened.on("request", lambda request: requests.append(request.url))
    opened.goto(address)
    yield opened
    opened.close()
    # Answers of 400 and more are told there, too; those are the server's.
    assert [fault for fault in faults if not fault.startswith("Failed to load resource")] == []
    assert [url for url in requests if not url.startswith((address, "blob:", "data:"))] == []


def upload(file: bytes, name: str = "a.png") -> dict:
    return {"name": name, "mimeType": "image/png", "buffer": file}


def choose(page, *files: bytes) -> None:
    """Chooses pictures as with the button."""
    page.set_input_files("#choose", [upload(file) for file in files])


def is_loaded(page) -> None:
    """Waits until the page knows what the gallery holds."""
    playwright.expect(page.locator("#status")).to_contain_text("persons")


def shows(page, selector: str, text: str) -> None:
    playwright.expect(page.locator(selector)).to_have_text(text)


def has_searched(page, gallery, *counts: int) -> None:
    """Waits for searches with these counts of pictures, and that no further one follows."""
    for _ in range(600):
        if len(gallery.searches) >= len(counts):
            break
        page.wait_for_timeout(50)
    page.wait_for_timeout(300)
    assert [one["files"] for one in gallery.searches] == list(counts)


def tab_to(page, selector: str, most: int = 40) -> None:
    """Presses Tab until something has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", selector):
            return
    raise AssertionError(f"the keyboard does not reach {selector}")


def test_a_picture_gets_a_name_its_error_rate_and_its_matches(page):
    choose(page, png(1, 9))
    shows(page, "#who", "p1")
    rate = "about 1 in 100 strangers gets a name by mistake"
    interval = "(95% interval: 1 in 250 to 1 in 48)"
    shows(page, "#why", f"With 4 persons enrolled, {rate} {interval}.")
    rows = page.locator("#matches > li")
    playwright.expect(rows).to_have_count(11)
    playwright.expect(page.locator("#matches img[src^='blob:']")).to_have_count(10)
    distances = [float(text) for text in page.locator(".distance").all_inner_texts()]
    border = rows.all_inner_texts().index("beyond 0.050 it is nobody")
    assert max(distances[:border]) <= 0.05 <= min(distances[border:])
    assert page.locator("li.within").count() == border
    assert "cam0" in page.locator("#matches").inner_text()


def test_a_stranger_is_nobody(page):
    choose(page, png(5))
    shows(page, "#who", "Nobody we know")
    assert "13% are missed at this line." in page.locator("#why").inner_text()
    assert page.locator("#matches > li").first.inner_text() == "beyond 0.050 it is nobody"


def test_without_a_line_it_cannot_be_told(page, gallery):
    gallery._line = None
    choose(page, png(1, 9))
    shows(page, "#who", "It cannot be told")
    shows(page, "#why", "Too few persons are enrolled.")
    assert page.locator(".border").count() == 0


def test_names_are_text(page):
    choose(page, png(7))
    shows(page, "#who", EVIL)
    page.get_by_role("button", name=f"Forget {EVIL}", exact=True).click()
    shows(page, "#confirm-title", f"Forget {EVIL}?")
    assert page.title() == "Who is this?"
    assert page.locator("img[onerror]").count() == 0


def test_several_pictures_of_one_person_are_searched_for_together(page, gallery):
    choose(page, png(1), png(1, 1))
    has_searched(page, gallery, 2)
    page.set_input_files("#add", [upload(png(1, 2))])
    # A search that the next one overtakes may never reach the gallery.
    has_searched(page, gallery, 2, 3)
    page.get_by_role("button", name="Remove picture 1").click()
    has_searched(page, gallery, 2, 3, 2)


def test_filters_are_asked_for(page, gallery):
    choose(page, png(1))
    shows(page, "#who", "p1")
    page.get_by_text("Only some cameras or times").click()
    page.get_by_label("cam1").check()
    page.get_by_label("Taken since").fill("2024-05-01T10:00")
    page.get_by_label("Images to list").fill("2")
    playwright.expect(page.locator("#matches img")).to_have_count(2)
    asked = gallery.searches[-1]
    assert (asked["cameras"], asked["top"], asked["until"]) == (["cam1"], 2, None)
    assert asked["since"] == datetime(2024, 5, 1, 10).astimezone()


def test_the_keyboard_suffices_to_enrol_search_and_forget(page, gallery):
    with page.expect_file_chooser() as opened:
        tab_to(page, "#choose")
        page.keyboard.press("Enter")
    opened.value.set_files([upload(png(5)), upload(png(5, 1))])
    shows(page, "#who", "Nobody we know")
    tab_to(page, "summary:has(+ #enrol)")
    page.keyboard.press("Enter")
    tab_to(page, "[name=person]")
    page.keyboard.type('Ann / "B"')
    page.keyboard.press("Tab")
    page.keyboard.type("door")
    page.keyboard.press("Enter")
    shows(page, "#enrol-note", 'Enrolled 2 images of Ann / "B".')
    shows(page, "#who", 'Ann / "B"')
    assert ('Ann / "B"', 2) in gallery.persons()
    assert "door" in gallery.cameras()
    tab_to(page, "#matches button")
    page.keyboard.press("Enter")
    assert "will be deleted" in page.locator("#confirm-text").inner_text()
    page.keyboard.press("Enter")  # On what keeps it.
    assert ('Ann / "B"', 2) in gallery.persons()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    shows(page, "#persons-note", "Forgot 1 image.")
    assert ('Ann / "B"', 1) in gallery.persons()
    playwright.expect(page.locator("#answer-heading")).to_be_focused()


def test_a_person_can_be_saved_and_forgotten(page, gallery):
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save all that is stored on p2").click()
    assert saved.value.suggested_filename == "p2.json"
    page.get_by_label("Find").fill("P2")
    playwright.expect(page.locator("#persons > li")).to_have_count(1)
    page.get_by_role("button", name="Forget p2", exact=True).click()
    assert "p2 and 3 images" in page.locator("#confirm-text").inner_text()
    page.get_by_role("button", name="Delete for good").click()
    shows(page, "#persons-note", "Forgot 3 images.")
    assert "p2" not in dict(gallery.persons())
    playwright.expect(page.locator("#status")).to_contain_text("3 persons")


@pytest.mark.parametrize("address", [TOKEN], indirect=True)
def test_the_token_is_asked_for_once(page):
    dialog = page.locator("#token")
    page.keyboard.type("wrong")
    page.keyboard.press("Enter")
    playwright.expect(dialog.get_by_text("That was not it.")).to_be_visible()
    page.keyboard.type(TOKEN)
    page.keyboard.press("Enter")
    playwright.expect(page.locator("#status")).to_contain_text("4 persons")
    page.reload()
    choose(page, png(1))
    shows(page, "#who", "p1")
    playwright.expect(page.locator("#matches img[src^='blob:']")).to_have_count(10)
    assert not dialog.is_visible()


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_pictures_are_taken_from_other_windows(page, kind):
    script = """([kind, bytes]) => {
      const data = new DataTransfer();
      data.items.add(new File([new Uint8Array(bytes)], "a.png", {type: "image/png"}));
      const made = kind === "drop" ? new DragEvent("drop", {dataTransfer: data, bubbles: true})
        : new ClipboardEvent("paste", {clipboardData: data, bubbles: true});
      document.querySelector("footer").dispatchEvent(made);
    }"""
    is_loaded(page)
    page.evaluate(script, [kind, list(png(2))])
    shows(page, "#who", "p2")


def test_it_shows_where_the_model_looks(page):
    choose(page, png(1), png(1, 1))
    button = page.get_by_role("button", name="Where it looks")
    picture = page.get_by_alt_text("Picture 2")
    playwright.expect(picture).to_have_js_property("width", 80)
    button.click()
    shows(page, "#look-note", "It looked where the pictures glow.")
    playwright.expect(button).to_have_attribute("aria-pressed", "true")
    playwright.expect(picture).to_have_js_property("naturalWidth", 40)
    assert [picture.bounding_box()[side] for side in ("width", "height")] == [80, 160]
    button.click()
    shows(page, "#look-note", "")
    choose(page, jpeg())
    shows(page, "#who", "p1")
    button.click()
    shows(page, "#look-note", "this model cannot tell where it looks")


def jpeg() -> bytes:
    gallery = FakeGallery()
    gallery.enrol([NewImage("a", "a", png(1))], "test")
    return gallery.thumbnail(0)


def test_what_is_wrong_is_said(page):
    is_loaded(page)
    choose(page, *[png(1)] * 5)
    shows(page, "#why", "At most 4 pictures of 32 MiB together, please.")
    choose(page, b"garbage")
    shows(page, "#who", "That did not work")
    shows(page, "#why", "picture 1: no image file, expected JPEG, PNG or BMP")


def test_what_is_wrong_is_not_replaced_by_an_answer(page, gallery):
    is_loaded(page)
    held = []
    page.route("**/search", lambda route: held.append(route))
    choose(page, png(1))
    playwright.expect(page.locator("#verdict")).to_have_attribute("aria-busy", "true")
    choose(page, *[png(1)] * 5)
    held[0].continue_()
    page.wait_for_timeout(500)
    shows(page, "#why", "At most 4 pictures of 32 MiB together, please.")


def test_nothing_jumps_when_the_answer_comes(page):
    def tops() -> list[float]:
        return [page.locator(one).bounding_box()["y"] for one in ("#look", "#filters", "#matches")]

    is_loaded(page)
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    before = tops()[:2]
    choose(page, png(1), png(1, 1))
    shows(page, "#who", "p1")
    list_top = tops()[2]
    assert tops()[:2] == before
    choose(page, png(5))
    shows(page, "#who", "Nobody we know")
    assert tops() == [*before, list_top]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_it_without_scrolling_sideways(browser, address, gallery, scheme):
    gallery.enrol([NewImage("x" * 60, "a" * 60, png(1, 5))], "test")
    size = {"width": 320, "height": 640}
    context = browser.new_context(
        viewport=size, has_touch=True, is_mobile=True, color_scheme=scheme
    )
    page = context.new_page()
    page.goto(address)
    playwright.expect(page.get_by_text("Take a photo")).to_be_visible()
    choose(page, png(1, 5))
    shows(page, "#who", "a" * 60)
    playwright.expect(page.locator("#who")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth") == 320
    assert page.evaluate(CONTRAST) >= 4.5
    sizes = page.locator("button:visible:not(.strip button), .button:visible").all()
    assert min(one.bounding_box()["height"] for one in sizes) >= 44
    context.close()


# The least contrast of soft text on its card, after WCAG 2.
CONTRAST = """() => {
  const luminance = (colour) => {
    const [r, g, b] = colour.match(/[0-9.]+/g).map((value) => value / 255)
      .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const card = luminance(getComputedStyle(document.querySelector(".card")).backgroundColor);
  return Math.min(...[".soft", ".danger", "strong"].map((kind) => {
    const text = luminance(getComputedStyle(document.querySelector(kind)).color);
    return (Math.max(text, card) + 0.05) / (Math.min(text, card) + 0.05);
  }));
}"""
