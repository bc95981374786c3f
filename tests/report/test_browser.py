"""The committed page in a real browser: at rest, narrow, dark, printed, and for all."""

import base64
import os
from pathlib import Path

import pytest

from tests.report.chromium import BINARY, Chromium

PAGE = Path(__file__).resolve().parents[2] / "results" / "report" / "index.html"
AXE = os.environ.get("AXE_CORE")
"""Path of axe.min.js, from npm's axe-core."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BINARY is None, reason="no chromium on this machine"),
]


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    found = Chromium(tmp_path_factory.mktemp("chromium"))
    yield found
    found.close()


@pytest.fixture
def page(browser):
    """The page as a desktop with a light theme shows it."""
    browser.prefer("light")
    browser.resize(1280, 900)
    browser.open(PAGE.as_uri())
    return browser


def _of(page, method):
    return [e["params"] for e in page.events if e.get("method") == method]


def test_it_says_nothing_to_the_console_and_asks_for_nothing(page):
    page.run("new Promise(done => setTimeout(done, 500))")
    assert not _of(page, "Runtime.exceptionThrown")
    assert not _of(page, "Runtime.consoleAPICalled")
    assert not _of(page, "Log.entryAdded")
    asked = [one["request"]["url"] for one in _of(page, "Network.requestWillBeSent")]
    assert [url for url in asked if not url.startswith("data:")] == [PAGE.as_uri()]


def test_a_request_and_an_error_would_be_seen(browser, tmp_path):
    """What the test above looks for is there, on a page that has it."""
    (tmp_path / "bad.html").write_text("<img src=no.png><script>console.error(1)</script>")
    browser.open((tmp_path / "bad.html").as_uri())
    asked = [one["request"]["url"] for one in _of(browser, "Network.requestWillBeSent")]
    assert len(asked) == 2
    assert _of(browser, "Runtime.consoleAPICalled")
    assert _of(browser, "Log.entryAdded")


@pytest.mark.parametrize("width", [320, 360, 414, 768, 1280])
def test_it_fits(page, width):
    page.resize(width, 800)
    assert page.run("document.documentElement.scrollWidth") <= width
    wide = (
        "[...document.querySelectorAll('main *:not(.paper *):not(.hidden)')]"
        f".filter(e => e.getBoundingClientRect().right > {width} + 1)"
        ".map(e => e.outerHTML.slice(0, 80))"
    )
    assert page.run(wide) == []


def test_letters_of_figures_are_legible_on_a_phone(page):
    """The smallest is at least 5 px high there: half of a newspaper's, as on paper."""
    page.resize(360, 800)
    sizes = page.run(
        "[...document.querySelectorAll('.paper svg')].map(s => "
        "s.getBoundingClientRect().width / s.viewBox.baseVal.width * 8)"
    )
    assert len(sizes) > 50
    assert min(sizes) >= 5


def test_figures_use_the_letters_that_the_page_brings(page):
    found = "document.fonts.ready.then(all => [...all].map(f => [f.family, f.status]))"
    ((family, status),) = page.run(found)
    assert (family.strip('"'), status) == ("DejaVu Sans", "loaded")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_paper_is_light_and_text_is_told_from_its_ground(page, scheme):
    page.prefer(scheme)
    ground, ink, paper = page.run(
        "[[document.body, 'backgroundColor'], [document.body, 'color'],"
        "[document.querySelector('.paper'), 'backgroundColor']]"
        ".map(([e, k]) => getComputedStyle(e)[k].match(/\\d+/g).slice(0, 3)"
        ".reduce((a, b) => +a + +b, 0) / 765)"
    )
    assert (ground < 0.5) == (scheme == "dark")
    assert abs(ground - ink) > 0.6
    assert paper > 0.9


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_no_violation_that_axe_knows(page, scheme, width):
    if AXE is None:
        pytest.skip("AXE_CORE does not say where axe.min.js is")
    page.prefer(scheme)
    page.resize(width, 900)
    page.run("document.querySelectorAll('details').forEach(d => d.open = true)")
    page.run(Path(AXE).read_text())
    found = page.run(
        "axe.run(document).then(r => [r.passes.length, r.violations.map("
        "v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.html.slice(0, 120)).join(' | "
        "'))])"
    )
    assert found[1] == []
    assert found[0] > 20, "axe has looked"


def test_no_figure_is_split_in_print(page):
    """A4 within its margins: 178 by 265 mm."""
    page.prefer("light", "print")
    page.resize(round(178 / 25.4 * 96), 1000)
    heights = page.run(
        "[...document.querySelectorAll('figure')].map(f => ["
        "f.getBoundingClientRect().height, getComputedStyle(f).breakInside])"
    )
    assert max(height for height, _ in heights) < 265 / 25.4 * 96
    assert {style for _, style in heights} == {"avoid"}
    assert page.run("document.documentElement.scrollWidth") <= 673


def test_it_prints(page):
    printed = page.call("Page.printToPDF", preferCSSPageSize=True)["data"]
    assert base64.b64decode(printed).startswith(b"%PDF")


def test_the_skip_link_is_first_and_leads_to_the_sweeps(page):
    page.call("Input.dispatchKeyEvent", type="keyDown", key="Tab", windowsVirtualKeyCode=9)
    assert page.run("document.activeElement.className") == "skip"
    assert page.run("document.activeElement.getBoundingClientRect().left") >= 0
    page.run("document.activeElement.click()")
    assert page.run("document.activeElement.id") == "main"
