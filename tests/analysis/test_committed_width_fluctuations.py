"""The claims of the sweep, on its committed table."""

from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pytest

from analysis import narrow_theory
from analysis.narrow_theory import deaths, length_moments, slopes, standardized
from analysis.width_fluctuations import plot_moments, plot_slopes
from sweeps import width_fluctuations
from sweeps.harness.table import load
from sweeps.narrow.rows import TRIMMED
from sweeps.width_fluctuations import ACTIVATIONS

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def table():
    return load(ROOT / "results" / "width_fluctuations" / "table.parquet")


@pytest.fixture(scope="module")
def measured(table):
    return slopes(table)


def test_exact_moments_within_their_errors(table):
    """Five standard errors each; a variance of half as much again fails."""
    rows = length_moments(table)
    rows = rows[rows["law"] == "exact"]
    logs = rows[~rows["panel"].str.contains("R²")]
    assert len(logs) == 2 * 2 * 3 * 6
    assert (abs(logs["measured"] - logs["theory"]) < 5 * logs["error"]).all()
    spread = logs[logs["panel"].str.contains("variance") & (logs["width"] >= 32)]
    off = abs(spread["measured"] - 1.5 * spread["theory"]) > 5 * spread["error"]
    assert off.all()


def test_second_moments_where_networks_suffice(table):
    rows = length_moments(table)
    rows = rows[rows["panel"].str.contains("R²")]
    assert len(rows) > 10
    assert (abs(rows["measured"] - rows["theory"]) < 5 * rows["error"]).all()


def test_tanh_to_first_order(table):
    rows = length_moments(table)
    wide = rows[(rows["activation"] == "tanh") & (rows["width"] == 128)]
    spread = wide[wide["panel"].str.contains("variance")]
    gap = abs(spread["measured"] - spread["theory"])
    assert (gap < 5 * spread["error"] + 0.05 * spread["theory"]).all()


def test_log_lengths_are_normal(table):
    """Within two standard deviations; the law of narrow ReLU layers is skewed."""
    rows = standardized(table)
    near = rows[(rows["normal"].abs() < 2) & (rows["width"] >= 32)]
    assert (abs(near["measured"] - near["normal"]) < 0.3).all()


def test_deaths_are_those_of_the_formula(table):
    rows = deaths(table)
    networks = table[table["part"] == "deaths"].drop_duplicates(["width", "seed"])
    count = networks.groupby("width")["networks"].sum().min()
    error = 5 * np.sqrt((rows["high"] * (1 - rows["high"])).clip(1e-4) / count)
    assert (rows["measured"] < rows["high"] + error).all()
    assert (rows["measured"] > rows["low"] - error).all()


def test_theory_leaves_out_the_layers_that_the_measurement_does():
    assert narrow_theory.TRIMMED == TRIMMED


def test_slopes_at_width_1024_are_within_two_percent(measured):
    widest = measured[measured["width"] == 1024]
    assert set(widest["activation"]) == set(ACTIVATIONS)
    assert len(widest) == 2 * 12
    factor = np.exp(widest["measured"] - widest["mean_field"])
    assert (abs(factor - 1) < 0.004).all()
    grows = widest[(widest["direction"] == "backward") & (widest["activation"] == "tanh")]
    assert np.exp(grows["mean_field"]).item() == pytest.approx(1.1778, abs=1e-4)


def test_deviations_shrink_as_one_over_width(measured):
    """A power of the width fitted to all deviations that are seen; theory in each."""
    away = measured["measured"] - measured["mean_field"]
    seen = away.abs() > 3 * measured["error"]
    assert seen.sum() > 40
    powers = []
    for _, same in measured[seen].groupby(["direction", "activation"]):
        if same["width"].nunique() >= 3:
            gap = np.log((same["measured"] - same["mean_field"]).abs())
            weight = np.exp(gap) / same["error"]
            powers.append(np.polyfit(np.log(same["width"]), gap, 1, w=weight)[0])
    assert len(powers) >= 8
    assert np.median(powers) == pytest.approx(-1, abs=0.15)
    text = " ".join((width_fluctuations.__doc__ or "").split())
    assert f"power {np.median(powers):.2f} of the width" in text


def test_first_order_predicts_the_deviations(measured):
    wide = measured[measured["width"] >= 256]
    gap = abs(wide["measured"] - wide["theory"])
    shift = abs(wide["theory"] - wide["mean_field"])
    assert (gap < 5 * wide["error"] + 0.25 * shift).all()


def test_no_two_activations_look_alike(measured):
    rows = measured
    _, ax = plt.subplots()
    plot_slopes(rows[rows["direction"] == "forward"], ax=ax)
    names = set(rows["activation"])
    points = [ln for ln in ax.get_lines() if ln.get_label() in names]
    assert len(points) == len(names) > 10
    for look in ("get_color", "get_marker"):
        assert len({str(getattr(ln, look)()) for ln in points}) == len(names)
    plt.close(ax.figure)


def test_panels_say_up_to_which_depth_a_mean_is_shown(table):
    rows = length_moments(table)
    for name, same in rows.groupby("panel"):
        _, ax = plt.subplots()
        title = plot_moments(same, ax=ax).get_title(loc="left")
        short = (5 * same["layer"] / same["width"]).max() <= 2
        assert title.endswith(", 5L ≤ 2n") == short, name
        plt.close(ax.figure)
