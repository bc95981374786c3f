"""What ``sweeps.dead_relu`` says, on its table at the default preset."""

import re

import numpy as np
import pytest
from scipy.special import digamma, expit

from analysis.deaths import percentile, quantile
from initjax.meanfield import dead_bounds, dead_probability
from sweeps import dead_relu
from sweeps.data.moons import moons
from sweeps.dead_relu import ACTIVATIONS, HE
from sweeps.moons.deaths import Scales, Shape
from sweeps.moons.deaths_gradients import Kind
from sweeps.moons.deaths_theory import escape_steps, off_at_all_points

SMALL = "normal(0.01)"
LEVEL = 5
"""Standard errors that a mean may be away: once in a million for a normal one."""


@pytest.fixture(scope="module")
def table(measured):
    return measured("dead_relu")


@pytest.fixture(scope="module")
def start(table):
    return table[table["part"] == "start"]


@pytest.fixture(scope="module")
def ends(table):
    training = table[table["part"] == "training"]
    return training[training["step"] == training["step"].max()]


@pytest.fixture(scope="module")
def scan(table):
    return table[table["part"] == "scan"].astype({"bias": float})


@pytest.fixture(scope="module")
def depths(table):
    dying = table[table["part"] == "depths"]
    networks = dying.groupby(["width", "layer"])["networks"].sum()
    assert networks.nunique() == 1
    columns = ["dead_one", "dead_line", "dead_points"]
    shares = dying.groupby(["width", "layer"])[columns].mean()
    return shares.assign(networks=networks)


@pytest.fixture(scope="module")
def says(committed):
    """The docstring has a number, in words with a format for it.

    As printed of the committed table; within ``LEVEL`` errors of another one, which has
    the same standard error, and half of its last digit.
    """
    text = " ".join((dead_relu.__doc__ or "").split())

    def check(words, number, error):
        if committed:
            assert words.format(number) in text
            return
        before, after = re.split(r"{:.*?}", words)
        (found,) = re.findall(f"{re.escape(before)}([0-9.e-]+%?){re.escape(after)}", text)
        digits, power = [*found.rstrip("%").split("e"), "0"][:2]
        unit = 10.0 ** (int(power) - len(digits.partition(".")[2]) - 2 * ("%" in found))
        said = float(found.rstrip("%")) / (100 if "%" in found else 1)
        assert abs(number - said) < LEVEL * np.sqrt(2) * error + unit / 2

    return check


def _error(p, networks):
    """Standard error of a share, of at least that of one network in all."""
    return np.sqrt(np.maximum(p * (1 - p), 1 / networks) / networks)


def test_relu_has_no_gradient_but_that_of_the_last_bias(start):
    relu = start[start["activation"] == "relu"]
    assert relu["seed"].nunique() >= 100
    assert (relu["weight_grad"] == -np.inf).all()
    assert (relu.loc[relu["layer"] < 5, "bias_grad"] == -np.inf).all()
    last = relu[relu["layer"] == 5].set_index("seed")["bias_grad"]
    assert last.index.is_unique
    for seed in range(0, 100, 10):
        known = abs(expit(-8) - moons(seed).train.labels.mean())
        assert last[seed] == pytest.approx(np.log10(known), abs=1e-3)
    assert 10 ** quantile(last, 0.05) < 0.49 < 10 ** quantile(last, 0.95)


@pytest.mark.parametrize("name", ["leaky_relu", "elu", "silu", "softplus"])
def test_others_have_the_gradients_that_theory_expects(start, name):
    """The mean of the logarithms over seeds; that of 2 units for 3 is far off.

    The theory is of first order. A pre-activation is b + δ, of E δ² = 0.01² times the
    squared length of what comes in: 3 φ(b)² < 3, or ‖x‖². As φ″/φ′ and φ′/φ are at most 1
    at -8, the four slopes and φ itself change the logarithm by at most δ each, at random:
    the signs of W decide, not their sizes. The mean over seeds changes by δ² each.
    """
    same = start[start["activation"] == name]
    lengths = [(moons(s).train.inputs ** 2).sum(1).mean() for s in range(5)]
    square = 0.01**2 * max(3.0, *lengths)
    noise, second = 5 * square / np.log(10) ** 2, 5 * square / np.log(10)
    narrow = (digamma(1) - digamma(1.5)) / (2 * np.log(10))
    for layer, of in same.groupby("layer"):
        spread = float(of["theory_spread"].iloc[0])
        error = np.sqrt((spread**2 + noise) / len(of))
        allowed = LEVEL * error + second + 1e-3  # and both columns are rounded
        for kind in ("weight", "bias"):
            gap = (of[f"{kind}_grad"] - of[f"{kind}_theory"]).mean()
            assert abs(gap) < allowed
            if layer < 5:
                assert abs(gap - narrow * (5 - layer)) > allowed
    assert np.isfinite(same[["weight_grad", "bias_grad"]]).all(axis=None)


def test_the_published_leaky_run_is_an_ordinary_one(table, start, says):
    for kind in ("weights", "biases"):
        assert 0.1 < percentile(table, kind) < 0.9
    last = start[(start["activation"] == "leaky_relu") & (start["layer"] == 5)]
    low, high = (10 ** quantile(last["bias_grad"], p) for p in (0.05, 0.95))
    assert low < 0.51 < high
    first = start[start["layer"] == 1].groupby("activation")
    medians = 10 ** first["weight_grad"].median()
    # Of a median, √(π/2) times that of a mean; decades to a share of the number.
    error = np.log(10) * 1.25 * first["theory_spread"].max() / np.sqrt(first.size())
    for name, words in (
        *(("leaky_relu", "{:.1e} leaky ReLU"), ("silu", "{:.1e} SiLU")),
        *(("elu", "{:.1e} ELU and softplus"), ("softplus", "{:.1e} ELU and softplus")),
    ):
        says(words, medians[name], error[name] * medians[name])


def test_gelu_underflows_and_is_not_dead(start, says):
    """Exact zeros where float32 ends, at 1e-38, and only there."""
    gelu = start[start["activation"] == "gelu"]
    for kind in ("weight", "bias"):
        below = gelu[f"{kind}_theory"] < np.log10(np.finfo(np.float32).tiny) - 2
        assert (gelu.loc[below, f"{kind}_grad"] == -np.inf).all()
        assert np.isfinite(gelu.loc[~below, f"{kind}_grad"]).all()
        assert np.isfinite(gelu[f"{kind}_theory"]).all()
    zero = gelu.loc[gelu["weight_grad"] == -np.inf, "layer"]
    assert set(zero) == {1, 2, 3}
    theory = gelu.loc[gelu["layer"] == 1, "weight_theory"].mean()
    says("expected {:.0e}", 10.0 ** float(theory), 0.0)


def test_slopes_of_tanh_are_rounding(start, says):
    """1 - h² of an h that float32 rounds to 1 or to a number near it.

    A layer is lost in every one before it, so that layer 1 is lost most.
    """
    tanh = start[start["activation"] == "tanh"]
    assert np.isfinite(tanh["bias_theory"]).all()
    grouped = tanh.assign(zero=tanh["bias_grad"] == -np.inf).groupby("layer")
    zero, networks = grouped["zero"].mean(), grouped.size().iloc[0]
    assert zero.is_monotonic_decreasing
    assert zero[1] - zero[4] > LEVEL * _error(zero[1], networks)
    says("in layer 1 of {:.1%}", zero[1], _error(zero[1], networks))
    says("in layer 4 of {:.1%}", zero[4], _error(zero[4], networks))
    first = tanh[(tanh["layer"] == 1) & np.isfinite(tanh["bias_grad"])]
    lost = first["bias_theory"] - first["bias_grad"]
    says("{:.1f} decades", lost.mean(), lost.std() / np.sqrt(len(lost)))


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_training_ends_with_the_best_constant(table, ends, name, committed):
    """Loss is the entropy of the classes, and outputs are equal to the last bit.

    Of another table to rounding: a logit is a sum of four terms, at most 8 each; sums in
    another order differ by eight of its roundings.
    """
    rounding = np.log10(8 * 4 * 8 * 2.0**-24)
    assert ends["step"].max() == 200, "as the docstring says"
    same = ends[ends["activation"] == name].groupby("seed")
    first = table[(table["part"] == "training") & (table["activation"] == name)]
    assert first["loss"].max() > 3.5
    assert same.ngroups >= 20
    for seed, rows in same:
        p = float(moons(seed).train.labels.mean())
        entropy = -p * np.log(p) - (1 - p) * np.log(1 - p)
        assert rows["loss"].iloc[0] == pytest.approx(entropy, abs=3e-5)
        assert rows["accuracy"].iloc[0] == pytest.approx(max(p, 1 - p), abs=1e-4)
        assert rows["contrast"].iloc[0] <= (-np.inf if committed else rounding)
        assert rows["weight_grad"].max() < -6


def test_training_much_longer_would_not_help(ends, says):
    """By theory, which tests/sweeps checks; leaky ReLU has the steepest slope at -8."""
    kinds = [Kind(n, Scales(0.01, 0.01, 0.01), -8.0, Shape(3, 4)) for n in ACTIVATIONS]
    seeds = sorted(ends["seed"].unique())
    steps = {
        kind.activation: min(escape_steps(kind, moons(s).train, 1.0) for s in seeds)
        for kind in kinds
    }
    assert min(steps, key=steps.__getitem__) == "leaky_relu"
    says("at least {:.0f}e10 steps", np.floor(min(steps.values()) / 1e10), 0.0)


def test_units_of_layer_one_die_as_geometry_says(scan):
    """Units of all seeds; weights 5 % larger are found out."""
    first = scan[(scan["layer"] == 1) & (scan["width"] == 10) & (scan["scheme"] == HE)]
    assert first["seed"].nunique() >= 20
    wrong_by = []
    for bias, same in first.groupby("bias"):
        p = same["dead_units_theory"].to_numpy(float)
        units = 10 * same["networks"].iloc[0]
        error = np.sqrt(np.sum(p * (1 - p) / units)) + 1e-3  # rounding of the table
        assert abs(np.sum(same["dead_units"] - p)) < LEVEL * error
        if bias < 0 and error > 0.01:
            seeds = same["seed"].to_numpy()
            wrong = [off_at_all_points(moons(s).train.inputs, bias, 1.05) for s in seeds]
            wrong_by.append(abs(np.sum(same["dead_units"] - wrong)) / error)
    assert max(wrong_by) > LEVEL
    points = scan[scan["layer"] == 1].groupby(["scheme", "width", "bias"])
    for (_, width, _), same in points:
        p = same["dead_units_theory"].to_numpy(float) ** width
        error = np.sqrt(np.sum(p * (1 - p) / same["networks"])) + 0.01
        assert abs(np.sum(same["dead_points"] - p)) < LEVEL * error


def test_small_weights_live_and_die_by_the_sign_of_the_bias(scan):
    small = scan[(scan["scheme"] == SMALL) & (scan["width"] == 3)]
    negative = small[small["bias"] <= -0.1]
    assert (negative[["dead_units", "dead_points"]] == 1).all(axis=None)
    positive = small[small["bias"] >= 0.5]
    assert (positive[["dead_units", "dead_points"]] == 0).all(axis=None)
    second = small[(small["bias"] < 0) & (small["layer"] >= 2)]
    assert (second["dead_points"] == 1).all()


def test_of_he_weights_too_all_die_below_zero(scan, says):
    narrow = scan[(scan["scheme"] == HE) & (scan["width"] == 3)]
    mean = narrow.groupby(["bias", "layer"])["dead_points"].mean()
    assert mean[-8.0, 1] > 0.97
    assert mean[-8.0, 2] > 0.999
    assert mean[-1.0, 10] > 0.98
    networks = narrow[(narrow["bias"] == 0) & (narrow["layer"] == 1)]["networks"].sum()
    for key, words in (
        ((-0.5, 4), "{:.0%} of them at b = -0.5"),
        ((0.0, 4), "{:.0%} at 0;"),
        ((1.0, 10), "{:.0%} of them at b = 1."),
    ):
        says(words, mean[key], _error(mean[key], networks))
    assert mean[1.0, 10] > 0.1


def test_without_biases_the_scale_does_not_matter(scan):
    zero = scan[scan["bias"] == 0].set_index(["width", "seed", "layer", "scheme"])
    for column in ("off", "dead_units", "dead_points"):
        small, he = (zero[column].unstack("scheme")[scheme] for scheme in (SMALL, HE))
        assert (small - he).abs().max() < 0.011, "a network in a hundred, by rounding"


def test_one_input_dies_by_the_exact_law(depths):
    """For every width and layer; two layers more are found out."""
    for (width, layer), row in depths.iterrows():
        exact = float(dead_probability([width] * layer))
        error = _error(exact, row["networks"])
        assert abs(row["dead_one"] - exact) < LEVEL * error
        if width <= 5 and 3 <= layer <= 9:
            deeper = float(dead_probability([width] * (layer + 2)))
            assert abs(row["dead_one"] - deeper) > LEVEL * error


def test_a_line_dies_between_the_bounds(depths):
    index = depths.index.to_frame()
    width, layer = index["width"].to_numpy(), index["layer"].to_numpy()
    lower, upper = dead_bounds(width, layer + 1)
    error = LEVEL * _error(upper, depths["networks"].to_numpy())
    assert (depths["dead_line"] < upper + error).all()
    assert (depths["dead_line"] > lower - error).all()
    assert (depths["dead_points"] < upper + error).all(), "dead on the moons, dead at x"
    below = dead_bounds(width + 1, layer + 1)[1]
    off = depths["dead_line"][(width <= 3) & (layer >= 9)]
    assert (off > below[(width <= 3) & (layer >= 9)] - error[0]).any()


def test_ten_layers_die_as_published_if_their_input_is_a_number(depths, says):
    """Nine hidden layers; on the moons, of two dimensions, fewer do."""
    line, moon = (depths[column].unstack()[9] for column in ("dead_line", "dead_points"))
    assert line[3] == pytest.approx(0.6, abs=0.05)
    assert line[5] > 0.1
    assert line[10] < 0.01
    assert (moon < line).all()
    assert moon[5] < 0.1
    networks = depths["networks"].iloc[0]
    for shares, words in (
        (line, ("dead in {:.1%}, 13", "57.8%, {:.1%}", "13.1% and {:.3%} where")),
        (moon, ("only in {:.1%}", "50.2%, {:.1%}", "6.4% and {:.3%}.")),
    ):
        for width, form in zip((3, 5, 10), words, strict=True):
            says(form, shares[width], _error(shares[width], networks))
    lower = float(dead_bounds(3, 10)[0])
    assert moon[3] < lower, "which is of a line"
