"""What ``vanishing_gradient`` claims is what its table at the default preset shows."""

from math import log, log10

import numpy as np
import pytest

from analysis import gradient_theory as theory
from sweeps.data.moons import moons

WEIGHTS, BIASES = "weight_grad_log10_norm", "bias_grad_log10_norm"
SMALL, XAVIER, KAIMING = "normal(0.01)", "xavier_normal(gain)", "kaiming_normal(fan_in)"
ACTIVATIONS = ("sigmoid", "tanh", "relu", "leaky_relu", "gelu")
SLOPE = np.exp(-1) / (1 + np.exp(-1)) ** 2
"""φ′(1) of the sigmoid."""
LEARNT = 0.6
"""Loss below which a network has left the ln 2 of a guess, nats."""


@pytest.fixture(scope="module")
def table(measured):
    return measured("vanishing_gradient")


@pytest.fixture
def counted(committed):
    """See that a count of n is what is said; of a new run, within three binomial errors."""

    def check(found, said, n):
        share = (said + 2) / (n + 4)
        away = 0 if committed else 3 * np.sqrt(n * share * (1 - share))
        assert abs(found - said) <= away, (found, said)

    return check


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


def _of_median(values):
    """Between which values a median lies, at four standard errors of its rank."""
    ordered, away = np.sort(values), 2 * np.sqrt(len(values))
    return ordered[[int(len(values) / 2 - away), int(len(values) / 2 + away)]]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("column", [WEIGHTS, BIASES])
def test_norms_are_products_as_first_order_has_them(first, activation, column, committed):
    """Means within a standard error, of a new run four.

    In the last layer, |σ(1) - y| scatters with the share y of a class among 640 of 1,000
    points alone.
    """
    law = theory.expected(activation, "weight" if column == WEIGHTS else "bias")
    norms = np.array([first[column][activation, SMALL, 1.0, n] for n in range(1, 6)])
    assert norms.shape == (5, 500)
    error = theory.scatter() / np.sqrt(norms.shape[1])
    away = norms.mean(1) - law
    assert f"{error[0]:.3f}" == "0.019"
    assert (abs(away[:4]) < (1 if committed else 4) * error[:4]).all()
    share = np.sqrt(0.25 / 640 * 360 / 999) / (1 / (1 + np.exp(-1)) - 0.5)
    assert abs(away[4]) < (4 * share / np.sqrt(500) + share**2 / 2) / log(10)
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


def test_published_runs_are_ordinary_ones(table, first, committed):
    """None of them is among the lowest or highest tenth; in a new run, to four errors."""
    found = theory.percentiles(table).set_index(["activation", "layer"])
    said = {
        ("sigmoid", 5): (0.29, 21),
        ("sigmoid", 1): (2.0e-11, 58),
        ("relu", 5): (0.40, 35),
        ("relu", 1): (1.4e-8, 58),
    }
    for (activation, layer), (median, percentile) in said.items():
        row, share = found.loc[(activation, layer)], percentile / 100
        assert 10 < row["percentile"] < 90
        if committed:
            assert (float(f"{row['median']:.2g}"), round(row["percentile"])) == (
                median,
                percentile,
            )
        error = 100 * np.sqrt(share * (1 - share) / 500)
        assert abs(row["percentile"] - percentile) < 4 * error + 0.5
        low, high = _of_median(first[WEIGHTS][activation, SMALL, 1.0, layer])
        assert low < log10(median * 1.03)
        assert high > log10(median / 1.03), "of two printed digits"


def test_weights_take_more_than_the_sigmoid_does(table, first, committed):
    """With the same draws a sigmoid costs φ′(1)⁴ beside ReLU, seed by seed."""
    key = (SMALL, 1.0, 1)
    apart = first[BIASES][("relu", *key)] - first[BIASES][("sigmoid", *key)]
    assert apart.mean() == pytest.approx(-4 * log10(SLOPE), abs=0.02)
    assert apart.std() < 0.1
    rows = theory.split(table).set_index(["activation", "scheme", "bias"])
    sigmoid, relu = (rows.loc[(name, SMALL, 1.0)] for name in ("sigmoid", "relu"))
    # Of a median over 500 seeds, four errors of 1.25 times 0.42/√500, and what is rounded.
    error = 4 * 1.25 * theory.scatter()[0] / np.sqrt(500)
    away = 0.051 + (0 if committed else error)
    assert sigmoid["decades"] == pytest.approx(-10.2, abs=away)
    assert sigmoid["weights"] == pytest.approx(-7.4, abs=0.05)
    assert sigmoid["slope"] == pytest.approx(-2.8, abs=away)
    assert relu["decades"] == pytest.approx(-7.3, abs=away)


@pytest.mark.parametrize(
    ("scheme", "decades", "factor"), [(XAVIER, 2.7, 4.8), (KAIMING, 2.3, 3.8)]
)
def test_without_biases_only_sigmoids_lose(
    table, first, scheme, decades, factor, committed
):
    """In the median, at four standard errors of its rank; each other one at least keeps."""
    rows = theory.split(table).set_index(["activation", "scheme", "bias"])["decades"]
    lost = {}
    for name in ACTIVATIONS:
        ends = (first[BIASES][name, scheme, 0.0, layer] for layer in (1, 5))
        lost[name] = np.subtract(*ends)
        assert np.median(lost[name]) == pytest.approx(rows[name, scheme, 0.0], abs=1e-3)
    for name in set(ACTIVATIONS) - {"sigmoid"}:
        low, high = _of_median(lost[name])
        assert rows[name, scheme, 0.0] > 0 if committed else high > 0
        assert low > -0.3, "a tenth of what sigmoids lose"
    low, high = _of_median(lost["sigmoid"])
    assert low < -decades < high < -2
    if committed:
        measured = -rows["sigmoid", scheme, 0.0]
        assert (round(measured, 1), round(10 ** (measured / 4), 1)) == (decades, factor)
    # Biases of 1 cost no sigmoid of these half a decade: they are not what it is.
    assert abs(rows["sigmoid", scheme, 1.0] - rows["sigmoid", scheme, 0.0]) < 0.5


def _born_dead(count=3000):
    """Share of ReLU networks 2-3-3-3-3 without biases that are 0 at all points."""
    random, points = np.random.default_rng(0), moons(0).train.inputs
    dead = 0
    for _ in range(count // 500):
        h = np.broadcast_to(points, (500, *points.shape))
        for units in (2, 3, 3, 3):
            weights = random.standard_normal((500, units, 3), np.float32)
            h = np.maximum(h @ weights, 0)
        dead += int((h.max((1, 2)) == 0).sum())
    return dead / count


@pytest.mark.parametrize("scheme", [SMALL, XAVIER, KAIMING])
def test_a_tenth_of_relus_without_biases_is_born_dead(table, first, scheme, committed):
    """As of networks drawn here, whatever the scale; at four errors of both shares."""
    zero = theory.split(table).set_index(["activation", "scheme", "bias"])["zero"]
    found, drawn = zero["relu", scheme, 0.0], _born_dead()
    error = np.sqrt(drawn * (1 - drawn) * (1 / 500 + 1 / 3000))
    assert abs(found - drawn) < 4 * error
    assert abs(found - drawn / 2) > 3 * error, "half as many would be found"
    assert abs(zero["relu", XAVIER, 1.0] - drawn) > 4 * error, "and those of biases of 1"
    if committed:
        assert f"{found:.0%}" == "11%"
    norms = [first[WEIGHTS]["relu", scheme, 0.0, layer] for layer in range(1, 6)]
    dead = np.array(norms)[:, norms[0] == -np.inf]
    assert (dead == -np.inf).all(), "in every layer"
    others = [name for name in ACTIVATIONS if name != "relu"]
    assert (zero[others] == 0).all()


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_outputs_stay_and_tell_nothing(first, activation, committed):
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
    if committed and activation == "relu":
        assert [f"{10**power:.0e}" for power in (spread[0], spread[4])] == [
            "9e-03",
            "4e-10",
        ]


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("rate", [0.01, 1.0])
def test_small_weights_stay_at_a_guess(losses, activation, rate):
    """Losses end at the entropy of the classes, to the four digits of the table.

    The biases' own distance from it falls as exp(-ηt σ′(1) (1 + 3 φ(1)²)) or faster, to
    less than 1e-5 of the first 0.12, and its square is the loss's.
    """
    found = losses["training", activation, SMALL, rate]
    assert found.shape[1] == 20
    assert found.index[-1] == 1000
    shares = np.array([moons(seed).train.labels.mean(dtype=float) for seed in found])
    entropy = -(shares * np.log(shares) + (1 - shares) * np.log(1 - shares))
    assert (abs(entropy - log(2)) < 0.002).all(), "ln 2 of classes almost equal in number"
    last = found.iloc[-1]
    assert (abs(last - entropy) < 6e-5).all()
    assert (found.iloc[0] > last + 0.05).all(), "the biases have learnt"


@pytest.mark.parametrize(("activation", "power"), [("sigmoid", -9.1), ("relu", -6.3)])
def test_gradients_of_settled_biases_are_small_in_every_layer(table, activation, power):
    """The readout has grown to 30 times its size, which the layers below it see.

    To three standard errors of a median of 20, 3 · 1.25 · 0.42/√20 = 0.35 decades.
    """
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


def test_the_saddle_is_slow_and_no_trap(losses, counted):
    found = losses["slow", "gelu", SMALL, 1.0]
    left = (found < LEARNT).sum(axis=1)
    assert found.index[-1] == 8000
    assert left[left.index <= 1000].max() == 0
    assert left.iloc[-1] > 0
    counted(left.iloc[-1], 11, 20)


def _dead(table, rate):
    """Whether ReLU networks from Xavier's weights are dead, [step, seed]."""
    rows = table[
        (table["part"] == "training")
        & (table["activation"] == "relu")
        & (table["scheme"] == XAVIER)
        & (abs(table["rate"] - rate) < 1e-4)
        & (table["layer"] == 1)
    ]
    return rows.pivot(index="step", columns="seed", values=WEIGHTS) == -np.inf


def test_relus_that_do_not_learn_are_dead(table, losses, first, counted):
    """All of them, at a rate of 1, which kills most of them in the first steps."""
    last = losses["training", "relu", XAVIER, 1.0].iloc[-1]
    dead = _dead(table, 1.0)
    stuck = last.index[last > LEARNT]
    assert dead.loc[1000, stuck].all()
    assert not dead.loc[1000].drop(stuck).any()
    assert (last[stuck] > log(2) - 0.002).all(), "and guess"
    born = first[WEIGHTS]["relu", XAVIER, 0.0, 1][:20] == -np.inf
    assert (dead.loc[0].to_numpy() == born).all(), "the same ones as at the first step"
    assert (dead.astype(int).diff().dropna() >= 0).all(axis=None), "and they stay so"
    counts = dead.sum(axis=1)
    for step, said in {0: 2, 1: 4, 5: 7, 22: 8, 32: 9, 1000: 9}.items():
        counted(counts[step], said, 20)
    slow = _dead(table, 0.01).sum(axis=1)
    counted(slow[1000] - slow[0], 2, 20)
    assert counts[1000] - counts[0] > slow[1000] - slow[0], "the rate is what kills"


def test_from_xavier_sigmoids_recover_and_relus_die(losses, counted):
    left = {
        name: int((losses["training", name, XAVIER, 1.0].iloc[-1] < LEARNT).sum())
        for name in ACTIVATIONS
    }
    for name, said in {"tanh": 20, "sigmoid": 14, "relu": 11}.items():
        counted(left[name], said, 20)
    assert left["relu"] < left["leaky_relu"]
    slow = losses["training", "sigmoid", XAVIER, 0.01].iloc[-1]
    assert (slow > 0.68).all(), "a hundredth of the way: none has begun"
    early = losses["training", "sigmoid", XAVIER, 1.0]
    assert ((early[early.index <= 200] < LEARNT).sum(axis=1) == 0).all()
