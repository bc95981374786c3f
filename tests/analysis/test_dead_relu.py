"""Figures of ``dead_relu``, by the data of their artists, on a table made up."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text
from rich.console import Console

from analysis import dead_relu
from analysis.bands import Absent
from analysis.deaths import ZERO, courses, depths, gradients, percentile, scan
from analysis.figures import compose, draw
from initjax.meanfield import dead_bounds
from sweeps.dead_relu import HE, SCHEMA

_NAN = {c.name: np.nan for c in SCHEMA.columns if c.kind == "float"}
_BASE = {**_NAN, "scheme": "normal(0.01)", "width": 3, "depth": 4, "networks": 1}
SEEDS = 5


def _gradients(part, step, shift=0.0):
    """ReLU's gradients are 0 but for the last bias; leaky ReLU's fall by 4 a layer."""
    return [
        {
            **_BASE,
            **{"part": part, "activation": name, "bias": -8.0, "seed": seed},
            **{"step": step, "layer": layer, "loss": 3.0 - step / 100},
            "weight_grad": -np.inf
            if name == "relu"
            else 4 * (layer - 5) + seed / 10 - shift,
            "bias_grad": -0.3 if layer == 5 else -np.inf if name == "relu" else -1.0,
            "weight_theory": -np.inf if name == "relu" else fall + 0.2,
            "bias_theory": -0.3,
        }
        for name in ("relu", "leaky_relu")
        for seed in range(SEEDS)
        for layer, fall in zip(range(1, 6), range(-16, 1, 4), strict=True)
    ]


def _shares(part, scheme, bias, layers, dead, width=3, networks=100):
    return [
        {
            **_BASE,
            **{"part": part, "activation": "relu", "scheme": scheme, "bias": bias},
            **{"width": width, "seed": seed, "step": 0, "layer": layer},
            **{"networks": networks, "off": 0.5, "dead_units": dead + seed / 100},
            **{"dead_one": dead, "dead_line": dead / 2, "dead_points": dead / 4},
            "dead_units_theory": dead if layer == 1 else np.nan,
        }
        for seed in range(SEEDS)
        for layer in layers
    ]


@pytest.fixture(scope="module")
def table():
    rows = _gradients("start", 0) + _gradients("training", 0)
    rows += _gradients("training", 200, shift=5)
    for scheme in ("normal(0.01)", HE):
        for bias, dead in ((-2.0, 1.0 if scheme != HE else 0.6), (0.0, 0.2)):
            rows += _shares("scan", scheme, bias, (1, 2), dead - 0.02)
    for width in (3, 5):
        rows += _shares("depths", HE, 0.0, range(1, 20), 0.3, width, 1000)
    return SCHEMA.conform(pd.DataFrame(rows))


def _lines(ax):
    return {line.get_label(): line for line in ax.get_lines()}


def test_zeros_stand_in_their_band(table):
    rows = gradients(table)
    ax = dead_relu.plot_gradients(rows[rows["activation"] == "relu"])
    drawn = [line.get_ydata() for line in ax.get_lines() if line.get_marker() in "os"]
    weights, biases = (np.asarray(y) for y in drawn if len(y) == 5)
    assert (weights == ZERO).all()
    assert (biases == [ZERO] * 4 + [pytest.approx(-0.3, abs=1e-3)]).all()
    labels = [text.get_text() for text in ax.get_yticklabels()]
    assert labels[0] == "0"
    stars = [line for line in ax.get_lines() if line.get_marker() == "*"]
    shown = [line.get_ydata() for line in stars if len(line.get_ydata())]
    np.testing.assert_allclose(np.concatenate(shown), np.log10(0.49))


def test_norms_are_medians_beside_their_expectation(table):
    rows = gradients(table).set_index(["activation", "kind", "layer"]).sort_index()
    leaky = rows.loc[("leaky_relu", "weights")]
    np.testing.assert_allclose(leaky["median"], 4.0 * (np.arange(5) - 4) + 0.2, atol=1e-3)
    np.testing.assert_allclose(leaky["low"], 4.0 * (np.arange(5) - 4), atol=1e-3)
    ax = dead_relu.plot_gradients(gradients(table).query("activation == 'leaky_relu'"))
    theory = [line.get_ydata() for line in ax.get_lines() if line.get_linestyle() == ":"]
    np.testing.assert_allclose(theory[0], leaky["theory"])


def test_a_star_of_which_it_is_not_said_stands_between(table):
    ax = dead_relu.plot_gradients(gradients(table).query("activation == 'leaky_relu'"))
    stars = [line for line in ax.get_lines() if line.get_marker() == "*"]
    shown = [line.get_xydata()[0] for line in stars if len(line.get_xydata())]
    x_biases = 5 + dead_relu._KINDS["biases"][2]
    expected = [(1, np.log10(1.7e-16)), (x_biases, np.log10(0.51))]
    np.testing.assert_allclose(shown, expected)


def test_the_published_run_among_the_seeds(table):
    """Norms at layer 1 are 1e-16 … 10^-15.6; 1.7e-16 is 10^-15.77."""
    assert percentile(table, "weights") == pytest.approx(3 / SEEDS)
    assert percentile(table, "biases") == 0


def test_courses_are_of_the_largest_gradient(table):
    rows = courses(table).set_index(["panel", "activation", "step"])["value"]
    largest = rows["largest |∂L/∂W| of a layer"]
    assert largest["leaky_relu", 0] == pytest.approx(0.2, abs=1e-3)
    assert largest["leaky_relu", 200] == pytest.approx(-4.8, abs=1e-3)
    assert largest["relu", 0] == -np.inf
    assert rows["loss, nats", "relu", 200] == pytest.approx(1.0)
    both = courses(table)
    ax = dead_relu.plot_courses(both[both["panel"].str.contains("largest")])
    drawn = {line.get_gid(): line for line in ax.get_lines()}
    assert (np.asarray(drawn["relu"].get_ydata()) == dead_relu._BOTTOM).all()
    assert drawn["relu"].get_linestyle() == drawn["leaky_relu"].get_linestyle() == "-"


def test_courses_on_each_other_take_turns_and_titles_fit(table):
    """Losses of both activations are the same at every step."""
    canvas = compose(dead_relu.FIGURES[1], courses(table))
    canvas.draw_without_rendering()
    left = next(ax for ax in canvas.axes if "loss" in ax.get_title(loc="left"))
    drawn = {line.get_gid(): line for line in left.get_lines()}
    assert drawn["relu"].get_linestyle() == drawn["leaky_relu"].get_linestyle() == "--"
    for ax in canvas.axes:
        text = next(t for t in ax.findobj(Text) if t.get_text() == ax.get_title(loc="left"))
        assert text.get_window_extent().x1 <= canvas.bbox.x1


def test_networks_of_layer_one_are_all_units(table):
    rows = scan(table)
    assert rows["panel"].nunique() == 4
    one = rows[(rows["layer"] == 1) & (rows["bias"] == 0)].set_index("panel")
    units, networks = (f"{what}: {HE}, width 3" for what in ("units", "networks"))
    assert one.loc[units, "measured"] == pytest.approx(0.18 + 0.02, abs=1e-4)
    assert one.loc[units, "theory"] == pytest.approx(0.18, abs=1e-4)
    assert one.loc[networks, "measured"] == pytest.approx(0.18 / 4, abs=1e-4)
    assert one.loc[networks, "theory"] == pytest.approx(0.18**3, abs=1e-4)
    assert rows[rows["layer"] == 2]["theory"].isna().all()
    ax = dead_relu.plot_scan(rows[rows["panel"] == units])
    np.testing.assert_allclose(_lines(ax)["layer 1"].get_ydata(), [0.6, 0.2], atol=1e-4)
    assert ax.get_xscale() == "symlog"


def test_bounds_are_those_of_lu(table):
    rows = depths(table)
    assert "5000 networks" in rows.attrs["note"]
    line = rows[(rows["panel"].str.contains("shaded")) & (rows["width"] == 3)]
    lower, upper = dead_bounds(3, 10)
    nine = line[line["layer"] == 9].iloc[0]
    assert nine["low"] == pytest.approx(float(lower))
    assert nine["high"] == pytest.approx(float(upper))
    assert nine["measured"] == pytest.approx(0.15)
    ax = dead_relu.plot_depths(line)
    (band,) = ax.collections
    corners = band.get_paths()[0].vertices
    assert corners[:, 1].max() == pytest.approx(line["high"].max())
    assert (line["low"] == 0).any(), "which a logarithmic axis does not have"
    assert corners[:, 0].min() == line.loc[line["low"] > 0, "layer"].min()
    assert corners[:, 1].min() > 0
    edges = [line for line in ax.get_lines() if line.get_linestyle() == ":"]
    assert [line.get_ydata().max() for line in edges] == [
        *(pytest.approx(line[end].max()) for end in ("low", "high")),
    ]
    moon = rows[rows["panel"].str.contains("moons")]
    assert moon["low"].isna().all()
    three = moon[moon["width"] == 3]
    ax = dead_relu.plot_depths(three, ax=plt.subplots()[1])
    assert not ax.collections
    (bound,) = (line for line in ax.get_lines() if line.get_linestyle() == "--")
    np.testing.assert_allclose(bound.get_ydata(), dead_bounds(3, three["layer"] + 1)[1])


def test_all_figures_are_drawn_and_the_table_stays(table, tmp_path):
    before = table.copy()
    written = draw(dead_relu, table, tmp_path)
    pd.testing.assert_frame_equal(table, before)
    assert {p.stem for p in written} == {"gradients", "courses", "scan", "depths"}
    figure = next(f for f in dead_relu.FIGURES if f.name == "depths")
    assert len(compose(figure, depths(table)).axes) == 3


def test_parts_that_are_not_there(table):
    for data, part in ((gradients, "start"), (scan, "scan"), (depths, "depths")):
        with pytest.raises(Absent, match=part):
            data(table[table["part"] != part])


def test_summary_says_what_is_zero(table):
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(dead_relu.summary(table))
    words = " ".join(console.export_text().split())
    assert "relu 0 0 0.5 1.0000" in words
    assert "leaky_relu 1.6e-16 1.6e-16 0.5 1.0000" in words
    assert "above 60% of weights, 0% of biases" in words
