"""Figures of the sweep of symmetry, by the data of their artists, on a table made up."""

import io
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from rich.console import Console

from analysis import symmetry_breaking as figures
from analysis import symmetry_courses as courses
from analysis import symmetry_saddle as saddle
from analysis.bands import Absent
from analysis.figures import compose, draw
from sweeps import symmetry_breaking as sweep
from sweeps.harness.table import load

RESULTS = Path(__file__).resolve().parents[2] / "results" / "symmetry_breaking"
STEPS = (0, 10, 100)
SEEDS = 5
ALIKE, MANY, SMALL = "zeros", "normal(1)", "normal(0.01)"


def _network(start, seed, width=5):
    alike = start == ALIKE or width == 1
    falls = np.array([0.0, 0.1, 0.3 if alike else 0.5]) + 0.01 * seed
    nothing = np.array([0.0, -np.inf, -np.inf])
    return {
        **{"start": start, "width": width, "rate": 0.2, "steps": 100, "seed": seed},
        **{"step": STEPS, "loss": 0.7 - falls, "dev_loss": 0.7 - falls},
        **{name: 0.5 + falls for name in ("accuracy", "dev_accuracy", "test_accuracy")},
        "entry_grad_log10_norm": [-np.inf if alike else -1.0, -2.0, -3.0],
        "log10_distance": -np.inf if alike else np.array([0.0, 0.1, 0.2]),
        "log10_singular_1": 0.5 + nothing[:1].repeat(3),
        "log10_singular_2": -np.inf if alike else -0.5,
        "rank": 1 if alike else 2,
        "positive_share": [0.5, 0.51, 0.49, 0.52, 0.505][seed],
        "escape_step": -1 if seed == 0 and alike else 100 * (seed + 1),
    }


@pytest.fixture
def table():
    networks = [
        _network(start, seed) for start in (SMALL, MANY, ALIKE) for seed in range(SEEDS)
    ]
    networks += [_network(MANY, seed, width=1) for seed in range(SEEDS)]
    return sweep.SCHEMA.conform(pd.concat(map(pd.DataFrame, networks)))


def _drawn(plot, rows):
    ax = plt.figure().gca()
    assert plot(rows, ax=ax) is ax
    return ax, {line.get_label(): line for line in ax.get_lines()}


def test_courses_are_medians_and_bands_beside_one_unit(table):
    before = table.copy()
    rows = courses.courses(table, "loss")
    pd.testing.assert_frame_equal(table, before)
    assert rows["panel"].unique().tolist() == ["all units alike", "random", "small random"]
    ax, lines = _drawn(figures.plot_loss, rows[rows["panel"] == "random"])
    np.testing.assert_array_equal(lines[MANY].get_xdata(), STEPS)
    np.testing.assert_allclose(lines[MANY].get_ydata(), [0.68, 0.58, 0.18], rtol=1e-5)
    alone = lines["one unit from normal(1)"]
    np.testing.assert_allclose(alone.get_ydata(), [0.68, 0.58, 0.38], rtol=1e-5)
    (guess,) = (line for line in ax.get_lines() if line.get_gid() == "ln 2")
    np.testing.assert_allclose(guess.get_ydata(), np.log(2))
    assert [text.get_text().strip() for text in ax.texts] == ["ln 2, a guess"]
    (band,) = ax.collections
    edges = band.get_paths()[0].vertices[:, 1]
    assert (edges.min(), edges.max()) == pytest.approx((0.16, 0.7), rel=1e-5)


def test_what_is_exactly_0_is_named_and_not_drawn(table):
    rows = courses.courses(table, "log10_distance")
    ax, lines = _drawn(figures.plot_distance, rows[rows["panel"] == "all units alike"])
    assert ALIKE not in lines
    (text,) = (text.get_text() for text in ax.texts)
    assert text == "exactly 0 in every seed at every step:\nzeros"
    bound = 10 ** lines["rounding, not amplified"].get_ydata()
    np.testing.assert_allclose(bound, np.array([115, 475]) * 2.0**-24)
    ax, lines = _drawn(figures.plot_distance, rows[rows["panel"] == "random"])
    np.testing.assert_allclose(lines[MANY].get_ydata(), [0, 0.1, 0.2], atol=1e-6)
    assert not ax.texts


def test_singular_values_are_shown_as_their_ratio(table):
    rows = courses.ratio(table)
    _, lines = _drawn(figures.plot_singular, rows[rows["panel"] == "random"])
    np.testing.assert_allclose(lines[MANY].get_ydata(), -1)
    (at,) = set(lines["5 · 2⁻²³: rank 1 below"].get_ydata())
    assert 10**at == pytest.approx(5 * np.finfo(np.float32).eps)


def test_gradients_lie_beside_the_linear_theory(table):
    rows = courses.courses(table, "entry_grad_log10_norm")
    _, lines = _drawn(figures.plot_gradient, rows[rows["panel"] == "all units alike"])
    assert np.isnan(lines[ALIKE].get_ydata()[0]), "0 has no place on a log axis"
    share = table[table["start"] == ALIKE].groupby("seed")["positive_share"].first()
    seen = saddle.from_zero(share.to_numpy(float), 0.2, 5, 100)
    theory = dict(zip(*lines["zeros, linear theory"].get_data(), strict=True))
    assert theory[10] == pytest.approx(np.median(seen.log10_norm[10]))
    assert theory[100] == pytest.approx(np.median(seen.log10_norm[100]))
    _, lines = _drawn(figures.plot_gradient, rows[rows["panel"] == "random"])
    assert "zeros, linear theory" not in lines


def test_escapes(table):
    rows = saddle.escapes(table)
    zeros = rows[(rows["panel"] == "weights of 0") & (rows["seed"] >= 0)]
    assert zeros["x"].tolist() == pytest.approx([0, 0.005, 0.01, 0.01, 0.02], rel=1e-4)
    assert zeros["escape_step"].isna().tolist() == [True, *4 * [False]]
    assert np.isnan(zeros["theory"].iloc[0])
    assert (np.diff(zeros["theory"].iloc[1:]) <= 0).all()
    _, lines = _drawn(figures.plot_escapes, rows[rows["panel"] == "weights N(0, σ²)"])
    x, y = lines["a network"].get_data()
    assert x.tolist() == pytest.approx([0.01] * 5 + [1] * 5)
    assert y.tolist() == [100, 200, 300, 400, 500] * 2
    expected = saddle.escape_from_noise(np.array([0.01]), 0.51, 0.2, 5)
    assert lines["linear theory"].get_data()[0][[0, -1]] == pytest.approx([0.01, 1])
    assert lines["linear theory"].get_ydata()[0] == expected
    with pytest.raises(Absent):
        saddle.escapes(table[table["step"] > 0])


def test_theory_of_noise_is_for_the_share_of_each_data_set(table):
    """0.5, and 0.52, are the ends of the band; of 1e-6 it is wide."""
    tiny = table.assign(start=table["start"].astype(str).replace(SMALL, "normal(1e-06)"))
    rows = saddle.escapes(tiny)
    rows = rows[rows["panel"] != "weights of 0"]
    shares = np.array([0.5, 0.51, 0.49, 0.52, 0.505])
    theory = saddle.escape_from_noise(np.full(SEEDS, 1e-6), shares, 0.2, 5).tolist()
    found = rows[rows["x"] == 1e-6].set_index("seed")
    # At a share of 0.49 the map goes the other way, and as far.
    assert found.loc[range(SEEDS), "theory"].tolist() == theory
    ends = found.loc[-1, ["early", "theory", "late"]].tolist()
    assert ends == [theory[3], theory[1], theory[0]]
    assert ends[2] > 2 * ends[0]
    ax, _ = _drawn(figures.plot_escapes, rows)
    (band,) = ax.collections
    edges = band.get_paths()[0].vertices
    at = edges[np.isclose(edges[:, 0], 1e-6), 1]
    assert (at.min(), at.max()) == (ends[0], ends[2])


def test_equal_classes_stand_apart_from_the_log_axis(table):
    rows = saddle.escapes(table)
    zeros = rows[rows["panel"] == "weights of 0"].fillna({"escape_step": 1900})
    ax, lines = _drawn(figures.plot_escapes, zeros)
    x = lines["a network"].get_xdata()
    (span,) = ax.patches
    left, right = span.get_x(), span.get_x() + span.get_width()
    assert left < x[0] < right < x[1]
    assert ax.get_xticks()[0] == x[0]
    assert ax.get_xticklabels()[0].get_text() == "0"
    assert right < ax.get_xticks()[1]


def test_one_color_a_start_and_captions_of_one_line():
    """Two panels across hold 79 letters of a caption, less leave a word to a line."""
    colors = [to_hex(look["color"]) for look in figures._LOOKS.values()]
    assert len(set(colors)) == len(courses.STARTS)
    assert all(len(figure.caption) <= 79 for figure in figures.FIGURES)


def test_the_linear_map_is_descent_near_0():
    """Of a network by hand in float64, from weights so small that nothing else counts."""
    random, n, rate = np.random.default_rng(0), 4, 0.2
    y = np.repeat([0.0, 1.0], [49, 51])[:, None]
    pull = np.array([0.6, -0.8]) * saddle.PULL  # E (y - ½) x, as the map takes it
    x = random.standard_normal((100, 2))
    x -= (y - 0.5) * ((y - 0.5).T @ x) / ((y - 0.5) ** 2).sum()
    x += (y - 0.5) * pull / 0.25
    w, b, a, c = np.zeros((2, n)), np.zeros(n), np.zeros((n, 1)), 0.0
    norms = []
    for _ in range(201):
        h = 1 / (1 + np.exp(-(x @ w + b)))
        error = (1 / (1 + np.exp(-(h @ a + c))) - y) / 100
        delta = error @ a.T * h * (1 - h)
        norms.append(np.sqrt(((x.T @ delta) ** 2).sum() + (delta.sum(0) ** 2).sum()))
        w, b = w - rate * x.T @ delta, b - rate * delta.sum(0)
        a, c = a - rate * h.T @ error, c - rate * error.sum()
    seen = saddle.from_zero(np.array(0.51), rate, n, 200)
    assert norms[0] == 0
    assert seen.log10_norm[0] == -np.inf
    np.testing.assert_allclose(seen.log10_norm[1:], np.log10(norms[1:]), atol=0.03)
    wrong = saddle.from_zero(np.array(0.51), 1.1 * rate, n, 200).log10_norm
    assert abs(wrong[200] - np.log10(norms[200])) > 0.06


@pytest.mark.parametrize("alike", [1, 5])
def test_growth_is_what_the_map_settles_to(alike):
    gain = saddle.from_zero(np.array(0.51), 0.2, alike, 1500).gain
    assert gain[1500] / gain[1499] == pytest.approx((1 + saddle.growth(0.2, alike)) ** 2)
    assert saddle.growth(0.2) == pytest.approx(0.2 * saddle.PULL / 4)


def test_the_pull_is_that_of_the_half_circles():
    t = np.linspace(0, np.pi, 100_001)
    x = np.stack([[np.cos(t), np.sin(t)], [1 - np.cos(t), 0.5 - np.sin(t)]])
    difference = x[1].mean(1) - x[0].mean(1)
    assert np.linalg.norm(difference) / 4 == pytest.approx(saddle.PULL, rel=1e-4)


def test_verdicts_compare_with_one_unit_on_the_same_points(table):
    found = courses.verdicts(table).set_index("start")
    assert found["beats"].to_dict() == {ALIKE: 0, MANY: SEEDS, SMALL: SEEDS}
    assert found.loc[MANY, "test_accuracy"] == pytest.approx(1.02)
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(figures.summary(table))
    words = " ".join(console.export_text().split())
    assert "zeros 100 1 0 0.380 82% 0 of 5 seeds" in words
    assert "normal(1) 100 2 1.6 0.180 102% 5 of 5 seeds" in words


def test_every_figure_is_drawn(table, tmp_path):
    names = {path.stem for path in draw(figures, table, tmp_path)}
    assert names == {"loss", "accuracy", "distance", "singular", "gradient", "escapes"}
    for figure in figures.FIGURES[:1]:
        canvas = compose(figure, figure.data(table))
        assert [ax.get_title(loc="left") for ax in canvas.axes[:3]] == [
            *("(a) all units alike", "(b) random", "(c) small random"),
        ]


@pytest.mark.slow
def test_committed_figures_are_those_of_the_committed_table(tmp_path):
    draw(figures, load(RESULTS / "table.parquet"), tmp_path)
    kept = sorted((RESULTS / "figures").glob("*.csv"))
    assert {path.name for path in kept} == {path.name for path in tmp_path.glob("*.csv")}
    for path in kept:
        pd.testing.assert_frame_equal(
            pd.read_csv(tmp_path / path.name), pd.read_csv(path), rtol=1e-4
        )
