"""Cells and rows of the grid of depth and σ_w²."""

import numpy as np
import pytest

from sweeps.harness.cli import main
from sweeps.harness.table import load
from sweeps.trainability import PRESETS, SCHEMA, Config, cells, cost, program, unit

TINY = ("--sigma-w2", "0.3", "1.76", "--depths", "2", "12", "--widths", "16")
SHORT = ("--steps", "60", "--rate", "0.4", "--seeds", "2", "--batch", "32")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    out = tmp_path_factory.mktemp("sweep") / "out"
    assert main("trainability", [*TINY, *SHORT, "--out", str(out)]) == 0
    assert (out / "figures" / "accuracy_map.png").exists()
    return load(out / "table.parquet")


def test_rows_are_the_networks_of_the_grid(table):
    assert list(table.columns) == SCHEMA.names
    assert len(table) == 2 * 2 * 2
    np.testing.assert_allclose(table["rate"] * table["depth"], 0.4, rtol=1e-4)
    assert np.allclose(table["sigma_b2"], 0.05)
    assert table["accuracy"].between(0, 1).all()


def test_deep_in_the_ordered_phase_nothing_is_learnt(table):
    """ξ_c = 0.9 at σ_w² = 0.3: the third of twelve layers knows no image any more."""
    median = table.groupby(["depth", "sigma_w2"])["accuracy"].median()
    by_name = {(depth, round(float(s), 2)): value for (depth, s), value in median.items()}
    assert by_name[12, 0.3] < 0.15 < 0.4 < by_name[2, 1.76]
    lost = table[(table["depth"] == 12) & (table["sigma_w2"] < 1)]["last_loss"]
    assert (abs(lost - np.log(10)) < 0.05).all()


def test_rate_goes_with_one_over_depth():
    found = cells(PRESETS["default"])
    rate = PRESETS["default"].rate
    assert all(cell["rate"] * cell["depth"] == pytest.approx(rate) for cell in found)
    some = [cell for cell in found if cell["depth"] == found[0]["depth"]]
    assert len({program(cell) for cell in some}) == 1
    assert len({unit(cell) for cell in some}) == PRESETS["default"].seeds
    assert cost(some, PRESETS["default"]).rows == len(some)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"sigma_w2": (-1.0,)}, "--sigma-w2 must be numbers > 0"),
        ({"sigma_b2": 0.0}, "--sigma-b2 must be numbers > 0"),
        ({"rate": float("inf")}, "--rate must be numbers > 0"),
        ({"depths": (0,)}, "--depths must be >= 2; got 0"),
        ({"steps": 10}, "--steps must be >= 50; got 10"),
    ],
)
def test_bad_settings(settings, words):
    with pytest.raises(ValueError, match=words):
        cells(Config(**settings))
