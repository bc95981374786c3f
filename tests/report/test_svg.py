"""Drawings of Matplotlib, smaller and harmless, show the same."""

import io
import re
from xml.etree import ElementTree as ET

import matplotlib.pyplot as plt
import numpy as np
import pytest

from analysis.report import svg, words
from analysis.style import house_style


def drawn(title="A caption of two words. 3 seeds"):
    """A figure with everything that those of the sweeps have."""
    with house_style():
        canvas, (left, right, off) = plt.subplots(
            1, 3, figsize=(9, 3), layout="constrained"
        )
        x = np.linspace(0, 3, 50)
        left.plot(x, np.sin(9 * x), label="sine & <b>")
        left.fill_between(x, x, 2 * x, alpha=0.2, hatch="//")
        left.errorbar([1, 2], [1, 2], [0.1, 0.2], fmt="o", label="points")
        left.set(xlabel="depth ℓ", ylabel="RMS", title="one", xlim=(0, 2))
        mesh = right.imshow(np.eye(3))
        right.set(xlabel="σ_b", ylabel="σ_w", title="two")
        right.text(0, 0, "inside")
        canvas.colorbar(mesh, ax=right, label="layers")
        off.set_axis_off()
        canvas.suptitle(title.replace(". ", ".\n"))
        canvas.legend(loc="outside lower center")
        buffer = io.BytesIO()
        canvas.savefig(buffer, format="svg", metadata={"Date": None})
    return buffer.getvalue()


@pytest.fixture(scope="module")
def content():
    return drawn()


@pytest.fixture(scope="module")
def drawing(content):
    return svg.shrink(svg.parse(content), "here-")


def _ids(body):
    return re.findall(r' id="([^"]*)"', body)


def test_it_is_well_formed_and_half_as_long(content, drawing):
    ET.fromstring(f"<svg>{drawing.body}</svg>")
    assert len(drawing.body) < 0.6 * len(content)


def test_every_identifier_is_ours_and_every_reference_leads_to_one(drawing):
    ids = _ids(drawing.body)
    assert len(ids) == len(set(ids)) > 3
    assert all(name.startswith("here-") for name in ids)
    links = re.findall(r'href="#([^"]*)"|url\(#([^)]*)\)', drawing.body)
    assert {a or b for a, b in links} == set(ids)


def test_nothing_reaches_beyond_the_figure(drawing):
    assert "<style" not in drawing.body
    assert "http" not in drawing.body
    assert "&lt;b&gt;" in drawing.body
    assert "<b>" not in drawing.body


def test_hatches_have_the_ground_that_they_had(content, drawing):
    """It is an attribute and no style; without it the ground is black."""
    ground = r'<pattern [^>]*>\s*<rect [^>]*fill="([^"]*)"'
    before = re.findall(ground, content.decode())
    assert len(before) == 1
    assert re.findall(ground, drawing.body) == before


def test_texts_are_all_there(content, drawing):
    before = [t for t in svg.parse(content).itertext() if t.strip() and "{" not in t]
    after = list(ET.fromstring(f"<svg>{drawing.body}</svg>").itertext())
    expected = [t for t in before if "Matplotlib" not in t and "image/svg" not in t]
    assert "".join("".join(after).split()) == "".join("".join(expected).split())


@pytest.mark.parametrize(
    "bad",
    ["<script>1</script>", "<a/>", "<foreignObject/>", '<use xlink:href="http://x"/>'],
)
def test_what_draws_nothing_is_refused(content, bad):
    text = content.decode().replace('<g id="axes_1">', f'<g id="axes_1">{bad}', 1)
    with pytest.raises(ValueError, match="a figure"):
        svg.shrink(svg.parse(text.encode()), "x")


def test_handlers_are_left_out(content):
    text = content.decode().replace('<g id="axes_1">', '<g id="axes_1" onload="x()">', 1)
    assert "onload" not in svg.shrink(svg.parse(text.encode()), "x").body


def test_what_is_no_figure_is_refused():
    with pytest.raises(ValueError, match="not an SVG figure"):
        svg.parse(b'<svg xmlns="http://www.w3.org/2000/svg"/>')


def test_the_title_is_cut_off_and_no_other_text(content):
    whole = svg.shrink(svg.parse(content), "x")
    cut = svg.shrink(svg.parse(content), "x", ("A caption of two words.", "3 seeds"))
    assert "caption" in whole.body
    assert "caption" not in cut.body
    assert "one" in cut.body
    assert whole.box[1] == 0
    assert 15 < cut.box[1] < 50
    assert cut.box[1] + cut.box[3] == pytest.approx(whole.box[3])
    other = svg.shrink(svg.parse(content), "x", ("Another caption.",))
    assert other.box == whole.box


def _walk(d):
    """Points of a path in relative or absolute coordinates."""
    at, start, points = np.zeros(2), np.zeros(2), []
    for letter, rest in re.findall(r"([a-zA-Z])([^a-zA-Z]*)", d):
        numbers = [float(n) for n in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", rest)]
        size = {"m": 2, "l": 2, "c": 6, "q": 4, "h": 1, "v": 1, "z": 0}[letter.lower()]
        if size == 0:
            at = start
        for n in range(0, len(numbers), size or 1):
            step = numbers[n : n + size]
            if letter in "hv":
                step = [step[0], 0] if letter == "h" else [0, step[0]]
            ends = np.reshape(step, (-1, 2)) + (at if letter.islower() else 0)
            points += list(ends)
            at = ends[-1]
            start = at if letter in "mM" else start
    return np.array(points)


@pytest.mark.parametrize("seed", range(5))
def test_paths_are_where_they_were(seed):
    """To half of 1/100 of a point, however many relative steps are added."""
    rng = np.random.default_rng(seed)
    d = ""
    for _ in range(300):
        letter, count = rng.permutation([("M", 1), ("L", 1), ("L", 1), ("C", 3), ("Q", 2)])[
            0
        ]
        numbers = rng.normal(0, 10.0 ** rng.integers(-4, 3), 2 * int(count))
        d += f"{letter} " + " ".join(f"{n:.6f}" for n in numbers) + " \n"
        d += "z\n" if rng.random() < 0.1 else ""
    d = "M 1 2\n" + d
    assert abs(_walk(svg.path(d)) - _walk(d)).max() <= 0.005 + 1e-9


def test_labels_are_those_of_the_axes(content):
    found = words.read(svg.parse(content))
    assert found.x == ("depth ℓ", "σ_b")
    assert found.y == ("RMS", "σ_w")
    assert found.color == ("layers",)
    assert found.panels == ("one", "two")
    assert found.count == 2
    assert found.legend == ("sine & <b>", "points")
    assert found.alt() == (
        "Plot of RMS or σ_w against depth ℓ or σ_b, layers in color, in 2 panels: one; "
        "two. "
        "Drawn: sine & <b>; points."
    )
