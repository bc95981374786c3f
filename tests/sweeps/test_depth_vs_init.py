"""The claims of the sweep, tested on the table that the sweep wrote.

Width 256, Gaussian input, layers counted from 0. Tolerances: six standard
errors over seeds of the log RMS, plus the bias of finite width, which is at
most the mean drift of ln|h|² per layer times the number of layers.
"""

import math

import numpy as np
import pytest
from scipy import stats

from sweeps import depth_vs_init
from sweeps.depth_vs_init import SCHEMA
from sweeps.harness.cli import main
from sweeps.harness.directory import plain, prepare
from sweeps.harness.files import Store
from sweeps.harness.runner import Engine, run
from sweeps.harness.table import load
from sweeps.networks import recorded_layers
from tests.reference import LINEAR_256, RELU_256

SEEDS = 12
LN10 = math.log(10)
# Sample over true standard deviation of a Gaussian, each side at the 1e-6 level.
LOW, HIGH = (
    math.sqrt(stats.chi2(SEEDS - 1).ppf(p) / (SEEDS - 1)) for p in (1e-6, 1 - 1e-6)
)


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    out = tmp_path_factory.mktemp("sweep") / "out"
    arguments = ["--inputs", "gaussian", "--activations", "identity", "relu", "tanh"]
    arguments += ["--schemes", "normal(1)", "normal(1/√n)", "xavier_normal(gain)"]
    arguments += ["kaiming_normal(fan_in)", "--depths", "20", "100", "--layers", "100"]
    assert (
        main("depth_vs_init", [*arguments, "--seeds", str(SEEDS), "--out", str(out)]) == 0
    )
    return load(out / "table.parquet")


def _by_layer(table, activation, scheme, column="act_log10_rms", depth=100):
    """[seed, layer] of one column."""
    same = table[
        (table["activation"] == activation)
        & (table["scheme"] == scheme)
        & (table["depth"] == depth)
    ]
    return same.pivot(index="seed", columns="layer", values=column).to_numpy(float)


def _error(values):
    return values.std(ddof=1) / math.sqrt(len(values))


def test_table_meets_its_schema(table):
    assert list(table.columns) == SCHEMA.names
    assert len(table) == 3 * 4 * SEEDS * (20 + 100)
    assert not table.duplicated(list(SCHEMA.order)).any()


def test_networks_of_all_depths_share_their_first_layers(table):
    for activation in ("identity", "relu", "tanh"):
        short = _by_layer(table, activation, "normal(1/√n)", depth=20)
        np.testing.assert_array_equal(
            short, _by_layer(table, activation, "normal(1/√n)")[:, :20]
        )


def test_linear_with_unit_weights_grows_sixteenfold(table):
    log = _by_layer(table, "identity", "normal(1)", "preact_log10_std")
    drift, spread = LINEAR_256
    for layer in (0, 1, 2, 9, 29):
        expected = (layer + 1) * math.log10(16)
        error = math.sqrt((layer + 1) * spread / SEEDS) / (2 * LN10)
        bias = (layer + 1) * abs(drift) / (2 * LN10)
        gap = abs(log[:, layer].mean() - expected)
        assert gap < 6 * error + bias
        # A gain off by 5 % is told apart once a few layers have multiplied it.
        if layer >= 9:
            off = abs(log[:, layer].mean() - expected + (layer + 1) * math.log10(1.05))
            assert off > 6 * error + bias


def test_linear_values_leave_float32_at_layer_31(table):
    first = _by_layer(table, "identity", "normal(1)", "first_nonfinite")
    assert (first == 31).all()
    rms = _by_layer(table, "identity", "normal(1)")
    assert np.isfinite(rms[:, :31]).all()
    assert np.isnan(rms[:, 32:]).all()
    assert (_by_layer(table, "identity", "normal(1)", "first_nonfinite", 20) == -1).all()


def test_relu_values_grow_by_root_128_and_leave_at_35_or_36(table):
    first = _by_layer(table, "relu", "normal(1)", "first_nonfinite")
    assert np.isin(first, (35, 36)).all()
    rms = _by_layer(table, "relu", "normal(1)")
    growth = (rms[:, 30] - rms[:, 0]) / 30
    drift, spread = RELU_256
    error = math.sqrt(spread / 30 / SEEDS) / (2 * LN10)
    assert abs(growth.mean() - math.log10(128) / 2) < 6 * error + abs(drift) / (2 * LN10)


def test_linear_with_unit_gain_stays_near_one_for_100_layers(table):
    """The mean log is between that of one input and 0, by Jensen's inequality."""
    log = _by_layer(table, "identity", "normal(1/√n)")[:, 99]
    drift, spread = LINEAR_256
    error = math.sqrt(100 * spread / SEEDS) / (2 * LN10)
    assert 100 * drift / (2 * LN10) - 6 * error < log.mean() < 6 * error
    # 16 inputs average: their sd of ln std is near 0.25, that of one input 0.44.
    assert (log * LN10).std(ddof=1) < math.sqrt(100 * spread) / 2 * HIGH


def test_tanh_with_unit_gain_decays_like_one_over_root_two_layers(table):
    log = _by_layer(table, "tanh", "normal(1/√n)")
    for layer, q in ((9, 0.052200082787), (99, 0.00506901920017)):
        bias = (layer + 1) * abs(LINEAR_256[0]) / (2 * LN10)
        assert (
            abs(log[:, layer].mean() - math.log10(q) / 2) < 6 * _error(log[:, layer]) + bias
        )
    assert 10 ** log[:, 99].mean() == pytest.approx(1 / math.sqrt(200), rel=0.3)


def test_tanh_with_unit_gain_keeps_its_weight_gradient(table):
    """χ₁ = 1 - 1/ℓ, so ∂L/∂z falls like 1/√ℓ and the weight gradient is flat."""
    weight = _by_layer(table, "tanh", "normal(1/√n)", "weight_grad_log10_norm")
    assert (abs(weight[:, 1] - weight[:, 99]) < 1).all()
    relu = _by_layer(table, "relu", "normal(1/√n)", "weight_grad_log10_norm")
    assert (relu[:, 99] < -12).all(), "where it does vanish, the column says so"
    delta = _by_layer(table, "tanh", "normal(1/√n)", "delta_log10_rms")
    decades = delta[:, 99] - delta[:, 0]
    assert abs(decades.mean() - math.log10(100) / 2) < 6 * _error(decades) + 0.2


def test_xavier_with_gain_5_3_settles_while_its_gradient_grows(table):
    rms = 10 ** _by_layer(table, "tanh", "xavier_normal(gain)")
    settled = rms[:, 20:].mean(1)
    assert abs(settled.mean() - 0.651) < 6 * _error(settled) + 0.651 / 256
    delta = _by_layer(table, "tanh", "xavier_normal(gain)", "delta_log10_rms")
    growth = (delta[:, 20] - delta[:, 80]) / 60
    bias = abs(LINEAR_256[0]) / (2 * LN10)
    assert abs(growth.mean() - math.log10(1.0999)) < 6 * _error(growth) + bias
    assert growth.min() > 0.03, "Xavier without the gain would not grow"


def test_kaiming_keeps_the_second_moment_of_relu(table):
    """ln|h|² drifts and scatters as it must at width 256; unit gain loses 15 decades."""
    log = _by_layer(table, "relu", "kaiming_normal(fan_in)")[:, 99]
    drift, spread = RELU_256
    error = math.sqrt(100 * spread / SEEDS) / (2 * LN10)
    assert 100 * drift / (2 * LN10) - 6 * error < log.mean() < 6 * error
    sd = (log * LN10).std(ddof=1)
    # With depth all inputs align, so that a batch scatters like one input.
    assert LOW < sd / (math.sqrt(100 * spread) / 2) < HIGH
    assert _by_layer(table, "relu", "normal(1/√n)")[:, 99].mean() < -14


def test_sigma_w_is_that_of_the_scheme(table):
    assert set(table.loc[table["scheme"] == "normal(1)", "sigma_w"]) == {16.0}
    relu = table[(table["scheme"] == "kaiming_normal(fan_in)")]
    np.testing.assert_allclose(relu["sigma_w"].unique(), [math.sqrt(2)], rtol=1e-4)


def _table(out, at_once=0, **axes):
    """The table alone, without figures."""
    config = depth_vs_init.Config(**axes)
    prepare(Store(out), plain(config), SCHEMA)
    engine = Engine(at_once=at_once)
    run("depth_vs_init", depth_vs_init, config, out, lambda *_: None, engine=engine)
    return load(out / "table.parquet")


def _same(few, many):
    """Every row of the one is in the other: settings exactly, floats to a last digit."""
    settings = SCHEMA.names[:8]
    joined = few.merge(many, on=settings, suffixes=("", "_other"), validate="1:1")
    assert len(joined) == len(few)
    for column in SCHEMA.names[8:]:
        other = joined[f"{column}_other"]
        if joined[column].dtype == np.float32:
            np.testing.assert_allclose(joined[column], other, atol=2e-4)
        else:
            assert (joined[column] == other).all()


FEW = {
    **{"inputs": ("gaussian",), "widths": (16,), "batches": (8,)},
    **{"activations": ("tanh",), "schemes": ("he_normal",), "depths": (4,)},
}


def test_a_new_value_on_any_axis_changes_no_other_row(tmp_path):
    added = {
        **{"inputs": ("ones",), "widths": (8,), "batches": (4,), "depths": (9,)},
        **{"activations": ("gelu",), "schemes": ("normal(1)",)},
    }
    # New values come first, so that nothing keeps its place.
    many = {axis: (*added[axis], *values) for axis, values in FEW.items()}
    few = _table(tmp_path / "a", **FEW, seeds=1)
    _same(few, _table(tmp_path / "b", at_once=2, **many, seeds=2))


def test_the_order_of_an_axis_and_the_size_of_a_call_change_nothing(tmp_path):
    axes = {**FEW, "schemes": ("he_normal", "orthogonal"), "depths": (4, 7)}
    first = _table(tmp_path / "a", at_once=1, **axes, seeds=3)
    turned = {axis: values[::-1] for axis, values in reversed(axes.items())}
    _same(first, _table(tmp_path / "b", at_once=3, **turned, seeds=3))


def test_recorded_layers():
    for depth in (1, 5, 24, 100, 1000):
        layers = recorded_layers(depth, 24)
        assert layers[0] == 0
        assert layers[-1] == depth - 1
        assert len(set(layers)) == len(layers) <= 24
