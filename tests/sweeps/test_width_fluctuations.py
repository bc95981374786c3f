"""The sweep at a small size: its rows, and that they do not depend on each other."""

import numpy as np
import pytest

from initjax.meanfield import dead_probability, log_length_moments
from sweeps import width_fluctuations
from sweeps.harness.cli import main
from sweeps.harness.table import load
from sweeps.narrow.points import point
from sweeps.width_fluctuations import SCHEMA, Config, cells, cost, measure


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    out = tmp_path_factory.mktemp("sweep") / "out"
    arguments = ["--preset", "smoke", "--networks", "200", "--seeds", "2"]
    assert main("width_fluctuations", [*arguments, "--out", str(out)]) == 0
    names = {p.stem for p in (out / "figures").glob("*.png")}
    assert names == {"moments", "quantiles", "deaths", "slopes"}
    return load(out / "table.parquet")


def test_table_meets_its_schema_and_its_forecast(table):
    assert list(table.columns) == SCHEMA.names
    config = Config(**{**vars(width_fluctuations.PRESETS["smoke"]), "networks": 200})
    by_call = {}
    for cell in cells(config):
        by_call.setdefault(width_fluctuations.program(cell), []).append(cell)
    assert sum(cost(some, config).rows for some in by_call.values()) == len(table)


def test_lengths_follow_the_exact_law(table):
    lengths = table[(table["part"] == "lengths") & (table["layer"] == 8)]
    for name, same in lengths.groupby("activation"):
        logs = same["log_length"].to_numpy(float)
        assert len(logs) == 400
        logs = logs[np.isfinite(logs)]
        mean, variance = log_length_moments(name, [8] * 8)
        error = float(np.sqrt(variance / len(logs)))
        assert abs(logs.mean() - mean) < 5 * error
        wrong, _ = log_length_moments(name, [8] * 8, sigma_w=0.8)
        assert abs(logs.mean() - wrong) > 5 * error


def test_deaths_follow_the_exact_law(table):
    deaths = table[table["part"] == "deaths"].groupby("layer")["dead_one"].mean()
    networks = 2 * 20 * 200
    for layer in (1, 9, 20):
        exact = float(dead_probability([3] * layer))
        error = np.sqrt(exact * (1 - exact) / networks)
        assert abs(deaths[layer] - exact) < 5 * error
        assert abs(deaths[layer] - float(dead_probability([3] * (layer + 2)))) > 5 * error


def test_points_are_fixed_points_of_the_length_map():
    from initjax.meanfield import chi, chi_q, variance_map

    for part, name in (("slopes", "gelu"), ("slopes", "silu"), ("lengths", "tanh")):
        sigma_w, sigma_b, q = point(part, name)
        settings = {"sigma_w": sigma_w, "sigma_b": sigma_b}
        assert float(variance_map(q, name, **settings)) == pytest.approx(q, rel=1e-12)
        assert float(chi(name, q=q, sigma_w=sigma_w)) == pytest.approx(1, rel=1e-12)
        assert float(chi_q(name, q=q, sigma_w=sigma_w)) < 1, "it attracts"


def test_rows_do_not_depend_on_what_else_is_measured():
    few = Config(walkers=("relu",), walker_widths=(8,), networks=20)
    many = Config(walkers=("tanh", "relu"), walker_widths=(8,), networks=20)
    found = []
    for config, seeds in ((few, (1,)), (many, (0, 1))):
        chosen = [
            cell
            for cell in cells(config)
            if cell["part"] == "lengths" and cell["seed"] in seeds
        ]
        rows = SCHEMA.conform(measure(chosen, config))
        found.append(rows[(rows["activation"] == "relu") & (rows["seed"] == 1)])
    lengths = [rows["log_length"] for rows in found]
    assert len(lengths[0]) == 20 * 6
    np.testing.assert_allclose(*lengths, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize(
    ("changed", "match"),
    [
        ({"networks": 0}, "networks must be"),
        ({"widths": ()}, "widths needs at least one"),
        ({"walkers": ("nonsense",)}, "unknown"),
    ],
)
def test_bad_settings_are_refused(changed, match):
    with pytest.raises(ValueError, match=match):
        cells(Config(**changed))
