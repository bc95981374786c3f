"""What ``sweeps.mended`` says, on its table at the default preset."""

import re
from math import log

import numpy as np
import pytest
from scipy.stats import binom

from sweeps import mended
from sweeps.mending.images import images

SEEDS = 20
LEVEL = 1e-3


@pytest.fixture(scope="module")
def table(measured):
    return measured("mended")


@pytest.fixture(scope="module")
def last(table):
    """[network, optimizer, state] to loss and accuracy of the seeds after the last step."""
    ends = table[table["step"] == 300].set_index(["network", "optimizer", "state", "seed"])
    assert len(ends) == 3 * 2 * 2 * SEEDS
    return ends[["loss", "accuracy"]].astype(float)


def _apart(last, network, optimizer):
    """By how many points of accuracy each seed is better after the remedy."""
    accuracy = last.loc[(network, optimizer), "accuracy"].unstack("state")
    return accuracy["after"] - accuracy["before"]


def _median(values):
    """Median over seeds, and its standard error: that of a mean times √(π/2)."""
    error = values.std(ddof=1) / np.sqrt(len(values))
    return values.median(), np.sqrt(np.pi / 2) * error


def _better(differences):
    """Whether a sign test says so: of 20 seeds, more than chance has once in a thousand."""
    return binom.sf((differences > 0).sum() - 1, len(differences), 0.5) < LEVEL


def test_every_network_has_its_verdict_and_is_healthy_with_the_remedy(table):
    found = table.groupby(["network", "state"])["verdict"].unique().map(list).to_dict()
    assert found == {
        ("deep_relu", "before"): ["vanishing"],
        ("residual", "before"): ["residual_blowup"],
        **{(name, "after"): ["healthy"] for name in mended.NETWORKS},
        ("convolutional", "before"): ["healthy"],
    }
    remedies = table.groupby("network")["remedy"].unique().map(list).to_dict()
    assert remedies["deep_relu"] == ["init.kaiming_normal()"]
    assert remedies["convolutional"] == [""]
    (of_stream,) = remedies["residual"]
    assert of_stream.startswith("recipes.gpt2(params, blocks=10, residual=")


def test_by_sgd_thirty_layers_stay_at_a_guess_in_every_seed_at_every_step(table):
    """They may have learned how many images each digit has, and nothing of the images.

    Who gives every image these shares is 0.009 nats above ln 10 on the images held out.
    """
    shown = images((64,))
    shares = np.bincount(shown.train_labels) / len(shown.train_labels)
    bound = -np.log(shares[shown.held_out_labels]).mean() - log(10)
    assert 0 < bound < 0.01
    same = table[(table["network"] == "deep_relu") & (table["optimizer"] == "sgd")]
    before = same[same["state"] == "before"]
    assert len(before) == SEEDS * before["step"].nunique()
    assert (abs(before["loss"].astype(float) - log(10)) < bound).all()
    after = same[(same["state"] == "after") & (same["step"] == 300)]
    assert (after["loss"].astype(float) < log(10) - 50 * bound).all(), "the test can fail"


def test_by_sgd_blow_up_ends_in_nan(table, last, committed):
    """In more seeds than a fair coin gives heads once in a thousand times."""
    rows = table[(table["network"] == "residual") & (table["state"] == "before")]
    assert (rows.loc[rows["step"] == 0, "loss"].astype(float) > 100).all()
    lost = last.loc[("residual", "sgd", "before"), "loss"].isna()
    assert _better(lost.astype(float))
    assert not committed or lost.sum() == 18
    for others in (("residual", "sgd", "after"), ("residual", "adam", "before")):
        assert np.isfinite(last.loc[others, "loss"]).all()


@pytest.mark.parametrize("network", ["deep_relu", "residual"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_remedy_helps(last, network, optimizer):
    better = _apart(last, network, optimizer)
    assert len(better) == SEEDS
    assert _better(better)
    assert not _better(-better) and not _better(better - better.median()), "it can fail"


def test_of_what_is_healthy_nothing_changes(table):
    rows = table[table["network"] == "convolutional"]
    wide = rows.set_index(["optimizer", "seed", "step", "state"])[["loss", "accuracy"]]
    wide = wide.unstack()
    for name in ("loss", "accuracy"):
        np.testing.assert_array_equal(wide[name, "before"], wide[name, "after"])


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ("deep_relu", "30 ReLU layers {} by SGD and {} by Adam,"),
        ("residual", "residual blocks {} by SGD and {} by Adam;"),
        ("convolutional", "convolutional network {} by SGD and {} by Adam."),
    ],
)
def test_accuracies_are_those_of_the_docstring(last, network, words, committed):
    """As printed of the committed table; of another as far as four errors of both."""
    told = " ".join((mended.__doc__ or "").split())
    pattern = re.escape(words).replace(r"\{\}", r"(\d+) and (\d+) %")
    found = re.search(pattern.replace(r"\ ", " "), told)
    assert found, pattern
    pairs = [(o, s) for o in mended.OPTIMIZERS for s in mended.STATES]
    for number, pair in zip(found.groups(), pairs, strict=True):
        median, error = _median(last.loc[(network, *pair), "accuracy"])
        if committed:
            assert f"{median:.0%}" == f"{number}%"
        assert abs(median - int(number) / 100) < 4 * np.sqrt(2) * error + 0.005
