"""What is said of the plane is what the committed table shows."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis import phase_diagram as figures
from analysis.figures import compose
from analysis.plane import measured
from initjax import meanfield
from sweeps import phase_diagram
from sweeps.harness.directory import plain
from sweeps.harness.table import load
from sweeps.phase_diagram import PRESETS, SCHEMA

PATH = Path(__file__).resolve().parents[2] / "results" / "phase_diagram" / "table.parquet"
WIDTH = PRESETS["default"].width


@pytest.fixture(scope="module")
def table():
    return load(PATH)


@pytest.fixture(scope="module")
def grid(table):
    return figures.grid(table)


@pytest.fixture(scope="module")
def agreement(table):
    return figures.agreement(table)


def test_it_is_the_table_of_the_default_settings(table):
    assert list(table.columns) == SCHEMA.names
    assert table.attrs["provenance"]["settings"] == plain(PRESETS["default"])
    assert PATH.stat().st_size < 2e6


def test_the_docstring_says_what_was_measured(table, agreement):
    close = (agreement["ratio"] - 1).abs() < 0.05
    below = agreement["xi_c_theory"] < 30
    text = " ".join((phase_diagram.__doc__ or "").split())
    words = f"{close.sum()} of {len(close)} ξ_c are within 5 % of theory, all {below.sum()}"
    assert words in text
    assert close[below].all()
    line = measured(table[(table["point"] == "critical") & (table["activation"] == "gelu")])
    repels = line["chi_q"] > 1 + 2 * line["chi_q_error"]
    assert f"up to σ_b = {line.loc[repels, 'sigma_b'].max():.1f}" in text
    assert f"up to {line['chi_q'].max():.2f} a layer" in text


@pytest.mark.parametrize("name", ["tanh", "erf"])
@pytest.mark.parametrize("phase", ["ordered", "chaotic"])
def test_ten_depth_scales_of_each_phase_are_within_five_percent(agreement, name, phase):
    """Those whose error is below 2 %, so that 5 % is more than two of them."""
    chosen = (agreement["activation"] == name) & (agreement["phase"] == phase)
    sharp = agreement[chosen & (agreement["ratio_error"] < 0.02)]
    close = (sharp["ratio"] - 1).abs() < 0.05
    assert close.sum() >= 10
    assert close.mean() > 0.9
    assert sharp.loc[close, "xi_c_theory"].max() > 6


def test_depth_scales_differ_by_their_errors(agreement):
    """Fit errors, and 2 % for what is not linear at the bundles' distance."""
    off = (agreement["ratio"] - 1).abs()
    assert (off < 4 * agreement["ratio_error"] + 0.02).all()
    short = agreement[agreement["xi_c_theory"] < 10]
    assert (short["ratio_error"] < 0.05).all()


def test_weights_off_by_five_percent_would_be_found(agreement):
    """Theory for 1.05 σ_w has other depth scales, at most points by far."""
    same = agreement[
        (agreement["activation"] == "tanh") & (agreement["ratio_error"] < 0.02)
    ]
    at = {name: same[name].to_numpy(np.float64) for name in ("sigma_w", "sigma_b")}
    wrong = meanfield.depth_scales(
        "tanh", sigma_w=1.05 * at["sigma_w"], sigma_b=at["sigma_b"]
    )
    assert (abs(same["xi_c"] / wrong.xi_c - 1) < 0.05).mean() < 0.5


def test_gradients_grow_as_theory_has_it(grid):
    """χ₁ within 2 %: 4 errors and the bias of finite width, 4/n, are less than that."""
    known = grid[np.isfinite(grid["q_star"])]
    off = (known["chi_1"] / known["chi_1_theory"] - 1).abs()
    assert (off < 4 * known["chi_1_error"] / known["chi_1_theory"] + 4 / WIDTH).all()
    assert (off < 0.02).mean() > 0.95


def test_relu_has_no_chaotic_phase(table, grid):
    """Its χ₁ is σ_w²/2; past √2 the second moment grows by as much a layer."""
    relu = grid[grid["activation"] == "relu"]
    expected = relu["sigma_w"].to_numpy(np.float64) ** 2 / 2
    np.testing.assert_allclose(relu["chi_1"], expected, rtol=0.03)
    assert (np.isinf(relu["q_star"]) == (relu["sigma_w"] > 2**0.5)).all()
    last = table[(table["activation"] == "relu") & (table["layer"] == table["layer"].max())]
    explodes = last.groupby("sigma_w")["q"].min() > 10
    assert (explodes == (explodes.index > 2**0.5)).all()


def test_gelu_leaves_the_part_of_its_line_where_q_repels(table):
    """Measured slopes χ_q on the line against theory: above 1 only for small biases."""
    line = measured(table[table["point"] == "critical"])
    for name in ("tanh", "erf", "gelu"):
        same = line[line["activation"] == name]
        for _, row in same.iterrows():
            sigma_b = round(float(row["sigma_b"]), 6)
            theory = meanfield.length_stability(name, sigma_b=sigma_b)
            assert abs(row["chi_q"] - theory.slope) < 5 * row["chi_q_error"] + 0.03
            if name != "gelu":
                assert row["chi_q"] < 0.75
            elif sigma_b <= 0.3:
                assert row["chi_q"] > 1 + 2 * row["chi_q_error"]
    assert "relu" not in set(line["activation"])


def test_correlations_converge_as_the_map_does(table):
    """The median over seeds is within 6 of its errors of the iterated map, and 1 %."""
    rows = figures.convergence(table[table["activation"] == "tanh"])
    spread = (rows["high"] - rows["low"]) / 3.29 / np.sqrt(20) * np.sqrt(np.pi / 2)
    off = abs(rows["median"] - rows["theory"])
    assert (off < 6 * spread + 0.01).all()
    assert rows["theory"].max() - rows["theory"].min() > 0.9


@pytest.mark.parametrize("figure", figures.FIGURES, ids=lambda f: f.name)
def test_plots_return_their_axes_and_change_nothing(table, figure):
    before = table.copy()
    rows = figure.data(table[table["activation"].isin(("tanh", "relu"))])
    _, ax = plt.subplots()
    assert figure.plot(rows[rows["activation"] == "tanh"], ax=ax) is ax
    pd.testing.assert_frame_equal(table, before)
    assert figure.caption.endswith(".")


@pytest.mark.parametrize("figure", figures.FIGURES[:2], ids=lambda f: f.name)
def test_one_color_bar_for_all_panels(table, figure):
    canvas = compose(figure, figure.data(table))
    panels = [ax for ax in canvas.axes if ax.get_xlabel() or ax.get_title(loc="left")]
    assert len(panels) == 4
    assert len(canvas.axes) == len(panels) + 1
    said = [ax.get_title(loc="left") for ax in panels]
    assert [("every" in title, "relu" in title) for title in said].count((True, True)) == 1
    assert sum("every" in title for title in said) == 1
    plt.close(canvas)


def test_no_point_or_error_of_the_agreement_is_cut(agreement):
    for _, rows in agreement.groupby("activation"):
        _, ax = plt.subplots()
        figures.plot_agreement(rows, ax=ax)
        (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
        assert rows["xi_c_theory"].between(left, right).all()
        assert (rows["ratio"] - rows["ratio_error"]).min() > low
        assert (rows["ratio"] + rows["ratio_error"]).max() < high
        plt.close(ax.figure)


def test_panels_say_where_q_repels_and_keep_every_tick(table):
    rows = figures.departure(table)
    said = {}
    for name, same in rows.groupby("activation"):
        _, ax = plt.subplots()
        said[name] = figures.plot_departure(same, ax=ax).get_title(loc="left")
        low, high = ax.get_ylim()
        assert low < same["low"].min() < same["high"].max() < high
        assert max(ax.get_yticks()) > same["high"].max() / 2
        plt.close(ax.figure)
    assert said["gelu"] == "gelu: q* repels for $σ_b$ = 0.1, 0.3"
    assert said["tanh"] == "tanh: q* attracts, enlarged"


def test_markers_show_curves_that_lie_on_each_other(table):
    rows = figures.convergence(table)
    _, ax = plt.subplots()
    figures.plot_convergence(rows[rows["activation"] == "relu"], ax=ax)
    lines = [ln for ln in ax.get_lines() if ln.get_marker() not in ("None", None, "")]
    shown = [set(range(*ln.get_markevery()[:1], 13, 4)) for ln in lines]
    assert len(lines) == 4
    assert not set.intersection(*shown)
    plt.close(ax.figure)
