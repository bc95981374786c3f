"""The figure of the learning times, on a table whose answers are known."""

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from analysis import learning_time
from analysis.figures import draw
from sweeps.learning_time import SCHEMA

# Steps by weights, depth and rate, for both seeds alike.
STEPS = {
    ("orthogonal", 3): (100, 10),
    ("orthogonal", 9): (200, -1),
    ("gaussian", 3): (90, 30),
    ("gaussian", 9): (-1, -1),
    ("aligned", 3): (70, 7),
    ("aligned", 9): (110, 12),
}


@pytest.fixture
def table():
    rows = [
        {
            "weights": weights,
            "width": 64,
            "depth": depth,
            "rate": rate,
            "seed": seed,
            "steps": steps + seed if steps > 0 else -1,
            "first_excess": 5.0,
            "last_excess": 0.01,
            "strengths": "0.3 0.2 0",
        }
        for (weights, depth), both in STEPS.items()
        for rate, steps in zip((0.1, 1.0), both, strict=True)
        for seed in range(2)
    ]
    return SCHEMA.conform(pd.DataFrame(rows))


def test_lowest_and_best_rates(table):
    rows = learning_time.steps_by_depth(table)
    slow = rows[rows["panel"] == "rate 0.1/D"].set_index(["weights", "depth"])
    best = rows[rows["panel"] != "rate 0.1/D"].set_index(["weights", "depth"])
    assert slow.loc[("orthogonal", 9), "median"] == 200
    assert best.loc[("orthogonal", 9), "rate"] == pytest.approx(0.1)
    assert best.loc[("orthogonal", 3), "high"] == 11
    assert slow.loc[("gaussian", 9), "median"] == best.loc[("gaussian", 9), "low"] == np.inf
    theory = slow["theory"].dropna()
    assert list(theory.index.get_level_values("weights").unique()) == ["aligned"]
    assert theory.iloc[1] > theory.iloc[0] > 0


def test_networks_that_do_not_learn_are_marked(table):
    rows = learning_time.steps_by_depth(table)
    ax = learning_time.plot_steps(rows[rows["panel"] == "rate 0.1/D"])
    crosses = [
        ln for ln in ax.get_lines() if ln.get_marker() == "x" and len(ln.get_xdata())
    ]
    assert len(crosses) == 1
    assert crosses[0].get_ydata()[0] > 200
    low, high = ax.get_ylim()
    assert sum(low <= tick <= high for tick in ax.get_yticks()) >= 3
    dotted = [ln for ln in ax.get_lines() if ln.get_linestyle() == ":"]
    assert len(dotted[0].get_xdata()) == 2


def test_files_and_summary(table, tmp_path):
    before = table.copy()
    assert len(draw(learning_time, table, tmp_path)) == 3
    console = Console(width=120, record=True)
    console.print(learning_time.summary(table))
    assert "never" in console.export_text()
    pd.testing.assert_frame_equal(table, before)
