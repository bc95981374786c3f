"""Figures of the vanishing gradient, by the data of their artists, on tables made up."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from scipy import stats

from analysis import gradient_rows, gradient_theory, vanishing_gradient
from analysis.bands import Absent
from analysis.figures import compose, draw
from sweeps.vanishing_gradient import SCHEMA

SMALL, XAVIER = "normal(0.01)", "xavier_normal(gain)"
SEEDS = 11
STATISTICS = list(gradient_rows.STATISTICS)


def _row(part, activation, scheme, bias, rate, seed, step, layer):
    """Norms that fall by two decades a layer, the seeds a tenth of a decade apart."""
    log10 = -2.0 * (5 - layer) + 0.1 * (seed - 5) - 0.01 * step
    return {
        **{"part": part, "activation": activation, "scheme": scheme, "bias": bias},
        **{"rate": rate, "seed": seed, "step": step, "layer": layer},
        **dict.fromkeys(STATISTICS, log10),
        **{"loss": 0.7 - 0.01 * step, "accuracy": 0.5, "test_accuracy": 0.5},
    }


def _table(activations=("sigmoid", "relu"), slow=("relu",)):
    starts = ((SMALL, 1.0), (XAVIER, 0.0))
    networks = [
        *(("first", a, *start, 0.0, 0) for a in activations for start in starts),
        *(
            ("training", a, *start, rate, step)
            for a in activations
            for start in starts
            for rate in (0.01, 1.0)
            for step in (0, 1, 20)
        ),
        *(("slow", a, SMALL, 1.0, 1.0, step) for a in slow for step in (0, 50)),
    ]
    rows = [
        _row(*network[:5], seed, network[5], layer)
        for network in networks
        for seed in range(SEEDS)
        for layer in range(1, 6)
    ]
    return SCHEMA.conform(pd.DataFrame(rows))


def _words(group):
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(group)
    return " ".join(console.export_text().split())


def _lines(ax):
    return {line.get_label(): line for line in ax.get_lines()}


def test_layers_show_medians_bands_theory_and_published_runs():
    table = _table()
    before = table.copy()
    rows = gradient_rows.by_layer(table)
    pd.testing.assert_frame_equal(table, before)
    ax = vanishing_gradient.plot_by_layer(rows[rows["activation"] == "sigmoid"])
    lines = _lines(ax)
    medians = 10.0 ** (-2 * np.arange(4, -1, -1))
    np.testing.assert_allclose(lines["N(0, 0.01²), b = 1"].get_ydata(), medians, rtol=1e-3)
    np.testing.assert_allclose(lines["Xavier, b = 0"].get_ydata(), medians, rtol=1e-3)
    theory = lines["first order in W"].get_ydata()
    law = 10 ** gradient_theory.expected("sigmoid")
    np.testing.assert_allclose(theory[np.isfinite(theory)], law, rtol=1e-4)
    stars = lines["published, one run"].get_ydata()
    np.testing.assert_allclose(stars[np.isfinite(stars)], [2.5e-11, 0.28], rtol=1e-4)
    assert len(ax.collections) == 1, "a band for the published kind"
    at = rows[(rows["activation"] == "relu") & (rows["scheme"] == SMALL)].iloc[0]
    assert (at["low"], at["high"]) == pytest.approx((-8.5, -7.5), abs=1e-4)


def test_a_gradient_of_zero_is_a_value():
    table = _table()
    relu = (table["activation"] == "relu") & (table["layer"] == 1)
    table.loc[relu & (table["seed"] < 2), STATISTICS] = -np.inf
    rows = gradient_rows.by_layer(table).set_index(["activation", "scheme", "layer"])
    assert rows.loc[("relu", SMALL, 1), "low"] == -np.inf
    assert rows.loc[("relu", SMALL, 1), "median"] == pytest.approx(-8)
    found = gradient_theory.split(table).set_index(["activation", "scheme"])
    assert found.loc[("relu", SMALL), "zero"] == pytest.approx(2 / SEEDS)
    assert found.loc[("sigmoid", SMALL), "zero"] == 0


def test_the_law_is_that_of_products_of_random_matrices():
    """By drawing them: norms of cotangents through 3 x 3 matrices of std 0.01."""
    random = np.random.default_rng(0)
    count, slope = 20_000, np.exp(-1) / (1 + np.exp(-1)) ** 2
    delta = np.full((count, 1), 1 / (1 + np.exp(-1)) - 0.5)
    norms = [np.abs(delta[:, 0])]
    for width in (1, 3, 3, 3):
        weights = 0.01 * random.standard_normal((count, 3, width))
        delta = slope * np.einsum("nij,nj->ni", weights, delta)
        norms.insert(0, np.linalg.norm(delta, axis=1))
    found = np.log10(norms)
    expected = gradient_theory.expected("sigmoid", "bias")
    scatter = gradient_theory.scatter()
    error = scatter / np.sqrt(count)
    assert (abs(found.mean(1) - expected) < 5 * error + 1e-9).all()
    # Of the standard deviation, to five standard errors if it were normal, and its tail.
    np.testing.assert_allclose(found.std(1), scatter, rtol=0.04, atol=1e-9)
    assert 5 * error[0] < 4 * np.log10(1.05), "a gain 5 % off would be found"
    entry = gradient_theory.expected("sigmoid")[0] - expected[0]
    at = np.linspace(-14, -7, 4001)
    density = gradient_theory.density("sigmoid", 1, at)
    below = np.cumsum(density) * (at[1] - at[0])
    assert below[-1] == pytest.approx(1, abs=1e-3)
    distance = stats.kstest(found[0] + entry, lambda x: np.interp(x, at, below)).statistic
    assert distance < 1.95 / np.sqrt(count) + 2e-3


def test_means_of_the_inputs_are_those_of_the_moons():
    from sklearn.datasets import make_moons

    points, labels = make_moons(2000, noise=None)
    np.testing.assert_allclose(points.mean(0), [0.5, 0.25], atol=1e-3)
    second = points[labels == 1].mean(0)
    np.testing.assert_allclose(second, [1, 0.5 - 2 / np.pi], atol=1e-3)


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "relu", "leaky_relu", "gelu"])
def test_values_and_slopes_are_those_of_the_activations(name):
    from initjax.activations import resolve, value_and_derivative

    for z in (1.0, -0.7):
        np.testing.assert_allclose(
            gradient_theory._AT[name](z),
            value_and_derivative(resolve(name).function, np.float32(z)),
            rtol=1e-5,
            atol=1e-7,
        )


def test_percentiles_count_the_seeds_below():
    found = gradient_theory.percentiles(_table()).set_index(["activation", "layer"])
    # log10 norms of layer 1 are -8.5 … -7.5, of layer 5 -0.5 … 0.5.
    assert found.loc[("sigmoid", 1), "percentile"] == 0
    assert found.loc[("relu", 1), "percentile"] == pytest.approx(100 * 8 / 11)
    assert found.loc[("sigmoid", 5), "percentile"] == 0
    assert found.loc[("relu", 5), "percentile"] == pytest.approx(100 / 11)


def test_weights_and_slopes_share_what_is_lost():
    found = gradient_theory.split(_table()).set_index(["activation", "scheme"])
    np.testing.assert_allclose(found["decades"], -8, atol=1e-3)
    np.testing.assert_allclose(found["weights"] + found["slope"], found["decades"])
    chi = np.sqrt(np.random.default_rng(0).chisquare(3, 100_000))
    mean = np.log10(chi).mean()
    assert found.loc[("relu", SMALL), "weights"] == pytest.approx(
        4 * (np.log10(0.01) + mean), abs=0.01
    )
    expected = 3 * np.log10(2**0.5 * (1 / 3) ** 0.5) + np.log10(1.0) + 4 * mean
    assert found.loc[("relu", XAVIER), "weights"] == pytest.approx(expected, abs=0.01)


def test_training_shows_the_highest_rate():
    rows = gradient_rows.in_training(_table())
    assert set(rows["step"]) == {0, 1, 20}
    panel = "sigmoid, N(0, 0.01²), b = 1"
    ax = vanishing_gradient.plot_in_training(rows[rows["panel"] == panel])
    lines = _lines(ax)
    assert list(lines)[:5] == [f"layer {layer}" for layer in range(1, 6)]
    expected = 10.0 ** (-8 - 0.01 * np.array([0, 1, 20]))
    np.testing.assert_allclose(lines["layer 1"].get_ydata(), expected, rtol=2e-3)
    assert len(ax.collections) == 2
    assert not ax.texts, "none is dead"
    assert lines["layers 4 and 5 below it: rounding of float32"].get_ydata()[0] == 1e-7


def test_dead_networks_are_counted_and_their_band_is_drawn():
    """Two of eleven at first and four at the end: beyond the median, within the band."""
    table = _table(("relu",))
    training = table["part"] == "training"
    dead = (table["seed"] < 2) | ((table["seed"] < 4) & (table["step"] == 20))
    table.loc[training & dead, "weight_grad_log10_norm"] = -np.inf
    rows = gradient_rows.in_training(table)
    panel = rows[rows["panel"] == rows["panel"].iloc[0]]
    shares = panel[panel["layer"] == 1].set_index("step")["zero"]
    assert shares.to_dict() == pytest.approx({0: 2 / 11, 1: 2 / 11, 20: 4 / 11})
    ax = vanishing_gradient.plot_in_training(panel)
    assert "18 % at step 0, 36 % at the end" in ax.texts[0].get_text()
    corners = ax.collections[0].get_paths()[0].vertices
    assert corners[:, 1].min() < ax.get_ylim()[0], "down to the edge"
    assert corners[:, 1].max() == pytest.approx(10**-7.5, rel=0.01)


def test_side_by_side_shows_every_statistic():
    rows = gradient_rows.side_by_side(_table())
    assert rows["panel"].nunique() == 4
    ax = vanishing_gradient.plot_side_by_side(rows[rows["panel"] == rows["panel"].iloc[0]])
    assert len(ax.get_lines()) == len(STATISTICS)


def test_seeds_are_shown_with_the_published_run():
    rows = gradient_rows.over_seeds(_table())
    assert rows["panel"].nunique() == 4
    panel = next(name for name in rows["panel"] if name.startswith("relu, layer 1"))
    assert "73" in panel
    ax = vanishing_gradient.plot_over_seeds(rows[rows["panel"] == panel])
    assert _lines(ax)["published run"].get_xdata()[0] == pytest.approx(np.log10(1.7e-8))
    areas = [bar.get_height() * bar.get_width() for bar in ax.patches]
    assert sum(areas) == pytest.approx(1)


def test_losses_have_a_panel_for_each_start_and_rate():
    rows = gradient_rows.losses(_table())
    assert rows["panel"].nunique() == 5 + 1
    panel = [name for name in rows["panel"].unique() if name.endswith("longer")]
    ax = vanishing_gradient.plot_losses(rows[rows["panel"] == panel[0]])
    np.testing.assert_allclose(_lines(ax)["relu"].get_ydata(), [0.7, 0.2], rtol=1e-3)
    assert _lines(ax)["ln 2"].get_ydata()[0] == pytest.approx(np.log(2))
    assert ax.texts[0].get_text() == "below 0.6:\nrelu 100 %"


def test_shares_that_learn_are_shown_over_the_steps():
    """Five of eleven sigmoid networks, from one start at one rate."""
    table = _table()
    some = (table["activation"] == "sigmoid") & (table["seed"] < 5) & (table["step"] == 20)
    start = (table["scheme"] == XAVIER) & (table["rate"] == 1)
    table["loss"] = np.where(some & start, 0.3, 0.69)
    rows = gradient_rows.losses(table)
    panel = "Xavier, b = 0, rate 1"
    ax = vanishing_gradient.plot_losses(rows[rows["panel"] == f"below 0.6: {panel}"])
    lines = _lines(ax)
    np.testing.assert_allclose(lines["sigmoid"].get_ydata(), [0, 0, 5 / 11])
    np.testing.assert_allclose(lines["relu"].get_ydata(), [0, 0, 0])
    assert "ln 2" not in lines
    assert ax.get_title(loc="left") == f"share < 0.6: {panel}", "says what the axis is"
    ax = vanishing_gradient.plot_losses(rows[rows["panel"] == panel], ax=plt.figure().gca())
    assert ax.texts[0].get_text() == "below 0.6:\nsigmoid 45 %"
    other = rows[rows["panel"] == "N(0, 0.01²), b = 1, rate 1"]
    ax = vanishing_gradient.plot_losses(other, ax=plt.figure().gca())
    assert ax.texts[0].get_text() == "below 0.6:\nnone"
    assert [text.get_text() for text in ax.get_xticklabels()] == ["0", "1", "10"]


def test_what_is_not_there_is_not_drawn(tmp_path):
    few = _table(("tanh",), slow=())
    names = {path.stem for path in draw(vanishing_gradient, few, tmp_path)}
    assert names == {"by_layer", "losses"}
    with pytest.raises(Absent):
        gradient_rows.over_seeds(few)
    no_small = few[few["scheme"] != SMALL]
    assert _words(vanishing_gradient.summary(no_small)) == ""
    words = _words(vanishing_gradient.summary(_table()))
    assert "relu 1 1.7e-08 1e-08 73 %" in words
    assert "sigmoid N(0, 0.01²), b = 1 8.0 7.4 0.6 0%" in words


def test_every_figure_has_its_panels():
    for figure in vanishing_gradient.FIGURES:
        rows = figure.data(_table())
        canvas = compose(figure, rows)
        drawn = [ax for ax in canvas.axes if ax.axison]
        assert len(drawn) == rows[figure.panels].nunique()
