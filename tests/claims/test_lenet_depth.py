"""What ``sweeps.lenet_depth`` says, on its table at the default preset.

Networks are few and dear: a claim is made where all seeds of a kind agree, or told by how
many, and numbers in the docstring are medians.
"""

import numpy as np
import pytest

from analysis.lenet_theory import slopes
from sweeps import lenet_depth
from sweeps.lenet_depth import TRAINED

CHANCE = 0.2
"""Accuracy below which a network has learned next to nothing; guessing has 0.1."""
WILD = "uniform(-0.5, 0.5)"
_ADAM = {"optimizer": "adam", "epsilon": 1e-8, "transform": "none"}
RELU = {**_ADAM, "activation": "relu", "rate": 1e-3, "steps": 160}
SIGMOID = {**_ADAM, "activation": "sigmoid", "rate": 3e-3, "steps": 400}
SGD = {"activation": "relu", "cure": "plain", "optimizer": "sgd", "steps": 160}


@pytest.fixture(scope="module")
def table(measured):
    found = measured("lenet_depth")
    numbers = found.select_dtypes("float").columns
    return found.astype(dict.fromkeys(numbers, float)).round({"rate": 6, "threshold": 6})


@pytest.fixture(scope="module")
def says(committed):
    """The docstring has the numbers, in these words; measured anew they may differ."""
    text = " ".join((lenet_depth.__doc__ or "").split())

    def check(words, *numbers):
        if committed:
            assert words.format(*numbers) in text

    return check


@pytest.fixture(scope="module")
def reached(table):
    """Best accuracy of every seed, by settings."""
    networks = table[table["part"] == "train"]

    def of(cure, scheme, modules, **way):
        wanted = {"cure": cure, "scheme": scheme, "modules": modules, **way}
        same = networks
        for name, value in wanted.items():
            near = name == "epsilon" and value > 0
            close = np.isclose(same[name], value, rtol=1e-3, atol=0) if near else None
            same = same[close if near else same[name] == value]
        assert len(same) == same["seed"].nunique() > 1, wanted
        return same["best_accuracy"]

    return of


@pytest.fixture(scope="module")
def starts(table):
    """Of twenty networks before training, by settings."""
    networks = table[table["part"] == "start"]

    def of(activation, cure, scheme, modules):
        same = networks.query(
            "activation == @activation and cure == @cure and scheme == @scheme "
            "and modules == @modules"
        )
        assert same["seed"].nunique() == len(same) == 20
        return same

    return of


def test_where_plain_relus_fail_is_a_matter_of_the_start(reached, says):
    two, five = (reached("plain", "torch", n, **RELU) for n in (2, 5))
    assert (two > TRAINED).all() and (five < TRAINED).all()
    says("{:.2f} with 2 modules and {:.2f} with 5", two.median(), five.median())
    xavier = reached("plain", "xavier_normal", 5, **RELU)
    kaiming = reached("plain", "kaiming_normal", 7, **RELU)
    delta = reached("plain", "delta_orthogonal", 10, **RELU)
    assert (xavier > TRAINED).mean() > 0.5 and (kaiming > TRAINED).all()
    assert (delta > TRAINED).all()
    says(
        "From Xavier's {:.2f} with 5, from Kaiming's {:.2f} with 7, delta-orthogonal "
        "{:.2f} with 10, the most that was tried",
        *(found.median() for found in (xavier, kaiming, delta)),
    )
    deeper = reached("plain", "xavier_normal", 7, **RELU)
    assert (deeper < CHANCE).all()
    assert reached("plain", "kaiming_normal", 10, **RELU).median() < CHANCE


def test_epsilon_and_the_rate_move_it_too(reached, says):
    five = reached("plain", "torch", 5, **RELU)
    small = reached("plain", "torch", 5, **RELU | {"epsilon": 1e-16})
    assert small.median() > 2 * five.median()
    assert (small > CHANCE).sum() > (five > CHANCE).sum()
    says("ε = 1e-16 lifts those to {:.2f}", small.median())
    fast = reached("plain", "torch", 2, **RELU | {"rate": 3e-3})
    assert (fast < CHANCE).all()
    says("with a rate of 3e-3 even 2 stay at {:.2f}", fast.median())


def test_of_sigmoids_the_budget_decides(reached, says):
    none, one = (reached("plain", "xavier_normal", n, **SIGMOID) for n in (0, 1))
    assert (none > TRAINED).all() and (one < CHANCE).all()
    for cure in ("shortcut", "batch_norm", "both"):
        assert (reached(cure, "xavier_normal", 5, **SIGMOID) < CHANCE).all()
    says("{:.2f} without a module in 400 steps", none.median())
    longer = reached("plain", "xavier_normal", 1, **SIGMOID | {"steps": 3000})
    assert (longer > TRAINED).any()
    trained = (longer > TRAINED).sum()
    says("in 3,000 steps {} of {} seeds gets there", ("none", "one", "two")[trained], 2)
    says("with {:.2f}", longer.max())


def test_uniform_weights_let_relus_explode_and_sigmoids_not(starts, says):
    relu, sigmoid = (starts(name, "plain", WILD, 10) for name in ("relu", "sigmoid"))
    for column in ("act_slope", "delta_slope"):
        assert (relu[column] > 0.4).all()
    assert relu["grad_slope"].abs().median() < 0.05, "of weights it does not grow"
    assert (sigmoid["act_slope"].abs() < 0.01).all() and (sigmoid["delta_slope"] < 0).all()
    assert (starts("relu", "plain", WILD, 40)["act_lost"] > 0).all()
    says("by {:.2f} decades a convolution", relu["act_slope"].median())
    says("weights' gradients only by {:.2f}", relu["grad_slope"].median())


def test_clipping_cures_explosion_and_not_what_vanishes(reached, says):
    def clipped(scheme, transform, threshold):
        way = SGD | {"transform": transform, "threshold": threshold}
        return reached(scheme=scheme, modules=2, **way)

    bare, value, norm = (
        clipped(WILD, *way)
        for way in (("none", 0), ("clip_by_value", 0.01), ("clip_by_norm", 1))
    )
    assert (bare < CHANCE).all() and (value > CHANCE).all()
    numbers = value.median(), norm.median()
    says("by value takes two such modules to {:.2f}, by norm to {:.2f}", *numbers)
    for way in (("none", 0), ("clip_by_value", 0.01), ("clip_by_norm", 1)):
        assert (clipped("torch", *way) < CHANCE).all()
    floor = clipped("torch", "floor", 1e-3)
    assert (floor > CHANCE).all(), "a floor is no hindrance here"
    says("a floor of 1e-3 lifts them to {:.2f}", floor.median())


def test_how_deep_cures_take_relus(reached, starts, says):
    norm = {n: reached("batch_norm", "torch", n, **RELU) for n in (5, 10, 40)}
    assert (norm[5] > TRAINED).all() and (norm[40] < CHANCE).all()
    numbers = [norm[n].median() for n in (5, 10, 40)]
    says("{:.2f} with 5 modules, {:.2f} with 10, {:.2f} with 40", *numbers)
    growing = starts("relu", "batch_norm", "torch", 40)["delta_slope"]
    assert (growing > 0.05).all()
    says("grows by {:.3f} decades a convolution", growing.median())
    shortcut, deep = (reached("shortcut", "torch", n, **RELU) for n in (20, 40))
    assert (shortcut > TRAINED).all()
    says("shortcuts {:.2f} with 20 and {:.2f} with 40", shortcut.median(), deep.median())
    both = reached("both", "torch", 40, **RELU)
    fixup = reached("shortcut", "fixup", 40, **RELU)
    assert (both > TRAINED).all() and (fixup > TRAINED).all()
    says("both {:.2f} and Fixup {:.2f} with 40", both.median(), fixup.median())


@pytest.mark.parametrize("cure", ["plain", "shortcut", "batch_norm", "both"])
def test_a_thousand_modules_before_training(starts, says, cure):
    networks = starts("relu", cure, "torch", 1000)
    inside = np.isfinite(networks["first_grad"]).all()
    assert inside == (cure in ("shortcut", "both"))
    if cure == "shortcut":
        says("10^{:.1f} with shortcuts", networks["first_grad"].median())
    if cure == "both":
        says("10^{:.1f} with both", networks["first_grad"].median())


def test_no_gradient_is_near_zero_after_ten_epochs(table, says):
    layers = table[(table["part"] == "layers") & (table["study"] == "layers")]
    last = layers[layers["step"] == layers["step"].max()]
    assert len(last) == 85 and (last["modules"] == 40).all()
    assert (last["weight_grad"] > -3).all() and (last["weight"] > 0).all()
    assert (last["accuracy"] > 0.9).all()
    ends = 10 ** last["weight_grad"].min(), 10 ** last["weight_grad"].max()
    says("are {:.2f} to {:.1f}", *ends)
    says("get {:.3f} of the images right", last["accuracy"].iloc[0])


@pytest.mark.parametrize("activation", ["relu", "sigmoid"])
@pytest.mark.parametrize("scheme", ["torch", "kaiming_normal", WILD, "delta_orthogonal"])
def test_plain_slopes_are_those_of_many_channels(starts, activation, scheme):
    theory, networks = slopes(activation, scheme), starts(activation, "plain", scheme, 10)
    away = networks["delta_slope"].median() - theory.delta
    assert abs(away) < 0.02 + 0.02 * abs(theory.delta)
    away = networks["act_slope"].median() - theory.act
    assert abs(away) < 0.03, "with its scatter over sixteen channels"


def test_the_default_takes_a_quarter_of_an_hour(table, says, committed):
    if committed:
        says("15 minutes ({:.0f} seconds)", table.attrs["provenance"]["wall_seconds"])
        assert table.attrs["provenance"]["wall_seconds"] < 900
