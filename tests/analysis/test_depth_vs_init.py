"""Figures by the data of their artists, on a table made up for the purpose."""

import copy
import io
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis import depth_vs_init as figures
from analysis.figures import compose, draw
from analysis.slopes import growth, verdicts
from sweeps.depth_vs_init import SCHEMA
from sweeps.harness.table import load

ROOT = Path(__file__).resolve().parents[2]
SLOPES = {"normal(1/√n)": 0.0, "normal(1)": 0.5, "normal(0.01)": -0.3}


def _network(scheme, seed, depth, slope):
    layer = np.arange(depth)
    log = slope * layer + 0.01 * seed
    delta = slope * (depth - 1 - layer) - 3
    nothing = dict.fromkeys(SCHEMA.names, 0.0)
    return pd.DataFrame(
        {
            **nothing,
            "inputs": "gaussian",
            "activation": "identity",
            "scheme": scheme,
            "width": 4,
            "depth": depth,
            "batch": 2,
            "seed": seed,
            "layer": layer,
            "sigma_w": 10.0**slope,
            "act_log10_rms": log,
            "delta_log10_rms": delta,
            "weight_grad_log10_norm": delta,
            **dict.fromkeys(("first_nonfinite", "first_flushed", "delta_flushed"), -1),
        }
    )


@pytest.fixture
def table():
    frames = [
        _network(scheme, seed, depth, slope)
        for scheme, slope in SLOPES.items()
        for seed in range(5)
        for depth in (3, 11)
    ]
    return SCHEMA.conform(pd.concat(frames))


def test_slopes_are_those_of_the_table(table):
    for way in ("forward", "backward"):
        found = verdicts(table, way).set_index("scheme")
        for scheme, slope in SLOPES.items():
            assert found.loc[scheme, "slope"] == pytest.approx(slope, abs=1e-4)
        assert found["verdict"].to_dict() == {
            "normal(1)": "explodes",
            "normal(0.01)": "vanishes",
            "normal(1/√n)": "survives",
        }


@pytest.mark.parametrize(
    ("value", "verdict"),
    [(np.nan, "explodes"), (np.inf, "explodes"), (-np.inf, "vanishes")],
)
def test_a_signal_that_leaves_float32_does_not_survive(table, value, verdict):
    at = (table["scheme"] == "normal(1/√n)") & (table["depth"] == 11) & (table["layer"] > 6)
    table.loc[at, "act_log10_rms"] = value
    found = verdicts(table, "forward").set_index("scheme").loc["normal(1/√n)"]
    assert found["verdict"] == verdict
    assert found["slope"] == pytest.approx(0, abs=1e-4), "the slope of the finite layers"


def test_gradients_of_flushed_networks_do_not_count(table):
    """Where z is all 0, leaky ReLU passes gradients on as if it were linear."""
    deep = (table["scheme"] == "normal(0.01)") & (table["depth"] == 11)
    table.loc[deep, "first_flushed"] = 7
    table.loc[deep, "delta_log10_rms"] = 0.0
    found = verdicts(table, "backward").set_index("scheme").loc["normal(0.01)"]
    assert found["verdict"] == "vanishes"
    assert found["slope"] == pytest.approx(-0.3, abs=1e-4), "from the shallower networks"
    rows = figures.gradient_scale(table)
    assert np.isneginf(rows.loc[rows["scheme"] == "normal(0.01)", "median"]).all()


def test_growth_has_one_row_per_network(table):
    assert len(growth(table, "forward")) == 3 * 5 * 2


def test_curves_show_median_band_and_theory(table):
    rows = figures.activation_scale(table)
    ax = figures.plot_activation_scale(rows)
    assert set(SLOPES) | {"mean field"} <= {line.get_label() for line in ax.get_lines()}
    lines = {line.get_gid(): line for line in ax.get_lines()}
    for scheme, slope in SLOPES.items():
        x, y = lines[scheme].get_data()
        np.testing.assert_array_equal(x, np.arange(1, 12))
        # The median seed of 0 … 4 is number 2, which adds 0.02.
        np.testing.assert_allclose(np.log10(y), slope * np.arange(11) + 0.02, atol=1e-3)
    dotted = [ln for ln in ax.get_lines() if ln.get_color() == "k" and len(ln.get_xdata())]
    assert len(dotted) == 3
    got = sorted(np.log10(ln.get_ydata()[3]) for ln in dotted)
    np.testing.assert_allclose(got, sorted(4 * s for s in SLOPES.values()), atol=1e-3)
    edges = [ln for ln in ax.get_lines() if ln.get_linewidth() < 1 and len(ln.get_xdata())]
    assert len(edges) == 2 * 3
    assert len(ax.collections) == 3
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert ax.get_xlabel() == "layer"


def test_gradient_theory_hangs_on_the_last_layer(table):
    rows = figures.gradient_scale(table)
    same = rows[rows["scheme"] == "normal(1)"].sort_values("layer")
    np.testing.assert_allclose(same["theory"], same["median"], atol=1e-3)


def test_lost_schemes_are_named(table):
    table.loc[table["scheme"] == "normal(1)", "weight_grad_log10_norm"] = np.nan
    table.loc[table["scheme"] == "normal(0.01)", "weight_grad_log10_norm"] = -np.inf
    ax = figures.plot_weight_gradient(figures.weight_gradient(table))
    notes = " ".join(text.get_text() for text in ax.texts)
    assert notes.replace("\xa0", " ") == "not shown: normal(1) = ∞, normal(0.01) = 0"


def test_what_is_off_scale_is_named_and_does_not_stretch_the_panel(table):
    table.loc[table["scheme"] == "normal(1)", "weight_grad_log10_norm"] = 15.5
    table.loc[table["scheme"] == "normal(0.01)", "weight_grad_log10_norm"] = -14.5
    ax = figures.plot_weight_gradient(figures.weight_gradient(table))
    notes = " ".join(text.get_text() for text in ax.texts).replace("\xa0", " ")
    assert notes == "not shown: normal(1) > 10¹⁵, normal(0.01) < 10⁻¹⁴"
    low, high = np.log10(ax.get_ylim())
    assert high - low == pytest.approx(4)


@pytest.mark.parametrize("kind", ["gaussian", "mnist"])
def test_notes_stay_in_their_panels(kind):
    committed = load(ROOT / "results" / "depth_vs_init" / "table.parquet")
    rows = figures.weight_gradient(committed, inputs=kind)
    canvas = compose(figures.FIGURES[2], rows)
    canvas.draw_without_rendering()
    for ax in canvas.axes:
        (note,) = ax.texts
        assert note.get_window_extent().x1 <= ax.get_window_extent().x1 + 1
        assert not note.get_window_extent().overlaps(ax.title.get_window_extent())


def test_curves_on_each_other_take_turns(table):
    """Of three equal curves each has a third of the way, and the next goes on there."""
    for column in ("act_log10_rms", "sigma_w"):
        table.loc[:, column] = 1.0
    ax = figures.plot_activation_scale(figures.activation_scale(table))
    lines = [line for line in ax.get_lines() if line.get_gid()]
    assert len(lines) == 3
    patterns = [line._unscaled_dash_pattern for line in lines]
    for at, (offset, (on, off)) in enumerate(patterns):
        assert off == 2 * on, "two others have their turn"
        assert (offset + at * on) % (on + off) == 0
    named = {line.get_label(): line for line in ax.get_lines() if not line.get_gid()}
    for line in lines:
        assert named[line.get_gid()].get_linestyle() == "-", "the legend shows it whole"
        assert named[line.get_gid()].get_color() == line.get_color()


def test_numbers_of_the_heat_map_can_be_read(table):
    """A contrast of 4.5 : 1 is what WCAG 2.1 asks of small text."""
    rows = figures.slope_map(table)
    ax = figures.plot_slopes(rows[rows["direction"] == "forward"])
    for text, color in zip(ax.texts, ax.collections[0].get_facecolor(), strict=True):
        two = sorted(_luminance(c) for c in (mpl.colors.to_rgb(text.get_color()), color))
        assert (two[1] + 0.05) / (two[0] + 0.05) > 4.5


def _luminance(color):
    c = np.asarray(color[:3])
    linear = np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def test_heat_map_shows_the_slopes(table):
    rows = figures.slope_map(table)
    ax = figures.plot_slopes(rows[rows["direction"] == "forward"])
    shown = {t.get_text() for t in ax.texts}
    assert shown == {"0.000", "+0.500", "−0.300"}
    labels = [t.get_text() for t in ax.get_yticklabels()]
    assert labels == ["normal(1)", "normal(0.01)", "normal(1/√n)"]


@pytest.mark.parametrize("figure", figures.FIGURES, ids=lambda f: f.name)
def test_plots_return_their_axes_and_change_nothing(table, figure):
    of = {"mnist": "mnist", "input": "$mine_$.npz#0123abcd"}
    table["inputs"] = of.get(figure.name.rpartition("_")[2], "gaussian")
    before, style = table.copy(), copy.deepcopy(dict(mpl.rcParams))
    rows = figure.data(table)
    rows = rows[rows[figure.panels] == rows[figure.panels].iloc[0]]
    _, ax = plt.subplots()
    assert figure.plot(rows, ax=ax) is ax
    pd.testing.assert_frame_equal(table, before)
    assert dict(mpl.rcParams) == style
    assert figure.caption.endswith(".")


def test_legend_does_not_cover_a_panel(table):
    figure = figures.FIGURES[0]
    canvas = compose(figure, figure.data(table))
    canvas.draw_without_rendering()
    box = canvas.legends[0].get_window_extent()
    for ax in canvas.axes:
        assert not box.overlaps(ax.get_tightbbox())


def test_files_are_written_and_repeatable(table, tmp_path):
    first = draw(figures, table, tmp_path / "a")
    second = draw(figures, table, tmp_path / "b")
    assert {p.name for p in first} == {
        f"{name}.{kind}"
        for name in ("activation_scale", "gradient_scale", "weight_gradient", "slopes")
        for kind in ("png", "svg", "csv")
    }
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes()
    csv = pd.read_csv(tmp_path / "a" / "activation_scale.csv")
    assert {"scheme", "layer", "median", "theory"} <= set(csv.columns)


def test_summary_names_every_verdict(table):
    from rich.console import Console

    console = Console(width=120, record=True, file=io.StringIO())
    console.print(figures.summary(table))
    text = " ".join(console.export_text().split())
    for word in ("survives 0.000", "explodes +0.500", "vanishes -0.300", "over 11 layers"):
        assert word in text, text


@pytest.mark.parametrize("kind", ["mnist", "digits"])
def test_what_the_band_takes_for_granted_of_images(kind):
    from analysis.overlays import _INPUTS
    from sweeps import data

    images = getattr(data, kind)()[0].astype(float)
    square = np.mean(images**2, axis=1)
    unit = images[:1500] / np.sqrt(images.shape[1] * square[:1500, None])
    cosine = (unit @ unit.T)[np.triu_indices(1500, 1)].mean()
    assert square.mean() == pytest.approx(1, abs=1e-6)
    assert _INPUTS[kind] == pytest.approx((np.log(square).var(), cosine), abs=5e-3)


def test_the_band_is_that_of_the_measured_networks():
    """Of ten seeds the outer quantiles are 0.86 times as far apart, by their law."""
    committed = load(ROOT / "results" / "depth_vs_init" / "table.parquet")
    shown = committed["scheme"].isin(["kaiming_normal(fan_in)", "orthogonal(gain)"])
    some = committed[committed["activation"].isin(["relu", "tanh"]) & shown]
    for rows in (figures.activation_scale(some), figures.gradient_scale(some)):
        inside = rows["median"].between(rows["theory_low"], rows["theory_high"])
        assert len(rows) == 2 * 2 * rows["layer"].nunique()
        assert inside.mean() > 0.95
        width = (rows["high"] - rows["low"]) / (rows["theory_high"] - rows["theory_low"])
        assert 0.6 < width.median() < 1.3, "a band of half the width would not do"
