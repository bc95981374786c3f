"""Figures of inputs that have none of their own, on a table made up for the purpose."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from analysis import depth_vs_init as figures
from analysis.bands import Absent
from analysis.figures import compose, draw
from analysis.inputs import by_input
from sweeps.depth_vs_init import SCHEMA

MINE = "_$mine$_of_a_long_name.npz#0123abcd"
OTHER = "_$mine$_of_a_long_name.npz#4567abcd"
HEIGHTS = {"digits": 0.0, MINE: 1.0, OTHER: 2.0, "gaussian": 5.0}


def _network(inputs, activation, seed, height):
    layer = np.arange(6)
    nothing = dict.fromkeys(SCHEMA.names, 0.0)
    return pd.DataFrame(
        {
            **nothing,
            **{"inputs": inputs, "activation": activation, "scheme": "normal(1/√n)"},
            **{"width": 64, "depth": 6, "batch": 2, "seed": seed, "layer": layer},
            **{"sigma_w": 1.0, "act_log10_rms": height, "delta_log10_rms": -height},
            "weight_grad_log10_norm": height / 2,
            **dict.fromkeys(("first_nonfinite", "first_flushed", "delta_flushed"), -1),
        }
    )


@pytest.fixture(scope="module")
def table():
    frames = [
        _network(inputs, activation, seed, height + 0.01 * seed)
        for inputs, height in HEIGHTS.items()
        for activation in ("tanh", "relu")
        for seed in range(3)
    ]
    return SCHEMA.conform(pd.concat(frames))


@pytest.fixture(scope="module")
def rows(table):
    return by_input(figures.activation_scale, table)


def test_each_kind_has_a_panel_with_its_own_curves(rows):
    medians = rows.groupby(["inputs", "activation"])["median"].unique()
    assert set(medians.index) == {
        (kind, activation)
        for kind in ("digits", MINE, OTHER)
        for activation in ("relu", "tanh")
    }
    for (kind, _), values in medians.items():
        np.testing.assert_allclose(values, [HEIGHTS[kind] + 0.01], atol=1e-6)
    assert rows["panel"].nunique() == 6
    panels = [name for name in dict.fromkeys(rows["panel"]) if "digits" in name]
    assert panels == ["relu, digits", "tanh, digits"], "activations in their usual order"
    assert rows.attrs["note"] == "width 64, batch 2, 6 layers, 3 seeds"


def test_nobody_knows_how_a_file_scatters(rows):
    known = rows[rows["inputs"] == "digits"]
    assert known[["theory", "theory_low", "theory_high"]].notna().to_numpy().all()
    assert (known["theory_low"] < known["theory_high"]).all()
    files = rows[rows["inputs"] != "digits"]
    assert files["theory"].notna().all()
    assert files[["theory_low", "theory_high"]].isna().to_numpy().all()


def test_names_are_shown_as_they_are_and_without_their_middle(rows):
    figure = next(f for f in figures.FIGURES if f.name == "activation_scale_by_input")
    canvas = compose(figure, rows)
    titles = [ax.get_title(loc="left") for ax in canvas.axes]
    assert len(titles) == len(set(titles)) == 6
    assert any(title.endswith(r") relu, _\$min…z#0123abcd") for title in titles)
    canvas.draw_without_rendering()
    for ax, title in zip(canvas.axes, titles, strict=True):
        (shown,) = [text for text in ax.findobj(Text) if text.get_text() == title]
        assert shown.get_window_extent().width < ax.get_window_extent().width


def test_a_legend_promises_no_band_that_is_not_there(rows):
    for kind, promised in (("digits", True), (MINE, False)):
        ax = figures.plot_activation_scale(rows[rows["panel"] == f"relu, {kind}"])
        labels = ax.get_legend_handles_labels()[1]
        assert "mean field" in labels
        assert ("its 90 % band" in labels) is promised
        ax.clear()


def test_figures_are_drawn_where_there_are_such_inputs(table, tmp_path):
    own = [figure for figure in figures.FIGURES if figure.name.endswith("_by_input")]
    assert len(own) == 2
    drawn = draw(SimpleNamespace(FIGURES=own[1:]), table, tmp_path)
    assert {path.suffix for path in drawn} == {".png", ".svg", ".csv"}
    assert MINE in set(pd.read_csv(tmp_path / "weight_gradient_by_input.csv")["inputs"])
    for figure in own:
        with pytest.raises(Absent, match="no networks on inputs but gaussian, mnist"):
            figure.data(table[table["inputs"] == "gaussian"])


def test_single_units_have_no_mean_field(table):
    chain = table.assign(width=1)
    assert by_input(figures.activation_scale, chain)["theory"].isna().all()
