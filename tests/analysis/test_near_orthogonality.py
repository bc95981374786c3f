"""Figures of nearly orthogonal matrices, on tables made up, and the laws over them."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from scipy import stats
from scipy.integrate import quad

from analysis import near_orthogonality as drawn
from analysis import orthogonality as of
from analysis import orthogonality_laws as laws
from analysis.figures import compose
from sweeps.near_orthogonality import KURTOSIS, SCHEMA

NAN = float("nan")


def _row(record, law, m, n, seed, **measured):
    floats = {c.name: NAN for c in SCHEMA.columns if c.kind == "float"}
    settings = {"part": "matrices", "activation": "identity", "remedy": "none"}
    whole = {"matrix": -1, "layer": 0, "bin": -1, "count": 1, "drawn": n}
    lead = {"record": record, "law": law, "outputs": m, "inputs": n, "seed": seed}
    kurtosis = KURTOSIS.get(law, NAN)
    return {**floats, **settings, **whole, **lead, "kurtosis": kurtosis, **measured}


def _moments(law, m, n, seed):
    square, diagonal = laws.gram_moments(KURTOSIS.get(law, NAN), m, n)
    measured = {"mean_square": square + 1e-14, "diagonal": diagonal + 1e-14}
    norm = {"norm_mean": 1 + 0.03 * (seed - 1), "norm_std": 0.04, "norm_error": 0.1}
    return _row("moments", law, m, n, seed, **measured, **norm)


@pytest.fixture(scope="module")
def table():
    """Three seeds; Gaussian matrices with values 0.25 and 1.75, orthogonal ones with 1."""
    rows = []
    for law in ("gaussian", "orthogonal"):
        for seed in range(3):
            shapes = ((16, 16), (64, 64), (32, 64))
            rows += [_moments(law, m, n, seed) for m, n in shapes]
            for m, n in shapes:
                for at in range(5):
                    here = {"gaussian": (1, 2, 4, 2, 1), "orthogonal": (0, 0, 9, 0, 0)}
                    bins = {"bin": at, "middle": 0.25 * (at - 2), "count": here[law][at]}
                    rows.append(_row("angles", law, m, n, seed, **bins))
                for at in range(50):
                    values = (5, 35) if law == "gaussian" else (20,)
                    bins = {"bin": at, "middle": (at + 0.5) * 0.05}
                    count = 8 if at in values else 0
                    rows.append(_row("spectrum", law, m, n, seed, **bins, count=count))
                ends = (1 / n, 2.0) if law == "gaussian" else (1.0, 1.0)
                ends = dict(zip(("least", "greatest"), ends, strict=True))
                rows.append(_row("extremes", law, m, n, seed, matrix=0, **ends))
            for layer in (1, 2, 4):
                told = {"part": "depth", "matrix": 0, "layer": layer}
                logs = {"log_norm": -0.1 * layer - 0.01 * seed, "log_sine": -0.2 * layer}
                rows.append(_row("depth", law, 8, 8, seed, **told, **logs))
    for remedy, base in (("none", 0.5**0.5), ("gain", 1.0), ("layer_norm", 1.0)):
        for layer in (1, 2, 3):
            told = {"part": "layers", "activation": "relu", "remedy": remedy}
            mean = {"layer": layer, "norm_mean": base**layer}
            rows += [_row("layers", "gaussian", 8, 8, s, **told, **mean) for s in range(3)]
    return SCHEMA.conform(pd.DataFrame(rows))


@pytest.mark.parametrize("n", [2, 3, 10, 1000])
def test_the_angle_law_is_a_density_of_variance_one_over_n(n):
    moments = [
        quad(lambda t, p=p: np.cos(t) ** p * laws.angle_density(t, n), 0, np.pi)[0]
        if n < 100
        else np.trapezoid(
            np.cos(grid := np.linspace(0, np.pi, 200_001)) ** p
            * laws.angle_density(grid, n),
            grid,
        )
        for p in (0, 2)
    ]
    assert moments == pytest.approx([1, 1 / n], rel=1e-6)


@pytest.mark.parametrize(("m", "n"), [(9, 9), (9, 36), (36, 9)])
def test_the_value_law_is_a_density_of_known_moments(m, n):
    """Of min(m, n) values, whose squares have the mean n/min(m, n)."""
    ends = abs(1 - np.sqrt(n / m)), 1 + np.sqrt(n / m)
    mass, square = (
        quad(lambda s, p=p: s**p * laws.value_density(np.float64(s), m, n), *ends)[0]
        for p in (0, 2)
    )
    assert mass == pytest.approx(1, rel=1e-6)
    assert square == pytest.approx(n / min(m, n), rel=1e-6)
    if m == n:
        mean = quad(lambda s: s * laws.value_density(np.float64(s), m, n), *ends)[0]
        assert mean == pytest.approx(8 / (3 * np.pi), rel=1e-6)


def test_gram_moments_are_those_of_plain_draws():
    """And of the papers: (n + 1)/n² for Gaussian entries."""
    assert laws.gram_moments(3, 256, 256)[0] == pytest.approx(257 / 256**2)
    w = np.random.default_rng(0).choice([-1, 1, 0, 0], (4000, 6, 4)) / np.sqrt(3)
    errors = (np.swapaxes(w, 1, 2) @ w - np.eye(4)) ** 2  # variance 1/6, κ = 2
    seen = errors.mean((1, 2)), errors[:, np.eye(4, dtype=bool)].mean(1)
    for values, expected in zip(seen, laws.gram_moments(2, 6, 4), strict=True):
        assert abs(values.mean() - expected) < 5 * stats.sem(values)
        assert abs(values.mean() - 1.1 * expected) > 5 * stats.sem(values)


def test_norm_moments_are_those_of_chi():
    mean, std = laws.norm_moments(3, 10, 10, 10)
    chi = stats.chi(10, scale=10**-0.5)
    assert (mean, std) == pytest.approx((chi.mean(), chi.std()), rel=1e-10)
    near = laws.norm_moments(3.0001, 1000, 1000, 1000)
    assert near == pytest.approx(laws.norm_moments(3, 1000, 1000, 1000), rel=1e-3)


def test_rates_are_those_of_logarithms_of_chi():
    first, second = laws.rates(8)
    assert first == pytest.approx(
        quad(lambda x: np.log(x / 8) / 2 * stats.chi2(8).pdf(x), 0, np.inf)[0], rel=1e-6
    )
    logs = [
        quad(lambda x, k=k: np.log(x) / 2 * stats.chi2(k).pdf(x), 0, 200)[0] for k in (7, 8)
    ]
    assert second == pytest.approx(logs[0] - logs[1], rel=1e-5)


def test_points_are_means_of_the_table(table):
    rows = of.squares(table)
    np.testing.assert_allclose(rows["measured"], rows["exact"], rtol=1e-4, atol=1e-12)
    spread = of.norms(table)["measured"]
    each = np.mean([np.hypot(0.04, d) for d in (0.03, 0, 0.03)])
    np.testing.assert_allclose(spread, each, rtol=1e-4)
    ax = drawn.plot_squares(rows[rows["panel"] == "WᵀW − I, n × n"])
    assert ax.get_xscale() == ax.get_yscale() == "log"
    assert "orthogonal: below $10^{-1" in ax.texts[0].get_text()
    line = next(ln for ln in ax.get_lines() if ln.get_linestyle() == "-")
    np.testing.assert_allclose(line.get_ydata(), [17 / 16, 65 / 64])
    x, y = ax.containers[0].lines[0].get_data()
    np.testing.assert_allclose(y.astype(float), [17 / 16, 65 / 64], rtol=1e-4)
    np.testing.assert_allclose(x.astype(float), line.get_xdata())


def test_lengths_of_part_of_a_matrix_are_left_out(table):
    some = table.copy()
    some.loc[(some["inputs"] == 64) & (some["outputs"] == 64), "drawn"] = 8
    for data, left in ((of.norms, {16}), (of.squares, {16, 64})):
        rows = data(some)
        assert set(rows.loc[rows["outputs"] == rows["inputs"], "inputs"]) == left


def test_points_of_products_are_means_with_two_errors(table):
    """The exact mean is that of the points, not of their median."""
    lost = table.copy()
    mine = (lost["record"] == "depth") & (lost["seed"] == 0) & (lost["layer"] == 4)
    lost.loc[mine, "log_norm"] = -9.0
    rows = of.depth(lost)
    ax = drawn.plot_depth(rows[rows["panel"] == "ln ‖x‖"])
    values = np.array([-9, -0.41, -0.42])
    bars = ax.containers[0]
    assert bars.lines[0].get_ydata()[-1] == pytest.approx(values.mean(), rel=1e-5)
    ends = bars.lines[2][0].get_segments()[-1][:, 1]
    assert np.ptp(ends) == pytest.approx(4 * stats.sem(values), rel=1e-4)
    theory = next(ln for ln in ax.get_lines() if ln.get_linestyle() == ":")
    np.testing.assert_allclose(theory.get_ydata(), laws.rates(8)[0] * np.array([1, 2, 4]))


def test_the_band_of_the_least_values_is_kolmogorovs():
    """Of 20 values 95 % of the samples keep within 0.294 (tables of the test)."""
    assert laws.kolmogorov(20) == pytest.approx(0.294, abs=5e-4)
    values = np.sort(np.random.default_rng(0).random((4000, 20)))
    steps = np.arange(21) / 20
    off = np.maximum(steps[1:] - values, values - steps[:-1]).max(1)
    inside = (off < laws.kolmogorov(20)).mean()
    assert abs(inside - 0.95) < 6 * np.sqrt(0.05 * 0.95 / 4000)


def test_histograms_have_mass_one(table):
    rows = of.angles(table)
    same = rows[(rows["law"] == "gaussian") & (rows["inputs"] == 16)]
    degrees = np.diff(same["degrees"]).mean()
    assert (same["measured"] * degrees).sum() == pytest.approx(1)
    assert same["degrees"].iloc[2] == 90
    values = of.spectra(table)
    one = values[(values["law"] == "gaussian") & (values["panel"] == "64 × 64")]
    assert one["measured"].sum() * 0.05 == pytest.approx(1)
    assert one.set_index("value")["measured"].idxmax() == pytest.approx(0.275)
    ax = drawn.plot_spectra(values[values["panel"] == "32 × 64"])
    spike = next(ln for ln in ax.get_lines() if ln.get_label() == "orthogonal")
    assert spike.get_xdata()[0] == pytest.approx(2**0.5)
    assert min(spike.get_ydata()) > 0.8, "clear of the curves"


def test_a_short_range_has_ticks_to_read_it_by(table):
    canvas = compose(drawn.FIGURES[2], of.norms(table))
    canvas.draw_without_rendering()
    for ax in canvas.axes:
        low, high = ax.get_ylim()
        assert sum(low <= tick <= high for tick in ax.get_yticks()) >= 2


def test_remedies_that_agree_are_side_by_side(table):
    _, ax = plt.subplots()
    drawn.plot_lengths(of.lengths(table), ax=ax)
    curves = [ln for ln in ax.get_lines() if ln.get_marker() in set("o^s")]
    x = np.array([ln.get_xdata() for ln in curves])
    assert np.diff(np.sort(x, axis=0), axis=0).min() > 0.1


def test_laws_are_named_in_words(table):
    _, ax = plt.subplots()
    rows = of.squares(table).assign(law="student_t")
    told = drawn.plot_squares(rows, ax=ax).get_legend_handles_labels()[1]
    assert told == ["student t"]


def test_conditions_leave_out_singular_matrices(table):
    rows = of.conditions(table).set_index(["law", "inputs"])
    assert rows.loc[("gaussian", 64), "measured"] == pytest.approx(np.log(128), rel=1e-4)
    lost = table.copy()
    lost.loc[(lost["record"] == "extremes") & (lost["seed"] == 0), "least"] = 0.0
    rows = of.conditions(lost).set_index(["law", "inputs"])
    assert rows.loc[("gaussian", 64), "singular"] == pytest.approx(1 / 3)
    assert rows.loc[("gaussian", 64), "measured"] == pytest.approx(np.log(128), rel=1e-4)


def test_lengths_and_depth_carry_their_theory(table):
    rows = of.lengths(table)
    plain = rows[rows["remedy"] == "none"]
    np.testing.assert_allclose(plain["theory"], plain["measured"], rtol=1e-4)
    deep = of.depth(table)
    same = deep[(deep["law"] == "gaussian") & (deep["panel"] == "ln ‖x‖")]
    np.testing.assert_allclose(same["theory"], laws.rates(8)[0] * same["layer"])
    np.testing.assert_allclose(same["measured"], -0.1 * same["layer"] - 0.01, atol=1e-3)


@pytest.mark.parametrize("figure", drawn.FIGURES, ids=lambda f: f.name)
def test_a_legend_covers_no_panel(table, figure):
    before = table.copy()
    canvas = compose(figure, figure.data(table))
    canvas.draw_without_rendering()
    box = canvas.legends[0].get_window_extent()
    assert not any(box.overlaps(ax.get_tightbbox()) for ax in canvas.axes if ax.axison)
    pd.testing.assert_frame_equal(table, before)
    assert figure.caption.endswith(".")


def test_the_summary_says_what_is_near_and_what_is_not(table):
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(drawn.summary(table))
    words = " ".join(console.export_text().split())
    assert "gaussian 1.0156 (1.0156) 4.85 (5.70) 0%" in words
