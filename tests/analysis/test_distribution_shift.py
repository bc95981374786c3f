"""Figures of shifted data, by the data of their artists, on a table made up."""

import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from scipy.stats import t as student

from analysis import distribution_shift as analysis
from analysis import shifts
from analysis.bands import Absent
from analysis.figures import compose, draw
from sweeps import distribution_shift as sweep

NAN = float("nan")
SEEDS = 4


def _row(part, change, strength, seed, method, accuracy, **more):
    found = {
        **{"part": part, "change": change, "strength": strength, "seed": seed, "step": 0},
        **{"images": 100, "method": method, "accuracy": accuracy},
        **dict.fromkeys(("weight_error", "expected_error", "effective_share"), NAN),
    }
    return found | more


def _table():
    """Half of 0.4 is won back by weights, in every seed; theory of estimates is 2."""
    rows = []
    for seed in range(SEEDS):
        off = 0.01 * (seed - 1.5)
        for gap in (0.0, 0.8):
            for method, won in (("source", 0.0), ("weighted", 0.5), ("target", 1.0)):
                right = 0.9 - gap * 0.5 * (1 - won) + off
                rows.append(_row("covariate", "inverted", gap, seed, method, right))
        for images, size in ((100, 2.0), (400, 1.0)):
            found = {"images": images, "weight_error": size, "expected_error": 1.1 * size}
            rows.append(_row("label", "priors", 2.0, seed, "estimate", NAN, **found))
        for step in (6, 12):
            for method, right in (("static", 0.3), ("online", 0.7), ("target", 0.8)):
                row = _row("concept", "drift", 0.03, seed, method, right + off, step=step)
                rows.append(row)
    return sweep.SCHEMA.conform(pd.DataFrame(rows))


def _lines(ax):
    return {line.get_label(): line for line in ax.get_lines()}


def test_accuracies_are_means_and_intervals():
    rows = shifts.corrected(_table())
    ax = analysis.plot_accuracy(rows[rows["panel"] == "inverted"])
    found = _lines(ax)
    np.testing.assert_allclose(found["uncorrected"].get_ydata(), [0.9, 0.5], atol=1e-6)
    best = found["best possible: trained on the target"]
    np.testing.assert_allclose(best.get_ydata(), [0.9, 0.9], atol=1e-6)
    np.testing.assert_allclose(rows["half"], 0, atol=1e-6)
    assert len(ax.collections) == 3, "a band for each"


def test_words_stay_in_their_panel():
    table = _table().assign(strength=lambda t: t["strength"].replace(0.8, 1.0))
    table["strength"] = table["strength"].where(table["strength"] < 0.79, 1.0)
    rows = shifts.corrected(table)
    assert "inverted: over the gap" in rows.attrs["note"], "a panel below has another axis"
    canvas = compose(analysis.FIGURES[0], rows[rows["panel"] == "inverted"])
    canvas.draw_without_rendering()
    (ax,) = canvas.axes
    (text,) = ax.texts
    box, panel = text.get_window_extent(), ax.get_window_extent()
    assert text.get_text() == "no overlap"
    assert panel.x0 < box.x0 and box.x1 < panel.x1
    assert box.x0 > ax.transData.transform((1, 0))[0], "right of all that is drawn"
    assert ax.get_ylim()[0] == 0


def test_intervals_leave_out_what_methods_of_a_seed_share():
    """Two methods that differ by ±0.01: each has half of it, times √2."""
    rows = [
        _row("label", "priors", 1.0, seed, method, 0.1 * seed + sign * 0.005 * (-1) ** seed)
        for seed in range(SEEDS)
        for method, sign in (("source", 1), ("target", -1))
    ]
    found = shifts.means(sweep.SCHEMA.conform(pd.DataFrame(rows)), ["strength"])
    std = np.std([0.005, -0.005] * 2, ddof=1) * np.sqrt(2)
    half = student.ppf(0.975, SEEDS - 1) * std / np.sqrt(SEEDS)
    np.testing.assert_allclose(found["half"], half, rtol=1e-3)
    np.testing.assert_allclose(found["mean"], 0.15, atol=1e-6)


def test_what_is_won_back():
    rows = shifts.won_back(_table()).set_index(["part", "method"])
    assert rows.index.tolist() == [("concept", "online")] * 2 + [("covariate", "weighted")]
    row = rows.iloc[-1]
    assert row["strength"] == pytest.approx(0.8), "at 0 nothing is lost"
    assert row["share"] == pytest.approx(0.5, rel=1e-4)
    assert row["lost"] == pytest.approx(0.4, rel=1e-4)
    assert rows.loc[("concept", "online"), "share"].tolist() == pytest.approx([0.8, 0.8])


def test_the_error_of_what_is_won_back_is_that_of_a_ratio():
    table = _table()
    weighted = (table["method"] == "weighted") & (table["strength"] > 0)
    moved = 0.1 * (table["seed"] % 2) - 0.05
    table["accuracy"] += (weighted * moved).astype("float32")
    rows = shifts.won_back(table).set_index("part")
    expected = np.std([-0.05, 0.05] * 2, ddof=1) / 2 / 0.4
    assert rows.loc["covariate", "error"] == pytest.approx(expected, rel=1e-3)


def test_drift_is_shown_over_time():
    rows = shifts.drifted(_table())
    assert rows["panel"].unique().tolist() == ["3 % of the digits per batch"]
    assert f"intervals within ±{100 * rows['half'].max():.2g} %" in rows.attrs["note"]
    ax = analysis.plot_drift(rows)
    line = _lines(ax)["never retrained"]
    np.testing.assert_allclose(line.get_xydata(), [[6, 0.3], [12, 0.3]], atol=1e-6)
    assert ax.get_ylim() == (0, 1)


def test_estimates_stand_over_their_theory():
    rows = shifts.estimates(_table())
    assert rows["measured"].tolist() == pytest.approx([2, 1])
    ax = analysis.plot_estimates(rows)
    drawn = [line.get_ydata() for line in ax.get_lines() if len(line.get_ydata()) == 2]
    assert any(np.allclose(y, [2.2, 1.1]) for y in drawn)
    assert any(np.allclose(y, [2, 1]) for y in drawn)


def test_what_is_not_there_is_not_drawn(tmp_path):
    table = _table()
    alone = table[table["part"] == "concept"]
    for data in (shifts.corrected, shifts.estimates):
        with pytest.raises(Absent):
            data(alone)
    with pytest.raises(Absent):
        shifts.drifted(table[table["part"] != "concept"])
    names = {path.stem for path in draw(analysis, alone, tmp_path)}
    assert names == {"drift"}


def test_the_legend_has_each_method_once():
    table = _table()
    with_label = table.assign(part="label", change="priors")
    both = pd.concat([table, with_label[with_label["method"] != "estimate"]])
    canvas = compose(analysis.FIGURES[0], shifts.corrected(both))
    words = [text.get_text() for text in canvas.legends[0].get_texts()]
    assert len(words) == len(set(words))
    assert "uncorrected" in words


def test_summary_says_what_is_won_back():
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(analysis.summary(_table()))
    words = " ".join(console.export_text().split())
    assert "inverted 0.8 weighted 40.0 % 50 ± 0 %" in words
