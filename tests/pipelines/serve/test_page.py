"""The page in a browser: typing, comparing, linking, and other people's words."""

import os
import re
import shutil
from pathlib import Path
from urllib.parse import quote

import pytest

from sentiment_lstm.explain import Explainer

playwright = pytest.importorskip(
    "playwright.sync_api", reason="a browser is driven with pip install playwright"
)

PLACES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PAYLOADS = (Path(__file__).parent / "payloads.txt").read_text("utf-8").splitlines()
TEXT = "The film was not very good, the zebra was bad!"


@pytest.fixture(scope="module")
def browser():
    """Yield a headless Chromium."""
    places = [os.environ.get("CHROMIUM"), *map(shutil.which, PLACES)]
    found = next(filter(None, places), None)
    if found is None:
        pytest.skip("no Chromium: install one, or set CHROMIUM to its path")
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield opened
        opened.close()


class Seen:
    """What must not happen in a page, and where it asked for things."""

    def __init__(self, page):
        self.faults, self.asked = [], set()
        page.on("dialog", lambda dialog: (self.faults.append(dialog.message), dialog.dismiss()))
        page.on("pageerror", lambda error: self.faults.append(str(error)))
        page.on("console", lambda m: self.faults.append(m.text) if m.type == "error" else None)
        page.on("request", lambda request: self.asked.add(request.url))
        page.on("popup", lambda popup: self.faults.append("a popup"))


@pytest.fixture
def page(browser, server):
    """Yield an open page; nothing may have gone wrong in it, nor been asked of anyone else."""
    opened = browser.new_page()
    opened.set_default_timeout(60_000)
    seen = Seen(opened)
    opened.goto(server.address)
    yield opened
    opened.close()
    assert seen.faults == []
    assert all(url.startswith((server.address, "data:")) for url in seen.asked), seen.asked


def typed(page, text, number=0):
    """Fill a text in, and wait until it is answered."""
    panel = page.locator(".panel").nth(number)
    with page.expect_response("**/v1/explain") as answered:
        panel.locator("textarea").fill(text)
    assert answered.value.status == 200
    panel.locator(".found").wait_for()
    page.wait_for_function("() => document.querySelectorAll('[aria-busy]').length === 0")
    return answered.value.json()


def test_it_begins_with_what_to_do(page):
    assert "Type or paste a text" in page.locator(".verdict").inner_text()
    assert not page.locator(".found").is_visible()
    assert page.locator("#model").inner_text().startswith("The model films: an LSTM of 3 units")


def test_typing_shows_the_verdict_and_its_reasons(page, bundle):
    page.locator("textarea").press_sequentially(TEXT, delay=5)
    expected = Explainer.load(bundle).explain(TEXT)
    words = page.locator(".word")
    page.wait_for_function(
        f"() => document.querySelectorAll('.word').length === {len(expected.tokens)}"
    )
    assert page.locator(".big").inner_text() == expected.prediction.label
    assert page.locator(".number").inner_text() == f"{expected.probability:.4f}"
    assert page.locator(".words").inner_text() == TEXT
    for t, share in enumerate(expected.shares):
        side = "plus" if share >= 0 else "minus"
        assert side in words.nth(t).get_attribute("class").split()
        sign = "−" if share < 0 else "+"  # noqa: RUF001 - a minus sign, as the page writes it
        assert f"share {sign}{abs(share):.2f}" in words.nth(t).get_attribute("aria-label")
    assert page.locator(".word.unknown").all_inner_texts() == ["zebra"]
    cells = page.locator("tbody tr").nth(3).locator("td").all_inner_texts()
    gates = [d.mean[gate][3] for d in expected.gates for gate in "ifogch"]
    assert [float(cell.replace("−", "-")) for cell in cells] == pytest.approx(gates, abs=0.0051)  # noqa: RUF001
    assert page.locator("polyline").count() == 1
    ends = page.locator("svg text").all_text_contents()[-2:]
    assert ends == ["nothing read", f"{len(expected.tokens)} words read"]


def test_a_word_is_explained_at_the_pointer_and_at_the_focus(page):
    found = typed(page, TEXT)
    page.locator(".word").nth(4).hover()
    told = page.locator(".plain").inner_text()
    assert told.startswith("“very”, word 5 of 12")
    page.locator(".word").nth(0).focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    told = page.locator(".plain").inner_text()
    assert told.startswith("“was”, word 3 of 12")
    assert f"(i {found['gates']['forward']['mean']['i'][2]:.2f})" in told
    assert page.locator(".word[aria-selected=true]").all_inner_texts() == ["was"]
    page.set_viewport_size({"width": 500, "height": 500})  # as when a keyboard opens on a phone
    page.wait_for_function("() => document.querySelector('svg').viewBox.baseVal.width < 520")
    assert page.locator(".plain").inner_text() == told
    assert page.evaluate("document.activeElement.textContent") == "was"
    page.keyboard.press("End")
    assert page.locator(".word[aria-selected=true]").all_inner_texts() == ["!"]
    assert page.locator("tr.here th").all_inner_texts() == ["!"]
    assert (
        page.evaluate(
            "[...document.querySelectorAll('.word')].filter(w => w.tabIndex === 0).length"
        )
        == 1
    )


def test_everything_is_reached_by_the_keyboard_in_order(page):
    typed(page, "good film")
    page.reload()  # which begins at the top; the text comes from the link
    page.locator(".found").wait_for()
    reached = []
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.append(
            page.evaluate(
                "document.activeElement.textContent || document.activeElement.tagName"
            ).strip()[:12]
        )
    assert reached[:9] == [
        "To the text", "praise", "a turn", "a denial", "one word", "Compare two ", "Copy link",
        "TEXTAREA", "good",
    ]  # fmt: skip


def test_every_control_has_a_name_and_verdicts_are_announced(page):
    page.get_by_role("button", name="Compare two texts").click()
    for name in ("First text", "Second text"):
        assert page.get_by_label(name, exact=True).count() == 1
    assert page.locator(".verdict[aria-live=polite]").count() == 2
    typed(page, "good")
    assert page.get_by_role("listbox", name="Words").count() >= 1
    assert page.get_by_role("img", name=re.compile("^From 0")).count() >= 1


def test_two_texts_stand_side_by_side(page):
    typed(page, "the film was good")
    page.get_by_role("button", name="Compare two texts").click()
    page.locator(".panel").nth(1).locator(".found").wait_for()
    assert page.locator("textarea").nth(1).input_value() == "the film was good"
    assert page.locator("td.moved").count() == 0
    first = float(page.locator(".number").nth(0).inner_text())
    second = typed(page, "the film was bad", 1)
    page.wait_for_function("() => document.querySelectorAll('.word.new').length === 2")
    assert page.locator(".word.new").all_inner_texts() == ["good", "bad"]
    told = page.locator("#difference").inner_text()
    assert told.startswith(
        f"The probability of positive goes from {first:.4f} to {second['probability']:.4f}."
    )
    assert page.locator("td.moved").count() > 0
    assert page.locator("tbody tr").nth(3).locator("td.moved").count() == 0  # another word
    page.get_by_role("button", name="Compare two texts").click()
    assert page.locator(".panel").count() == 1
    assert not page.locator("#difference").is_visible()


def test_a_link_carries_the_texts(page, browser, server):
    text, other = "a film & 100% «good»? +1 #é", "line one\nline two = bad"
    typed(page, text)
    page.get_by_role("button", name="Compare two texts").click()
    typed(page, other, 1)
    address = page.evaluate("location.href")
    assert address == f"{server.address}#text={quote(text, safe='')}&with={quote(other, safe='')}"
    again = browser.new_page()
    again.goto(address)
    again.locator(".found").nth(1).wait_for()
    assert [again.locator("textarea").nth(n).input_value() for n in (0, 1)] == [text, other]
    assert again.locator(".number").all_inner_texts() == page.locator(".number").all_inner_texts()
    again.close()


def test_an_example_is_taken(page):
    page.get_by_role("button", name="one word").click()
    page.locator(".panel").nth(1).locator(".found").wait_for()
    assert page.locator("textarea").count() == 2
    assert "#text=" in page.evaluate("location.href")


def test_a_text_taken_away_takes_its_verdict_along(page):
    typed(page, "good")
    page.locator("textarea").fill("")
    page.locator(".found").wait_for(state="hidden")
    assert "Type or paste" in page.locator(".verdict").inner_text()
    assert page.evaluate("location.hash") == ""


def test_a_refusal_is_told(browser, start, bundle):
    with start(bundle, "--max-characters", "10") as server:
        page = browser.new_page()
        page.goto(server.address)
        page.locator("textarea").fill("good " * 10)
        page.locator(".failed").wait_for()
        told = page.locator(".verdict").inner_text()
        assert "50 characters: give 10 at most" in told
        page.close()


def test_a_model_that_is_unsure_says_so(browser, start, make_bundle):
    model = make_bundle("torn", abstain=0.4)
    (text, found), *_ = (
        (text, found)
        for text in (TEXT, "good", "bad", "the film was", "not very good", "!")
        if (found := Explainer.load(model).explain(text)).prediction.unsure
    )
    with start(model) as server:
        page = browser.new_page()
        page.goto(server.address)
        page.locator("textarea").fill(text)
        page.locator(".found").wait_for()
        assert page.locator(".big").inner_text() == "unsure"
        assert page.locator(".number").inner_text() == f"{found.probability:.4f}"
        told = page.locator(".said").inner_text()
        assert told.endswith("of positive, too near to another verdict to decide.")
        page.close()


def test_a_service_that_is_gone_is_told(browser, start, bundle):
    with start(bundle) as server:
        page = browser.new_page()
        page.goto(server.address)
        server.process.terminate()
        server.process.wait(60)
        page.locator("textarea").fill("good")
        page.locator(".failed").wait_for()
        assert "Is it still running?" in page.locator(".verdict").inner_text()
        page.close()


@pytest.mark.parametrize(("width", "height"), [(360, 740), (1280, 800)])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_is_wider_than_the_window(page, width, height, scheme):
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)
    page.get_by_role("button", name="Compare two texts").click()
    typed(page, "supercalifragilistic" * 12 + " " + TEXT * 3)
    typed(page, TEXT, 1)
    page.locator(".word").nth(1).focus()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    ground, ink = page.evaluate(
        "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.body).color]"
    )
    light = [sum(map(int, re.findall(r"\d+", colour))) for colour in (ground, ink)]
    assert (light[0] > light[1]) == (scheme == "light")


def test_there_are_fifty_payloads():
    assert len(set(PAYLOADS)) >= 50


def test_other_peoples_words_are_shown_and_never_run(page):
    page.evaluate("window.harmed = 0")
    for payload in PAYLOADS:
        found = typed(page, payload)
        assert page.locator("textarea").input_value() == payload
        if found["tokens"]:
            assert page.locator(".words").inner_text().split() == payload.split(), payload
        page.locator(".word").first.hover()
        assert page.evaluate("window.harmed") == 0, payload
    inside = "#panels :is(script, img, iframe, object, embed, a, form, input, video, style, link)"
    assert page.locator(inside).count() == 0


def test_nor_do_they_run_from_a_link(page, server):
    for payload in PAYLOADS:
        page.goto("about:blank")
        page.goto(f"{server.address}#text={quote(payload, safe='')}&with={quote(payload, safe='')}")
        page.locator(".found").nth(1).wait_for()
        assert page.locator("textarea").nth(1).input_value() == payload
        assert page.evaluate("window.harmed === undefined"), payload
