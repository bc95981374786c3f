"""Figures of the samples, by the data of their artists, on tables made up."""

import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from scipy import stats

from analysis import init_distributions, laws
from analysis.bands import Absent
from analysis.figures import compose, draw
from sweeps.init_distributions import SCHEMA

SEEDS = 4
PROBABILITIES = (0.025, 0.5, 0.975)


def _cell(scheme, source="initjax", shape="8x4", sample="entries", kept=1.0):
    """Bins of a uniform law of std 2 on ±2√3, moments, quantiles and atoms."""
    edge = 2 * 3**0.5
    base = dict.fromkeys(SCHEMA.names, np.nan)
    base |= {"sample": sample, "source": source, "scheme": scheme, "shape": shape}
    base |= {"seeds": SEEDS, "entries": 100, "law_std": 2 * kept**0.5, "law_kept": kept}
    base |= {"law_kurtosis": 1.8, "law_largest": 1.7, "law_from_normal": 0.05}
    base |= {"law_mean": 0.0}
    rows = [
        {
            **{"kind": "moments", "index": seed, "kurtosis": 2 + seed, "largest": seed},
            **{"mean_z": seed - 1.0, "variance_z": np.nan, "kurtosis_z": 0.5},
            **{"entries": 100 * (SEEDS if seed < 0 else 1), "from_normal": 0.07},
        }
        for seed in range(-1, SEEDS)
    ]
    for n in range(4):
        value = edge * (2 * n - 3) / 4
        shares = {"share": kept * (n + 1) / 10, "law_share": kept / 4}
        rows.append(
            {"kind": "bin", "index": n, "value": value, "width": edge / 2, **shares}
        )
    for n, p in enumerate(PROBABILITIES):
        shares = {"share": p + 0.01 * n, "law_share": p}
        rows.append({"kind": "quantile", "index": n, "value": p, **shares})
    if kept < 1:
        shares = {"share": 1 - kept, "law_share": 1 - kept}
        rows.append({"kind": "atom", "index": 0, "value": 0.0, **shares})
    return pd.DataFrame([base | row for row in rows])


def _table(*parts):
    return SCHEMA.conform(pd.concat(parts))


@pytest.fixture(scope="module")
def table():
    sums = [
        _cell(scheme, shape=f"{fan}x100", sample="preactivations")
        for scheme in ("kaiming_normal", "kaiming_uniform", "he_normal")
        for fan in (1, 4)
    ]
    return _table(
        _cell("kaiming_uniform"),
        _cell("kaiming_uniform", shape="2x4x4"),
        _cell("he_uniform", source="jax"),
        _cell("sparse", kept=0.25),
        *sums,
    )


def test_histograms_are_densities_in_standard_deviations(table):
    rows = laws.histograms(table)
    assert list(dict.fromkeys(rows["panel"])) == ["kaiming_uniform", "sparse", laws.EXACT]
    for panel in ("kaiming_uniform", "sparse"):
        ours = rows[(rows["panel"] == panel) & (rows["source"] == "initjax")]
        np.testing.assert_allclose(ours["law"], 1 / (2 * 3**0.5), rtol=1e-4)
        np.testing.assert_allclose(
            ours["x"], 3**0.5 * np.array([-3, -1, 1, 3]) / 4, rtol=1e-4
        )
        expect = np.array([1, 2, 3, 4]) / 10 * 4 / (2 * 3**0.5)
        np.testing.assert_allclose(ours["density"], expect, rtol=1e-4)
    assert set(rows["shape"]) == {"8x4"}, "the shape with the fewest axes"
    same = rows[rows["panel"] == "kaiming_uniform"]
    ax = init_distributions.plot_histograms(same)
    assert ax.get_title(loc="left") == "kaiming_uniform, JAX: he_uniform"
    steps = {patch.get_label(): patch.get_data() for patch in ax.patches}
    assert set(steps) == {"initjax", "law", "JAX", "law of JAX's"}
    np.testing.assert_allclose(
        steps["initjax"].edges[[0, -1]], [-(3**0.5), 3**0.5], rtol=1e-4
    )


def test_exact_values_are_bars(table):
    rows = laws.histograms(table)
    ax = init_distributions.plot_histograms(rows[rows["panel"] == laws.EXACT])
    (bar,) = ax.patches
    assert bar.get_width() == pytest.approx(0.75)
    assert [text.get_text() for text in ax.texts] == ["sparse = 0"]
    titles = rows.drop_duplicates("panel").set_index("panel")["title"]
    assert titles["sparse"] == "sparse, where not 0"


def test_deviations_are_in_standard_errors(table):
    rows = laws.deviations(table)
    same = rows[(rows["scheme"] == "kaiming_uniform") & (rows["panel"] == "8×4")]
    p = np.array(PROBABILITIES)
    expect = 0.01 * np.arange(3) / np.sqrt(p * (1 - p) / 100)
    np.testing.assert_allclose(same["score"], expect, atol=0.01)
    assert "0.0% outside" in rows.attrs["note"]
    ax = init_distributions.plot_quantiles(rows[rows["panel"] == "8×4"])
    assert set(ax.get_legend_handles_labels()[1]) == {"uniform", "sparse"}
    far = rows.assign(score=[3.0, *[0.0] * (len(rows) - 1)])
    ax = init_distributions.plot_quantiles(far[far["panel"] == far["panel"].iloc[0]])
    marked = [ln.get_ydata() for ln in ax.get_lines() if ln.get_marker() in "sv"]
    assert np.concatenate(marked).tolist() == [3.0], "only what leaves the band is marked"


def test_scores_are_those_of_single_seeds(table):
    rows = laws.scores(table)
    assert set(rows["panel"]) == {"mean", "kurtosis"}, "no scores of the variance here"
    same = rows[(rows["panel"] == "mean") & (rows["family"] == "sparse")]
    p = np.array([1, 3, 5, 7]) / 8
    np.testing.assert_allclose(same["normal"], stats.norm.ppf(p))
    np.testing.assert_allclose(same["score"], [-1, 0, 1, 2])
    # The least of four is below x unless all are above.
    least = stats.norm.ppf(1 - np.array([0.975, 0.025]) ** (1 / 4))
    np.testing.assert_allclose(same[["low", "high"]].iloc[0], least)
    ax = init_distributions.plot_scores(rows[rows["panel"] == "mean"])
    assert not ax.collections
    bounds = [ln for ln in ax.get_lines() if ln.get_marker() == "None"]
    assert len(bounds) == 2 * 2 + 1, "two ends for each family, and the diagonal"
    assert same["count"].unique() == [SEEDS], "not that of all seeds together"


def test_the_farthest_scores_are_drawn_and_some_between():
    z = stats.norm.ppf((np.arange(1000) + 0.5) / 1000)
    z[-1] = 4.5
    columns = {"mean_z": z, "variance_z": np.nan, "kurtosis_z": np.nan}
    table = _cell("normal").iloc[[1] * 1000].assign(index=range(1000), **columns)
    rows = laws.scores(table)
    np.testing.assert_array_equal(rows["score"].iloc[-15:], z[-15:])
    np.testing.assert_array_equal(rows["score"].iloc[:15], z[:15])
    assert 60 + 30 - 4 <= len(rows) <= 60 + 30 + 4
    assert "of all 1,000 the farthest 4.5" in rows.attrs["note"]


def test_sums(table):
    rows = laws.preactivations(table)
    assert list(dict.fromkeys(rows["panel"])) == ["an entry", "sum of 4 entries"]
    ax = init_distributions.plot_preactivations(rows[rows["fan"] == 4])
    points = [line for line in ax.get_lines() if line.get_marker() == "s"]
    np.testing.assert_allclose(
        points[0].get_ydata(), np.array([1, 2, 3, 4]) / 10 * 4 / (2 * 3**0.5), rtol=1e-4
    )


def test_agreement(table):
    rows = laws.agreement(table).set_index(["panel", "scheme", "fan"])
    kurtosis = rows.loc[("kurtosis", "he_normal", 4)]
    error = 2 * np.std(np.arange(4), ddof=1) / 2
    assert kurtosis["measured"] == 3.5
    assert (kurtosis["high"], kurtosis["low"]) == pytest.approx((3.5 + error, 3.5 - error))
    largest = rows.loc[("largest |z| of 100, over σ", "he_normal", 4)]
    assert tuple(largest[["low", "measured", "high"]]) == (0.75, 1.5, 2.25)
    apart = rows.loc[("distance from a Gaussian", "he_normal", 4)]
    assert tuple(apart[["measured", "law"]]) == pytest.approx((0.07, 0.05))
    assert apart["floor"] == pytest.approx(0.8276 / 400**0.5, rel=1e-3)


def test_figures_are_drawn_and_the_table_is_left_alone(table, tmp_path):
    before = table.copy()
    names = {path.stem for path in draw(init_distributions, table, tmp_path)}
    pd.testing.assert_frame_equal(table, before)
    assert names == {figure.name for figure in init_distributions.FIGURES}
    rows = laws.agreement(table)
    assert len(compose(init_distributions.FIGURES[4], rows).axes) == 3


def test_parts_that_are_not_there_draw_nothing(table, tmp_path):
    sums = table[table["sample"] == "preactivations"]
    for data in (laws.histograms, laws.deviations, laws.scores):
        with pytest.raises(Absent):
            data(sums)
    for data in (laws.preactivations, laws.agreement):
        with pytest.raises(Absent):
            data(table[table["sample"] == "entries"])
    assert not init_distributions.summary(table[table["sample"] == "entries"]).renderables


def test_summary(table):
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(init_distributions.summary(table))
    words = " ".join(console.export_text().split())
    assert "kaiming_uniform 4 3.5 (1.8) 1.5 (1.7) 0.07 (0.05)" in words
