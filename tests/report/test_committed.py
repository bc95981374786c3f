"""The committed report is that of the committed tables."""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

from analysis.report import svg, words
from analysis.report.facts import names, told
from analysis.report.gather import spoken
from analysis.report.page import marked
from sweeps.harness.table import header

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "results"
MEASURED = names()


@pytest.fixture(scope="module")
def text():
    return (RESULTS / "REPORT.md").read_text()


@pytest.fixture(scope="module")
def sections(text):
    parts = re.split(r"^## (\w+)$", text, flags=re.M)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.fixture(scope="module")
def page():
    return (RESULTS / "report" / "index.html").read_text()


def test_every_table_has_its_section_in_order(sections):
    assert list(sections) == MEASURED
    assert len(MEASURED) >= 18


def test_nothing_is_missing(text, page):
    for words_ in ("Missing:", "Problem:", "incomplete"):
        assert words_ not in text
        assert words_ not in page


@pytest.mark.parametrize("name", MEASURED)
def test_schema_and_provenance_are_those_of_the_table(name, sections):
    content = (RESULTS / name / "table.parquet").read_bytes()
    columns, origin = header(content, name)
    schema = importlib.import_module(f"sweeps.{name}").SCHEMA
    assert columns == schema.names
    assert origin["schema_version"] == schema.version
    for value in (
        origin["commit"][:12],
        origin["written"][:10],
        f"schema {schema.version}",
    ):
        assert marked(value) in sections[name]


@pytest.mark.parametrize("name", MEASURED)
def test_question_answer_and_theory_are_there(name, sections):
    assert f"**{marked(told(name).question)}**" in sections[name]
    assert "- Theory: " in sections[name]
    assert "- Largest deviation: " in sections[name]
    assert callable(spoken(name, "answer"))
    assert callable(spoken(name, "compare"))


@pytest.mark.parametrize("name", MEASURED)
def test_figures_are_those_of_the_code_with_its_captions(name, sections):
    """In order, each with caption, alternative text and files; others are accounted for."""
    figures = importlib.import_module(f"analysis.{name}").FIGURES
    section, at = sections[name], 0
    for figure in figures:
        link = f"]({name}/figures/{figure.name}.png)"
        if link not in section:
            assert f"{marked(figure.name)} (" in section.partition("Not drawn")[2]
            continue
        assert at < (at := section.index(link)), "in order"
        assert f".** {marked(figure.caption)} " in section[at:]
        file = RESULTS / name / "figures" / figure.name
        for suffix in (".png", ".svg", ".csv"):
            assert file.with_suffix(suffix).exists()
        drawn = svg.parse(file.with_suffix(".svg").read_bytes())
        assert f"![{marked(words.read(drawn).alt())}{link}" in section
    linked = set(re.findall(rf"\({name}/figures/(\w+)\.svg\)", section))
    kept = {p.stem for p in (RESULTS / name / "figures").glob("*.svg")}
    assert linked == kept, "no file is left over"


def test_the_page_shows_the_committed_drawings(page):
    """Its letters and lines are those of the files beside the tables."""
    assert len(page.encode()) < 5e6
    for name in MEASURED:
        for file in sorted((RESULTS / name / "figures").glob("*.svg")):
            prefix = f"{name}-{file.stem}"
            start = page.index(f'<figure id="{prefix}"')
            there = page[start : page.index("</figure>", start)]
            drawn = svg.shrink(svg.parse(file.read_bytes()), f"{prefix}-").body
            lines = re.findall(r' d="([^"]*)"', there)
            assert lines == re.findall(r' d="([^"]*)"', drawn), prefix


@pytest.fixture(scope="module")
def again(tmp_path_factory):
    """The report drawn anew, by a process that compiles as users do."""
    out = tmp_path_factory.mktemp("again")
    plain = {k: v for k, v in os.environ.items() if not k.startswith("JAX_DISABLE")}
    command = [sys.executable, "-m", "analysis", "--out", str(out)]
    done = subprocess.run(command, cwd=ROOT, env=plain, capture_output=True, text=True)
    # 1 as long as a sweep has no table yet.
    assert done.returncode == 0, done.stderr
    return out


_NUMBER = re.compile(r"(?<![\w.])-?\d+\.?\d*(?:e[-+]?\d+)?")


@pytest.mark.slow
def test_drawn_anew_it_says_the_same(again, text):
    """Words to the letter, and numbers but for the last digits of another machine."""
    found = (again / "REPORT.md").read_text()
    assert _NUMBER.sub("#", found) == _NUMBER.sub("#", text)
    for a, b in zip(_NUMBER.findall(found), _NUMBER.findall(text), strict=True):
        assert float(a) == pytest.approx(float(b), rel=0.02, abs=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("name", MEASURED)
def test_drawn_anew_figures_show_the_same_rows(name, again):
    kept = RESULTS / name / "figures"
    drawn = again / name / "figures"
    assert {p.name for p in drawn.iterdir()} == {p.name for p in kept.iterdir()}
    for file in sorted(kept.glob("*.csv")):
        pd.testing.assert_frame_equal(
            pd.read_csv(drawn / file.name), pd.read_csv(file), rtol=1e-4, obj=str(file)
        )


@pytest.mark.slow
def test_drift_of_a_caption_would_be_found(again, text):
    """The comparison above fails for one word, and for a number that is 5 % off."""
    found = (again / "REPORT.md").read_text()
    assert _NUMBER.sub("#", found.replace("RMS", "rms", 1)) != _NUMBER.sub("#", text)
    assert float("1.05") != pytest.approx(1.0, rel=0.02, abs=0.02)


def test_every_claim_of_the_folklore_is_answered(text):
    """Of ``lenet_depth``: yes, no, or under which setting, with numbers."""
    rows = re.findall(r"^\| (.+) \| (.+) \| (.+) \|$", text, re.M)
    told = [row for row in rows if row[0] != "What is told"]
    assert len(told) == 8
    for _, verdict, measured in told:
        assert re.search(r"yes|no|ways|measured", verdict)
        assert re.search(r"\d", measured)
