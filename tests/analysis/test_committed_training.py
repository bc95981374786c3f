"""What the sweeps that train claim is what their committed tables show."""

from math import log
from pathlib import Path

import pandas as pd
import pytest

from analysis import he_thirty_layers, trainability
from sweeps.harness.table import load

RESULTS = Path(__file__).resolve().parents[2] / "results"
XAVIER, HE = "xavier_normal", "kaiming_normal(fan_in)"


@pytest.fixture(scope="module")
def networks():
    table = load(RESULTS / "he_thirty_layers" / "table.parquet")
    found = he_thirty_layers.verdicts(table)
    found["rate"] = found["rate"].astype(float).round(6)
    return found.set_index(["depth", "rate", "scheme"])


@pytest.fixture(scope="module")
def grid():
    return trainability.accuracy_map(load(RESULTS / "trainability" / "table.parquet"))


@pytest.mark.parametrize("rate", [0.003, 0.01])
def test_thirty_layers_of_xavier_guess_and_of_he_learn(networks, rate):
    xavier, he = (networks.loc[(30, rate, scheme)] for scheme in (XAVIER, HE))
    assert xavier["seeds"] == he["seeds"] == 8
    assert xavier["verdict"] == "stalls"
    assert max(abs(xavier[end] - log(10)) for end in ("lowest", "highest")) < 0.01
    assert he["verdict"] == "learns"
    assert he["median"] < 1.6
    assert he["accuracy"] > 0.4 > 0.2 > xavier["accuracy"]


def test_twenty_two_layers_learn_from_both_and_he_earlier(networks):
    xavier, he = (networks.loc[(22, 0.01, scheme)] for scheme in (XAVIER, HE))
    assert xavier["verdict"] == he["verdict"] == "learns"
    assert he["median"] < xavier["median"] < 2
    assert he["accuracy"] > xavier["accuracy"] > 0.4


def test_no_network_beyond_six_depth_scales_trains(grid):
    """And most within do; were the two confused, neither would hold."""
    found = trainability.verdict(grid)
    assert found["beyond"] >= 25
    assert found["largest"] < 0.4
    assert found["within"] >= 50
    assert found["trained"] > 0.8
    far = grid[grid["depth"] > 1.2 * grid["limit"]]
    assert len(far) >= 20
    assert far["accuracy"].max() < 0.25


def test_only_the_deepest_within_are_not_trained_yet(grid):
    within = grid[grid["place"] == "within"]
    assert (within.loc[within["depth"] <= 50, "accuracy"] > trainability.TRAINED).all()
    assert (within["accuracy"] > 0.3).all(), "but each has learnt something"


def test_the_depth_that_trains_is_largest_near_the_critical_point(grid):
    """And falls on either side of it, as ξ_c does."""
    trained = grid[grid["accuracy"] > 0.5].astype({"sigma_w2": float})
    deepest = trained.groupby(trained["sigma_w2"].round(4))["depth"].max()
    assert deepest.idxmax() in (1.6, 1.76, 2.0)
    assert deepest[1.76] >= 3 * deepest[1.0]
    assert deepest[1.76] >= 2 * deepest[4.0]
    ordered, chaotic = deepest[:1.76], deepest[1.76:]
    assert ordered.is_monotonic_increasing
    assert chaotic.is_monotonic_decreasing


@pytest.mark.slow
@pytest.mark.parametrize("analysis", [he_thirty_layers, trainability])
def test_committed_figures_are_those_of_the_committed_tables(analysis, tmp_path):
    from analysis.figures import draw

    name = analysis.__name__.split(".")[-1]
    draw(analysis, load(RESULTS / name / "table.parquet"), tmp_path)
    for kept in sorted((RESULTS / name / "figures").glob("*.csv")):
        pd.testing.assert_frame_equal(
            pd.read_csv(tmp_path / kept.name), pd.read_csv(kept), rtol=1e-4
        )
