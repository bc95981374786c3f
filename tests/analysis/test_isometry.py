"""Figures of the Jacobian's singular values, on a table whose values are known."""

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from analysis import isometry
from analysis.figures import compose, draw
from analysis.spectra import densities, moments
from initjax.meanfield import jacobian_density
from sweeps.isometry import SCHEMA

WIDTH = 40


def _network(activation, weights, depth, seed, values):
    return pd.DataFrame(
        {
            "activation": activation,
            "q": 1.0,
            "sigma_w": 1.0,
            "sigma_b": 0.0,
            "weights": weights,
            "width": WIDTH,
            "depth": depth,
            "seed": seed,
            "rank": np.arange(WIDTH),
            "log10_singular_value": values,
        }
    )


@pytest.fixture
def table():
    """λ = 1 for orthogonal weights, 4 and 0 by halves for Gaussian ones, plus a seed."""
    half = np.where(np.arange(WIDTH) < WIDTH // 2, np.log10(2), -np.inf)
    frames = [
        _network(activation, weights, depth, seed, values + 0.01 * seed)
        for activation in ("relu", "identity")
        for weights, values in (("gaussian", half), ("orthogonal", np.zeros(WIDTH)))
        for depth in (1, 2, 4)
        for seed in range(3)
    ]
    return SCHEMA.conform(pd.concat(frames))


def test_moments_are_those_of_the_table(table):
    rows = moments(table).set_index(["activation", "weights", "depth"])
    one = rows.loc[("identity", "gaussian", 4)]
    # λ = 4 · 10^(0.02 seed) for one half: mean 2, variance 4, at the median seed.
    assert one["mean"] == pytest.approx(2 * 10**0.02, rel=1e-3)
    assert one["variance"] == pytest.approx(4 * 10**0.04, rel=1e-3)
    assert one["isometry"] == pytest.approx(0.5, rel=1e-6)
    assert (one["mean_low"], one["largest_high"]) == pytest.approx((2, 4 * 10**0.04), 1e-3)
    assert one["variance_theory"] == pytest.approx(4)
    assert one["largest_theory"] == pytest.approx(5**5 / 4**4)
    assert rows.loc[("relu", "orthogonal", 4), "variance_theory"] == pytest.approx(4)
    assert rows["panel"].unique().tolist() == ["linear", "ReLU"]


def test_densities_have_the_mass_of_the_table_and_of_the_theory(table):
    rows = densities(table)
    assert rows["panel"].unique()[:3].tolist() == [f"linear, L = {d}" for d in (2, 4)] + [
        "ReLU, L = 2"
    ]
    same = rows[(rows["weights"] == "gaussian") & (rows["panel"] == "ReLU, L = 2")]
    seen = same[same["kind"] == "measured"]
    assert seen["per_decade"].sum() * 0.05 == pytest.approx(0.5)
    atoms = same[same["kind"] == "atom"]
    assert atoms["per_decade"].tolist() == pytest.approx([0.5])
    curve = same[same["kind"] == "theory"]
    mass = np.trapezoid(curve["per_decade"], curve["log10_value"])
    ends = 10 ** curve["log10_value"].iloc[[0, -1]]
    x = np.linspace(*ends, 2000)
    settings = {"depth": 2, "q": 1.0, "sigma_w": 2**0.5, "weights": "gaussian"}
    expected = np.trapezoid(jacobian_density(x, "relu", **settings), x)
    assert 0.1 < expected == pytest.approx(mass, rel=1e-2)


def test_panels_show_both_weights_with_theory(table):
    rows = moments(table)
    ax = isometry.plot_variance(rows[rows["panel"] == "linear"])
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert "orthogonal: 0 in theory" in ax.texts[0].get_text()
    dotted = [ln for ln in ax.get_lines() if ln.get_linestyle() == ":"]
    np.testing.assert_allclose(dotted[0].get_ydata(), [1, 2, 4])


def test_histograms_are_outlines_of_the_same_mass(table):
    rows = densities(table)
    one = rows[rows["panel"] == "ReLU, L = 2"]
    ax = isometry.plot_densities(one)
    assert not ax.collections, "areas of two colors would show a third"
    for weights in ("gaussian", "orthogonal"):
        same = one[(one["weights"] == weights) & (one["kind"] == "measured")]
        steps = next(p for p in ax.patches if p.get_label() == weights).get_data()
        mass = (steps.values * np.diff(np.log10(steps.edges))).sum()
        assert mass == pytest.approx(same["per_decade"].sum() * 0.05)


def test_bins_of_few_values_are_put_together():
    x = pd.Series(np.arange(0, 1, 0.05))
    few = pd.Series([1.0, 0, 2, 1] * 5)
    edges, height = isometry._bins(x, few)
    np.testing.assert_allclose(height, 1)
    np.testing.assert_allclose(edges, np.arange(-0.025, 1, 0.2))
    atom = pd.Series([0.0] * 19 + [1])
    assert len(isometry._bins(x, atom)[1]) == len(atom), "an atom stays as narrow as it is"
    edges, height = isometry._bins(x, few * 0 + np.arange(20) + 40)
    assert len(height) == len(few)


@pytest.mark.parametrize("figure", isometry.FIGURES, ids=lambda f: f.name)
def test_a_legend_covers_no_panel(table, figure):
    before = table.copy()
    canvas = compose(figure, figure.data(table))
    canvas.draw_without_rendering()
    box = canvas.legends[0].get_window_extent()
    for ax in canvas.axes:
        if ax.get_visible() and ax.axison:
            assert not box.overlaps(ax.get_tightbbox())
    pd.testing.assert_frame_equal(table, before)
    assert figure.caption.endswith(".")


def test_files_and_summary(table, tmp_path):
    assert len(draw(isometry, table, tmp_path)) == 9
    console = Console(width=120, record=True)
    console.print(isometry.summary(table))
    assert "orthogonal" in console.export_text()
