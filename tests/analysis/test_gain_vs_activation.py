"""Figures of the four gains, by the data of their artists, on a table made up."""

import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from analysis import gain_vs_activation as figures
from analysis.bands import Absent
from analysis.figures import compose, draw
from analysis.gain_responses import errors, factors, measured_gains, scales, starts
from initjax.gains import gain
from initjax.meanfield import chi_q
from sweeps.gain_vs_activation import SCHEMA

SEEDS = 5
LAYERS = np.array([0, 2, 4, 6, 7])
SIZES = np.array([100, 10_000])
NAMES = ("tanh", "relu")


def _samples(name, kind, seed):
    """Errors of ±2 scatter/√samples around the exact gain, four seeds of five."""
    away = 0.5 * (seed - 2) / SIZES**0.5
    return {
        **{"part": "samples", "width": 0, "depth": 0, "samples": SIZES, "layer": -1},
        **{"gain": gain(name, kind=kind) * np.exp(away), "scatter": 0.5},
        **{"act_log10_rms": np.nan, "delta_log10_rms": np.nan},
    }


def _network(name, kind, seed):
    """Decades per layer: 0.1 for the centered gain, else 0; down by 0.05 for torch's."""
    slope = 0.1 if kind == "centered" else 0.0
    back = -0.05 if kind == "torch" else slope
    return {
        **{"part": "networks", "width": 8, "depth": 8, "samples": 0, "layer": LAYERS},
        **{"gain": gain(name) if kind == "torch" else gain(name, kind=kind)},
        **{"scatter": np.nan, "act_log10_rms": slope * LAYERS + 0.01 * (seed - 2)},
        "delta_log10_rms": back * (7 - LAYERS) - 3,
    }


@pytest.fixture
def table():
    kinds = ("forward", "backward", "centered")
    rows = [
        pd.DataFrame({"activation": name, "kind": kind, "seed": seed} | made)
        for name in NAMES
        for kind in (*kinds, "torch")
        for seed in range(SEEDS)
        for made in (
            *([_samples(name, kind, seed)] if kind in kinds else []),
            _network(name, kind, seed),
        )
    ]
    return SCHEMA.conform(pd.concat(rows))


def test_measured_gains_are_means_with_the_most_samples(table):
    rows = measured_gains(table).set_index(["activation", "kind"])
    for name in NAMES:
        for kind in ("forward", "backward", "centered"):
            row, exact = rows.loc[(name, kind)], gain(name, kind=kind)
            assert row["exact"] == exact
            assert row["measured"] == pytest.approx(exact, rel=1e-4)
            spread = 0.005 * np.sqrt(2.5) * exact
            assert row["error"] == pytest.approx(spread / SEEDS**0.5, rel=1e-3)
        assert rows.loc[(name, "torch"), "published"] == pytest.approx(gain(name), rel=1e-6)
    order = list(dict.fromkeys(rows.index.get_level_values(0)))
    assert order == ["relu", "tanh"], "by the forward gain"


def test_errors_are_in_units_of_scatter(table):
    rows = errors(table)
    np.testing.assert_allclose(rows["unit"] * rows["samples"] ** 0.5, 2**0.5, rtol=1e-4)
    np.testing.assert_allclose(rows["rms"], rows["unit"] / 2)
    np.testing.assert_allclose(rows["law"], rows["samples"] ** -0.5)
    assert list(dict.fromkeys(rows["kind"])) == ["forward", "backward", "centered"]
    sure = table.assign(scatter=table["scatter"].where(table["activation"] != "relu", 0))
    assert set(errors(sure)["activation"]) == {"tanh"}


def test_error_figure_has_the_law_over_the_points(table):
    rows = errors(table)
    ax = figures.plot_errors(rows[rows["kind"] == "forward"])
    points, law, _ = ax.get_lines()
    assert len(points.get_ydata()) == 4
    np.testing.assert_allclose(law.get_ydata(), np.asarray(law.get_xdata()) ** -0.5)
    assert ax.get_xscale() == ax.get_yscale() == "log"


def test_factors_are_those_of_the_table_beside_theory(table):
    rows = factors(table).set_index(["direction", "kind", "activation"])
    for name in NAMES:
        forward, backward = (
            rows.loc[way].xs(name, level="activation")["measured"]
            for way in ("forward", "backward")
        )
        assert forward["centered"] == pytest.approx(10**0.1, rel=1e-3)
        assert forward["torch"] == pytest.approx(1, rel=1e-3)
        assert backward["torch"] == pytest.approx(10**-0.05, rel=1e-3)
    relu = rows.xs("relu", level="activation")["theory"]
    assert relu["forward", "forward"] == pytest.approx(1)
    assert relu["backward", "centered"] == pytest.approx((1 - 1 / np.pi) ** -0.5)


@pytest.mark.parametrize(
    ("lost", "expected"), [(-np.inf, 0.0), (np.nan, np.inf), (None, np.nan)]
)
def test_networks_that_leave_float32(table, lost, expected):
    """All of them as 0 or beyond; nan where one dies and the others live."""
    at = (table["activation"] == "relu") & (table["kind"] == "forward")
    at &= table["layer"] > 3
    if lost is None:
        at, lost = at & (table["seed"] == 0), -np.inf
    table.loc[at, "act_log10_rms"] = lost
    found = factors(table).set_index(["direction", "activation", "kind"])
    np.testing.assert_equal(found.loc[("forward", "relu", "forward"), "measured"], expected)
    rows = factors(table)
    ax = figures.plot_factors(rows[rows["direction"] == "forward"])
    word = {0.0: "0", np.inf: "∞"}.get(expected, "0 or ∞")
    assert [text.get_text() for text in ax.texts] == [word]


def test_scales_start_from_theory_and_from_the_measured_last_layer(table):
    up, down = (scales(table, way) for way in ("forward", "backward"))
    relu = up[(up["activation"] == "relu") & (up["kind"] == "forward")]
    np.testing.assert_allclose(relu["theory"], 0, atol=1e-6)
    np.testing.assert_allclose(relu["median"], 0, atol=1e-6)
    last = down[down["layer"] == 7]
    np.testing.assert_allclose(last["theory"], last["median"])
    assert (up["low"] <= up["median"]).all()
    ax = figures.plot_scales(up[up["activation"] == "relu"])
    assert [text.get_text() for text in ax.texts] == ["forward = backward = torch"]
    lines = {line.get_gid(): line for line in ax.get_lines()}
    shown = np.log10(lines["centered"].get_ydata())
    np.testing.assert_allclose(shown, 0.1 * LAYERS, atol=1e-4)
    assert lines["centered"].get_linestyle() == "-"
    assert lines["forward"].get_linestyle() == lines["torch"].get_linestyle() == "--"
    assert len(ax.collections) == 2, "three equal bands are one"


def test_gain_figure_has_a_point_for_every_gain(table):
    before = table.copy()
    rows = measured_gains(table)
    ax = compose(figures.FIGURES[0], rows).axes[0]
    pd.testing.assert_frame_equal(table, before)
    lines = {line.get_label(): line for line in ax.get_lines()}
    for kind, words in figures.WORDS.items():
        same = rows[rows["kind"] == kind]
        wanted = same["published" if kind == "torch" else "measured"]
        np.testing.assert_allclose(lines[words].get_xdata(), wanted)
    assert [text.get_text() for text in ax.get_yticklabels()] == ["tanh", "relu"]


@pytest.mark.parametrize("at", [0, 2])
def test_legends_are_below_what_they_explain(table, at):
    figure = figures.FIGURES[at]
    canvas = compose(figure, figure.data(table))
    canvas.draw_without_rendering()
    for ax in canvas.axes:
        box = ax.get_legend().get_window_extent()
        assert not box.overlaps(ax.get_window_extent())
        assert not box.overlaps(ax.xaxis.label.get_window_extent())
        assert not any(
            box.overlaps(other.title.get_window_extent()) for other in canvas.axes
        )


def test_networks_that_go_either_way_are_hollow(table):
    """Two seeds fall by 0.05 decades a layer, three grow."""
    at = (table["activation"] == "relu") & (table["kind"] == "backward")
    at &= table["part"] == "networks"
    way = np.where(table["seed"] < 2, -0.05, 0.05) * table["layer"]
    table.loc[at, "act_log10_rms"] = way[at].astype("float32")
    rows = factors(table)
    split = rows[rows["split"]]
    assert set(zip(split["activation"], split["kind"], strict=True)) == {
        ("relu", "backward")
    }
    ax = figures.plot_factors(rows[rows["direction"] == "forward"])
    hollow = [line for line in ax.get_lines() if line.get_markerfacecolor() == "w"]
    assert [len(line.get_xdata()) for line in hollow] == [0, 1, 0, 0]


def test_signals_from_one_are_drawn_with_the_noise_of_a_width(table):
    """After ℓ layers of slope s: a layer's noise times √(1 + s² + … + s^2ℓ)."""
    part = table[(table["part"] == "networks") & (table["kind"] == "forward")]
    rows = starts(pd.concat([table, part.assign(part="unit_start")]))
    relu = rows[rows["activation"] == "relu"]
    wanted = 0.5 / 8**0.5 * np.sqrt(relu["layer"] + 1)
    np.testing.assert_allclose(relu["spread"], wanted, rtol=1e-6)
    np.testing.assert_allclose(
        relu["rms"], 0.01 * (relu["seed"] - 2) + np.log10(2) / 2, atol=2e-4
    )
    tanh = rows[(rows["activation"] == "tanh") & (rows["layer"] == 7)]["spread"].iloc[0]
    slope = chi_q("tanh", q=1.0, sigma_w=gain("tanh"))
    assert tanh == pytest.approx(0.5 / 8**0.5 / np.sqrt(1 - slope**2), rel=1e-3)
    lines = figures.plot_starts(relu).get_lines()
    seen = np.log10([line.get_ydata() for line in lines[:SEEDS]])
    np.testing.assert_allclose(
        seen, relu.pivot(index="seed", columns="layer", values="rms")
    )


def test_parts_that_are_absent(table, tmp_path):
    sampled = table[table["part"] == "samples"]
    with pytest.raises(Absent, match="no networks"):
        factors(sampled)
    names = {path.stem for path in draw(figures, sampled, tmp_path)}
    assert names == {"gains", "errors"}
    assert not figures.summary(sampled).renderables


def test_summary_tells_gains_and_factors(table):
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(figures.summary(table))
    words = " ".join(console.export_text().split())
    mean = 1.712859 * np.exp(0.005**2)
    assert f"relu centered {mean:.5f} 1.71286 1.259 1.259" in words
    assert "tanh torch 1.59254 1.000 0.891" in words
