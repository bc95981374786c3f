"""Figures of the sweeps that train, by the data of their artists, on tables made up."""

import io
from math import log

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from analysis import he_thirty_layers, trainability
from analysis.bands import Absent
from analysis.figures import compose, draw
from sweeps import he_thirty_layers as he_sweep
from sweeps import trainability as grid_sweep

XAVIER, HE = "xavier_normal", "kaiming_normal(fan_in)"
SEEDS = 11
STEPS = (10, 20, 30)


def _curve(scheme, depth, seed, rate=0.01):
    falls = 0.0 if (scheme, depth) == (XAVIER, 30) else 0.5
    loss = log(10) - falls * np.arange(3) + 0.001 * (seed - 5)
    return {
        **{"scheme": scheme, "width": 8, "depth": depth, "rate": rate, "seed": seed},
        **{"step": STEPS, "loss": loss, "last_loss": loss[-1], "accuracy": 0.1 + falls},
    }


def _curves(rates=(0.01,)):
    frames = [
        pd.DataFrame(_curve(scheme, depth, seed, rate))
        for scheme in (XAVIER, HE)
        for depth in (22, 30)
        for seed in range(SEEDS)
        for rate in rates
    ]
    return he_sweep.SCHEMA.conform(pd.concat(frames))


def _grid():
    rows = [
        {
            **{"width": 8, "depth": depth, "sigma_w2": s, "sigma_b2": 0.05, "seed": seed},
            **{"rate": 0.1 / depth, "last_loss": 1.0, "accuracy": accuracy},
        }
        for depth, line in ((10, (0.9, 0.92, 0.8)), (60, (0.1, 0.8, 0.2)))
        for s, accuracy in zip((1.0, 1.76, 4.0), line, strict=True)
        for seed in (0, 1, 2)
    ]
    return grid_sweep.SCHEMA.conform(pd.DataFrame(rows))


def _words(group):
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(group)
    return " ".join(console.export_text().split())


def test_loss_curves_are_medians_of_the_seeds():
    rows = he_thirty_layers.loss_curves(_curves())
    ax = he_thirty_layers.plot_loss_curves(rows[rows["panel"] == "30 layers"])
    lines = {line.get_label(): line for line in ax.get_lines()}
    np.testing.assert_allclose(lines[XAVIER].get_ydata(), log(10), rtol=1e-4)
    np.testing.assert_allclose(
        lines[HE].get_ydata(), log(10) - 0.5 * np.arange(3), rtol=1e-4
    )
    assert any(np.allclose(line.get_ydata(), log(10)) for line in ax.get_lines())
    assert (
        dict(zip(ax.get_yticks(), ax.get_yticklabels(), strict=True))[log(10)].get_text()
        == "ln 10"
    )
    assert len(ax.collections) == 2, "a band for each"


def test_losses_that_are_not_finite_count_above_all_others():
    table = _curves()
    lost = (table["scheme"] == HE) & (table["depth"] == 30) & (table["step"] == 30)
    table.loc[lost & (table["seed"] < 2), "loss"] = np.nan
    row = he_thirty_layers.loss_curves(table).set_index(["depth", "scheme", "step"])
    assert np.isnan(row.loc[(30, HE, 30), "high"])
    assert row.loc[(30, HE, 30), "median"] == pytest.approx(log(10) - 1 + 0.002, rel=1e-4)


def test_verdicts():
    table = _curves()
    found = he_thirty_layers.verdicts(table).set_index(["depth", "scheme"])["verdict"]
    assert found.to_dict() == {
        **{(22, XAVIER): "learns", (22, HE): "learns"},
        **{(30, XAVIER): "stalls", (30, HE): "learns"},
    }
    still = (table["scheme"] == XAVIER) & (table["depth"] == 30)
    table.loc[still & (table["seed"] == 0), "last_loss"] = log(10) - 0.02
    table.loc[(table["scheme"] == HE) & (table["seed"] < 6), "last_loss"] = np.nan
    found = he_thirty_layers.verdicts(table).set_index(["depth", "scheme"])["verdict"]
    assert found[30, XAVIER] == "learns little", "one seed of eleven moved"
    assert found[30, HE] == "diverges"
    assert "30 × 8 0.01 xavier_normal 2.303 10% learns little" in _words(
        he_thirty_layers.summary(table)
    )


def test_a_second_rate_is_a_second_figure(tmp_path):
    with pytest.raises(Absent):
        he_thirty_layers.loss_curves(_curves(), rate="low")
    two = _curves(rates=(0.01, 0.002))
    assert set(he_thirty_layers.loss_curves(two, rate="low")["rate"]) == {np.float32(0.002)}
    names = {p.stem for p in draw(he_thirty_layers, two, tmp_path)}
    assert names == {"loss_curves", "loss_curves_slow"}


def test_places_are_those_of_table_4_2():
    """6 ξ_c is 21.8 at σ_w² = 1 and 41.9 at 4; it has no bound at the critical point."""
    rows = trainability.accuracy_map(_grid()).set_index(["depth", "sigma_w2"])
    place = {(d, round(float(s), 2)): v for (d, s), v in rows["place"].items()}
    assert place == {
        **{(10, 1.0): "within", (10, 1.76): "within", (10, 4.0): "within"},
        **{(60, 1.0): "beyond", (60, 1.76): "within", (60, 4.0): "beyond"},
    }
    limit = rows["limit"].to_numpy()[:3]
    np.testing.assert_allclose(limit[[0, 2]], (6 * 3.626976, 6 * 6.980274), rtol=1e-5)
    assert limit[1] > 1000


def test_the_law_is_judged():
    found = trainability.verdict(trainability.accuracy_map(_grid()))
    assert found == pytest.approx({"within": 4, "beyond": 2, "trained": 1, "largest": 0.2})
    table = _grid()
    table.loc[table["depth"] == 60, "accuracy"] = 0.5
    found = trainability.verdict(trainability.accuracy_map(table))
    assert found["trained"] == 0.75
    assert found["largest"] == 0.5
    words = _words(trainability.summary(table))
    assert "within: 75% of 4 above 70%; beyond: 2, the best 50%" in words


def test_the_map_shows_accuracies_and_the_theory_over_them():
    table = _grid()
    before = table.copy()
    rows = trainability.accuracy_map(table)
    ax = compose(trainability.FIGURES[0], rows).axes[0]
    pd.testing.assert_frame_equal(table, before)
    (mesh,) = ax.collections
    np.testing.assert_allclose(
        mesh.get_array(), [[0.9, 0.92, 0.8], [0.1, 0.8, 0.2]], rtol=1e-5
    )
    texts = {text.get_text().strip() for text in ax.texts}
    assert {"90", "80", "10", "6 $ξ_c$"} <= texts
    curves = [line.get_data() for line in ax.get_lines()]
    ordered = min(curves, key=lambda data: np.min(data[0]))
    at_one = np.interp(1.0, *ordered)
    assert at_one == pytest.approx(6 * 3.627, rel=0.01), "table 4.2 at σ_w² = 1"
    critical = next(text for text in ax.texts if "χ₁ = 1" in text.get_text())
    assert critical.get_position()[0] == pytest.approx(1.760955, abs=1e-4)


def test_no_name_or_line_of_the_theory_crosses_a_number_out():
    rows = trainability.accuracy_map(_grid())
    canvas = compose(trainability.FIGURES[0], rows)
    canvas.draw_without_rendering()
    ax = canvas.axes[0]
    boxes = {text: text.get_window_extent() for text in ax.texts}
    numbers = [box for text, box in boxes.items() if text.get_text().isdigit()]
    names = [box for text, box in boxes.items() if not text.get_text().isdigit()]
    assert len(names) == 2
    assert not any(name.overlaps(number) for name in names for number in numbers)
    across = {round(float(x), 6) for line in ax.get_lines() for x in line.get_xdata()}
    assert len(across) > 2, "no line straight down through a column"
