"""What ``vanishing_gradient`` claims is what its table at the default preset shows."""

from math import log, log10

import numpy as np
import pytest

from analysis import gradient_theory as theory

WEIGHTS, BIASES = "weight_grad_log10_norm", "bias_grad_log10_norm"
SMALL, XAVIER = "normal(0.01)", "xavier_normal(gain)"
ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "gelu")
SLOPE = np.exp(-1) / (1 + np.exp(-1)) ** 2
"""φ′(1) of the sigmoid."""
LEARNT = 0.6
"""Loss below which a network has left the ln 2 of a guess, nats."""


@pytest.fixture(scope="module")
def table(measured):
    return measured("vanishing_gradient")


@pytest.fixture(scope="module")
def first(table):
    """Norms [seed] at the first step, by activation, scheme, bias and layer."""
    rows = table[table["part"] == "first"]
    keys = ["activation", "scheme", "bias", "layer"]
    grouped = rows.sort_values("seed").groupby(keys)
    return {
        column: {key: same[column].to_numpy(np.float64) for key, same in grouped}
        for column in (WEIGHTS, BIASES, "act_log10_rms", "act_log10_spread")
    }


@pytest.fixture(scope="module")
def losses(table):
    """Losses [step, seed] by part, activation, scheme and rate."""
    rows = table[(table["part"] != "first") & (table["layer"] == 1)]
    rows = rows.assign(rate=rows["rate"].astype(float).round(4))
    return {
        key: same.pivot(index="step", columns="seed", values="loss")
        for key, same in rows.groupby(["part", "activation", "scheme", "rate"])
    }


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("column", [WEIGHTS, BIASES])
def test_norms_are_products_as_first_order_has_them(first, activation, column):
    """Means within four standard errors, and of the last layer within 0.01 decades."""
    law = theory.expected(activation, "weight" if column == WEIGHTS else "bias")
    norms = np.array([first[column][activation, SMALL, 1.0, n] for n in range(1, 6)])
    assert norms.shape == (5, 500)
    error = theory.scatter() / np.sqrt(norms.shape[1])
    away = norms.mean(1) - law
    assert (abs(away[:4]) < 4 * error[:4]).all()
    assert abs(away[4]) < 0.01
    assert (abs(away) < 0.02).all()
    # The four weights above layer 1 off by 5 % would be found, either way.
    for wrong in (4 * log10(1.05), 4 * log10(0.95)):
        assert abs(away[0] + wrong) > 4 * error[0]


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_they_scatter_as_products_of_chi_do(first, activation):
    """To four standard errors of a standard deviation; two factors would be found."""
    norms = first[BIASES][activation, SMALL, 1.0, 1]
    law, error = theory.scatter(), 1.1 / np.sqrt(2 * len(norms))
    assert abs(norms.std() / law[0] - 1) < 4 * error
    assert abs(norms.std() / law[2] - 1) > 4 * error, "that of two factors"


def test_published_runs_are_ordinary_ones(table):
    found = theory.percentiles(table).set_index(["activation", "layer"])
    assert found["percentile"].between(10, 90).all()
    expected = {("sigmoid", 1): 58, ("sigmoid", 5): 21, ("relu", 1): 58, ("relu", 5): 35}
    assert found["percentile"].to_dict() == pytest.approx(expected, abs=3)
    medians = {
        **{("sigmoid", 1): 2.0e-11, ("sigmoid", 5): 0.29},
        **{("relu", 1): 1.4e-8, ("relu", 5): 0.40},
    }
    assert found["median"].to_dict() == pytest.approx(medians, rel=0.05)


def test_weights_take_more_than_the_sigmoid_does(table, first):
    """With the same draws a sigmoid costs φ′(1)⁴ beside ReLU, seed by seed."""
    key = (SMALL, 1.0, 1)
    apart = first[BIASES][("relu", *key)] - first[BIASES][("sigmoid", *key)]
    assert apart.mean() == pytest.approx(-4 * log10(SLOPE), abs=0.02)
    assert apart.std() < 0.1
    rows = theory.split(table).set_index(["activation", "scheme", "bias"])
    sigmoid, relu = (rows.loc[(name, SMALL, 1.0)] for name in ("sigmoid", "relu"))
    assert sigmoid["decades"] == pytest.approx(-10.2, abs=0.1)
    assert sigmoid["weights"] == pytest.approx(-7.4, abs=0.05)
    assert sigmoid["slope"] == pytest.approx(-2.8, abs=0.1)
    assert relu["decades"] == pytest.approx(-7.3, abs=0.1)


def test_from_xavier_only_sigmoids_lose(table):
    """A factor of 5 a layer, where others of the same scheme keep theirs."""
    rows = theory.split(table).set_index(["activation", "scheme", "bias"])["decades"]
    for scheme in (XAVIER, "kaiming_normal(fan_in)"):
        others = [rows[name, scheme, 0.0] for name in ACTIVATIONS if name != "sigmoid"]
        assert min(others) > -0.05
        assert max(others) < 0.5
        assert rows["sigmoid", scheme, 0.0] < -2
    assert rows["sigmoid", XAVIER, 0.0] == pytest.approx(-2.7, abs=0.1)
    assert pytest.approx(5, rel=0.1) == 10 ** (2.7 / 4)
    # Biases of 1 cost no sigmoid of these half a decade: they are not what it is.
    assert abs(rows["sigmoid", XAVIER, 1.0] - rows["sigmoid", XAVIER, 0.0]) < 0.5


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_outputs_stay_and_tell_nothing(first, activation):
    spread = [
        np.median(first["act_log10_spread"][activation, SMALL, 1.0, n]) for n in range(1, 6)
    ]
    size = [
        np.median(first["act_log10_rms"][activation, SMALL, 1.0, n]) for n in range(1, 6)
    ]
    assert min(size) > -0.2
    assert spread[0] < -1.9
    assert spread[4] < -9
    assert (np.diff(spread) < -1.6).all(), "a factor of 40 or more a layer"


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("rate", [0.01, 1.0])
def test_small_weights_stay_at_a_guess(table, losses, activation, rate):
    found = losses["training", activation, SMALL, rate]
    assert found.shape[1] == 20
    assert found.index[-1] == 1000
    last = found.iloc[-1]
    assert last.between(log(2) - 0.003, log(2) + 0.001).all()
    assert (found.iloc[0] > last + 0.05).all(), "the biases have learnt"


@pytest.mark.parametrize(("activation", "power"), [("sigmoid", -9.1), ("relu", -6.3)])
def test_gradients_of_settled_biases_are_small_in_every_layer(table, activation, power):
    """The readout has grown to 30 times its size, which the layers below it see."""
    rows = table[
        (table["part"] == "training")
        & (table["activation"] == activation)
        & (table["scheme"] == SMALL)
        & (table["rate"] == 1)
    ]
    norms = rows.groupby(["step", "layer"])[WEIGHTS].median().unstack()
    settled = norms[(norms.index >= 50)]
    assert len(settled) >= 5
    assert (abs(settled[[1, 2, 3]] - power) < 0.35).all(axis=None)
    assert (settled[5] < -6).all()
    assert 1.2 < settled[1].iloc[0] - norms.loc[0, 1] < 2
    assert norms.loc[0, 5] > -0.6


def test_the_saddle_is_slow_and_no_trap(losses):
    found = losses["slow", "gelu", SMALL, 1.0]
    left = (found < LEARNT).sum(axis=1)
    assert found.index[-1] == 8000
    assert left[left.index <= 1000].max() == 0
    assert 7 <= left.iloc[-1] <= 15


def test_relus_that_do_not_learn_are_dead(table, losses):
    """Their loss is ln 2 and the gradient of every weight exactly 0."""
    last = losses["training", "relu", XAVIER, 1.0].iloc[-1]
    stuck = last.index[last > LEARNT]
    assert len(stuck) >= 6
    assert (last[stuck] > log(2) - 0.003).all()
    rows = table[
        (table["part"] == "training")
        & (table["activation"] == "relu")
        & (table["scheme"] == XAVIER)
        & (table["rate"] == 1)
        & (table["step"] == 1000)
        & table["seed"].isin(stuck)
    ]
    dead = rows[rows["layer"] == 1].set_index("seed")[WEIGHTS] == -np.inf
    assert dead.mean() > 0.8, dead


def test_from_xavier_sigmoids_recover_and_relus_die(losses):
    left = {
        name: int((losses["training", name, XAVIER, 1.0].iloc[-1] < LEARNT).sum())
        for name in ACTIVATIONS
    }
    assert left["tanh"] == 20
    assert 10 <= left["sigmoid"] <= 18
    assert 7 <= left["relu"] <= 14 < left["leaky_relu"]
    slow = losses["training", "sigmoid", XAVIER, 0.01].iloc[-1]
    assert (slow > 0.68).all(), "a hundredth of the way: none has begun"
    early = losses["training", "sigmoid", XAVIER, 1.0]
    assert ((early[early.index <= 200] < LEARNT).sum(axis=1) == 0).all()
