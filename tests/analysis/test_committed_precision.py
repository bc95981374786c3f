"""What is said of weights drawn in a narrow float is what the committed table shows."""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from analysis import precision as figures
from sweeps import precision
from sweeps.harness.directory import plain
from sweeps.harness.table import load
from sweeps.precision import PRESETS, SCHEMA

PATH = Path(__file__).resolve().parents[2] / "results" / "precision" / "table.parquet"


@pytest.fixture(scope="module")
def table():
    return load(PATH)


@pytest.fixture(scope="module")
def moments(table):
    """E h² of ReLU after the last layer, [seed], by library and dtype."""
    last = table[
        (table["layer"] == table["layer"].max()) & (table["scheme"] == "he_normal")
    ]
    relu = last[last["activation"] == "relu"].assign(
        moment=lambda t: 10 ** (2 * t["act_log10_rms"])
    )
    return relu.groupby(["library", "dtype"])["moment"].apply(np.array)


def test_it_is_the_table_of_the_default_settings(table):
    assert list(table.columns) == SCHEMA.names
    assert table.attrs["provenance"]["settings"] == plain(PRESETS["default"])


def test_the_docstring_says_what_was_measured(table, moments):
    text = " ".join((precision.__doc__ or "").split())
    said = re.search(
        r"Measured: (\d+) distinct values, a mean of (-[\d.]+) % of σ, and after 50 ReLU "
        r"layers a second moment of (\S+), against (\S+) for bfloat16 of initjax",
        text,
    )
    assert said
    jax = table[(table["library"] == "jax") & (table["dtype"] == "bfloat16")]
    assert set(jax["distinct"]) == {int(said[1])}
    normal = jax[jax["scheme"] == "he_normal"]
    assert f"{100 * normal['weight_mean'].mean():.2f}" == said[2]
    assert f"{np.median(moments['jax', 'bfloat16']):.0e}" == said[3]
    assert f"{np.median(moments['initjax', 'bfloat16']):.1f}" == said[4]


def test_weights_that_are_drawn_wide_and_cast_lose_nothing(table):
    """Rounding moves log10 of an RMS by less than 0.1, where JAX's loses five."""
    ours = table[table["library"] == "initjax"]
    keys = ["activation", "scheme", "seed", "layer"]
    wide = ours[ours["dtype"] == "float32"].set_index(keys)
    for dtype in ("bfloat16", "float16"):
        narrow = ours[ours["dtype"] == dtype].set_index(keys)
        for column in ("act_log10_rms", "delta_log10_rms"):
            relu = narrow.loc["relu", column] - wide.loc["relu", column]
            assert relu.abs().max() < 0.1
        assert narrow["weight_mean"].abs().max() < 6 / 1024


def test_jax_is_as_good_in_float32_and_loses_ten_decades_in_bfloat16(moments):
    assert (moments["jax", "float32"] > 0.1).all()
    assert (moments["jax", "float16"] < 0.6 * moments["jax", "float32"]).all()
    assert (moments["jax", "bfloat16"] < 1e-9).all()


def test_theory_holds_what_is_drawn_wide(table):
    """At most one in four medians over layers leaves the band of a single network."""
    for data in (figures.second_moment, figures.gradient):
        rows = data(table)
        ours = rows[(rows["library"] == "initjax") & (rows["network"] == "relu, he_normal")]
        inside = ours["median"].between(ours["theory_low"], ours["theory_high"])
        assert inside.mean() > 0.75
        theirs = rows[(rows["library"] == "jax") & (rows["dtype"] == "bfloat16")]
        deep = theirs[(theirs["network"] == "relu, he_normal") & (theirs["layer"] > 10)]
        if data is figures.second_moment:
            assert not deep["median"].between(deep["theory_low"], deep["theory_high"]).any()


@pytest.mark.parametrize("figure", figures.FIGURES, ids=lambda f: f.name)
def test_plots_return_their_axes_and_change_nothing(table, figure):
    before = table.copy()
    rows = figure.data(table)
    _, ax = plt.subplots()
    assert figure.plot(rows[rows["network"] == "relu, he_normal"], ax=ax) is ax
    pd.testing.assert_frame_equal(table, before)
    assert figure.caption.endswith(".")


@pytest.mark.parametrize("data", [figures.second_moment, figures.gradient])
def test_the_curves_that_leave_theory_are_named_where_they_are(table, data):
    rows = data(table)
    for network, named in (
        ("relu, he_normal", {"jax, bfloat16", "jax, float16"}),
        ("tanh, lecun_normal", set()),
    ):
        _, ax = plt.subplots()
        figures.plot_gradient(rows[rows["network"] == network], ax=ax)
        assert {text.get_text() for text in ax.texts} == named
        plt.close(ax.figure)
