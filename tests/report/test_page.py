"""The page and its Markdown from facts that are made up, some of them hostile."""

import base64
import dataclasses
import gzip
import re
from html.parser import HTMLParser
from itertools import pairwise

import pytest

from analysis.report.facts import Comparison, Missing, Shown, Sweep, names, settings, told
from analysis.report.page import html, markdown, marked
from analysis.report.svg import Drawing

HOSTILE = "<script>alert(1)</script> \x1b[2J\u202e \"'`|_ {{ 7 * 7 }} </style>"
BODY = '<path d="m0 0h9" style="fill:none"/><text style="fill:#000" x="1">χ₁ ≥ 1</text>'


def _sweep(name="alpha", **changes):
    small = Shown(
        "one", "A caption.", "3 seeds", "Plot.", Drawing(BODY, (0, 0, 90, 60)), b"a\n"
    )
    big = dataclasses.replace(small, name="two", csv=b"1,2,3\n" * 9000)
    gone = Missing("three", "Another caption.", "its table has schema 0")
    sweep = Sweep(
        name=name,
        question="Is it so?",
        told=("Expected: no.",),
        cost="Cost: little.",
        answer="It is, by 3 %.",
        comparison=Comparison("A law.", "4 %."),
        claims=(("It is told.", "yes, but", "3 of 4"),),
        figures=(small, big, gone),
        absent=(("four", "no drift"),),
        provenance=(("commit", "abc"),),
        settings=(("seeds", "3"),),
        commands=("python -m sweeps.alpha", "python -m analysis.alpha"),
    )
    return dataclasses.replace(sweep, **changes)


class Reader(HTMLParser):
    """Elements with their attributes, and what is not closed in order."""

    def __init__(self):
        super().__init__()
        self.found, self.open, self.text = [], [], ""

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))
        if tag not in ("meta", "link", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def named(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def _read(text):
    reader = Reader()
    reader.feed(text)
    assert reader.open == []
    return reader


@pytest.fixture(scope="module")
def page():
    return html([_sweep(), _sweep("beta")])


def test_every_part_is_there(page):
    text = _read(page).text
    for words in (
        "Is it so?",
        "It is, by 3 %.",
        "A law.",
        "4 %.",
        "python -m sweeps.alpha",
    ):
        assert text.count(words) >= 2
    for words in (
        "A caption.",
        "3 seeds",
        "Expected: no.",
        "commit",
        "no drift",
        "Figure 6.",
    ):
        assert words in text
    assert "Missing: its table has schema 0" in text
    assert text.count("incomplete") == 2


def test_it_needs_nothing_else(page):
    read = _read(page)
    links = [a[key] for _, a in read.found for key in ("href", "src") if key in a]
    assert all(link.startswith(("#", "data:")) for link in links)
    assert not read.named("script")
    assert "@import" not in page
    assert set(re.findall(r"url\(([a-z#]+)", page)) <= {"data", "#"}


def test_identifiers_are_one_of_a_kind_and_labels_lead_to_one(page):
    read = _read(page)
    ids = [a["id"] for _, a in read.found if "id" in a]
    assert len(ids) == len(set(ids))
    for _, attributes in read.found:
        for key in ("aria-labelledby", "href"):
            target = attributes.get(key, "#main").removeprefix("#")
            assert target.startswith("data:") or target in ids


def test_headings_and_landmarks_are_in_order(page):
    tags = [tag for tag, _ in _read(page).found]
    levels = [int(tag[1]) for tag in tags if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert max(b - a for a, b in pairwise(levels)) <= 1
    assert [tags.count(t) for t in ("header", "nav", "main", "footer")] == [1, 1, 1, 1]
    assert tags.index("a") < tags.index("header"), "the skip link is first"


def test_drawings_have_words_for_those_who_do_not_see_them(page):
    drawings = _read(page).named("svg")
    assert len(drawings) == 4
    assert all(a["role"] == "img" and a["aria-label"] for a in drawings)


def test_rows_are_in_the_page(page):
    files = [a for a in _read(page).named("a") if "download" in a]
    small, big = files[:2]
    assert base64.b64decode(small["href"].partition("base64,")[2]) == b"a\n"
    assert small["download"] == "alpha-one.csv"
    packed = base64.b64decode(big["href"].partition("base64,")[2])
    assert gzip.decompress(packed) == b"1,2,3\n" * 9000
    assert big["download"] == "alpha-two.csv.gz"


def test_styles_are_said_once(page):
    assert page.count("fill:none}") == 1
    assert " style=" not in page


def test_claims_are_a_table(page):
    read = _read(page)
    assert len(read.named("th")) == 2 * (3 + 1) and len(read.named("td")) == 2 * 2
    assert "| It is told. | yes, but | 3 of 4 |" in markdown([_sweep()])
    without = html([_sweep(claims=())])
    assert "<table" not in without and "What is told" not in without


HOLES = ("question", "answer", "cost")


def _hostile():
    figure = dataclasses.replace(
        _sweep().figures[0], caption=HOSTILE, note=HOSTILE, alt=HOSTILE
    )
    gone = Missing("three", HOSTILE, HOSTILE)
    return _sweep(
        **dict.fromkeys(HOLES, HOSTILE),
        told=(HOSTILE,),
        comparison=Comparison(HOSTILE, HOSTILE),
        claims=((HOSTILE, HOSTILE, HOSTILE),),
        figures=(figure, gone),
        absent=((HOSTILE, HOSTILE),),
        provenance=((HOSTILE, HOSTILE),),
        settings=((HOSTILE, HOSTILE),),
        commands=(HOSTILE,),
        problems=(HOSTILE,),
    )


def test_text_of_tables_is_text():
    page = html([_hostile()])
    read = _read(page)
    assert not read.named("script")
    assert read.text.count("<script>alert(1)</script>") >= 19
    assert "{{ 7 * 7 }}" in read.text
    assert not re.search("[\x1b\u202e]", page)
    assert page.count("</style>") == 1


def test_text_of_tables_is_text_in_markdown():
    text = markdown([_hostile()])
    assert not re.search("[\x1b\u202e]", text)
    # Within a code span nothing stands for anything; elsewhere all is escaped.
    for line in re.sub("`[^`\n]*`", "", text).splitlines():
        if line.startswith("|"):  # of the table of claims
            assert re.sub(r"\\.", "", line).count("|") == 4
            line = line.strip("|").replace(" | ", " ").replace("|---", "")
        assert not re.search(r"(?<!\\)[<|]", line.removeprefix("![").partition("](")[0]), (
            line
        )


def test_markdown_has_every_part():
    text = markdown([_sweep()])
    for words in ("# Report", "## alpha", "It is, by 3 %.", "A law.", "4 %.", "no drift"):
        assert words in text
    assert "![Plot.](alpha/figures/one.png)" in text
    assert "([SVG](alpha/figures/one.svg), [CSV](alpha/figures/one.csv))" in text
    assert "**Figure 3. Another caption.** Missing: its table has schema 0" in text
    assert "`python -m sweeps.alpha`, `python -m analysis.alpha`" in text


def test_marked_keeps_mathematics():
    assert marked("‖Wx‖ ∝ 1/√n, χ₁ ≥ 1") == "‖Wx‖ ∝ 1/√n, χ₁ ≥ 1"


def test_every_sweep_asks_something():
    for name in names():
        sweep = told(name)
        assert sweep.question.endswith("?"), name
        assert "\n" not in sweep.question


def test_settings_are_words():
    found = settings({"settings": {"seeds": 3, "depths": [1, 2], "name": "a"}})
    assert found == (("seeds", "3"), ("depths", "1 2"), ("name", "a"))
    assert settings({}) == ()
