"""What is said of Jacobians and deep linear networks is what the committed tables show."""

from pathlib import Path

import numpy as np
import pytest

from analysis.learning_time import steps_by_depth
from analysis.spectra import moments
from sweeps import isometry, learning_time
from sweeps.harness.directory import plain
from sweeps.harness.table import load

RESULTS = Path(__file__).resolve().parents[2] / "results"
SWEEPS = pytest.mark.parametrize("sweep", [isometry, learning_time])


def _table(sweep):
    name = sweep.__name__.split(".")[-1]
    return load(RESULTS / name / "table.parquet")


@pytest.fixture(scope="module")
def spectra():
    rows = moments(_table(isometry))
    return rows.set_index(["activation", "q", "weights", "depth"]).sort_index()


@pytest.fixture(scope="module")
def steps():
    rows = steps_by_depth(_table(learning_time))
    slow = rows[rows["panel"].str.startswith("rate")]
    return slow.set_index(["weights", "depth"]).sort_index()


@SWEEPS
def test_it_is_the_table_of_the_default_settings(sweep):
    table = _table(sweep)
    assert list(table.columns) == sweep.SCHEMA.names
    assert table.attrs["provenance"]["settings"] == plain(sweep.PRESETS["default"])


def test_orthogonal_tanh_networks_are_near_an_isometry(spectra):
    row = spectra.loc[("tanh", 1 / 64, "orthogonal", 64)]
    text = " ".join((isometry.__doc__ or "").split())
    said = f"{row['variance']:.3f} against {row['variance_theory']:.3f}"
    assert f"With 64 layers the variance is {said} for orthogonal tanh" in text
    assert row["variance"] == pytest.approx(row["variance_theory"], rel=0.12)
    gaussian = spectra.loc[("tanh", 1 / 64, "gaussian", 64)]
    assert gaussian["variance"] > 100 * row["variance"]


def test_variances_of_orthogonal_networks_are_those_of_theory(spectra):
    """The tolerance is that of ReLU in six networks. The variance is that of λ ∝ σ_w^(2L):
    for a σ_w off by 5 % that of 16 layers is 1.05⁶⁴ = 23 times as large."""
    orthogonal = spectra.xs("orthogonal", level="weights")
    linear = orthogonal.loc["identity"]
    assert (linear["variance"] < 1e-6).all()
    others = orthogonal[orthogonal["variance_theory"] > 1e-3]
    ratio = others["variance"] / others["variance_theory"]
    assert len(others) >= 14
    assert (np.abs(np.log(ratio[ratio.index.get_level_values("depth") <= 16])) < 0.3).all()


def test_relu_is_no_isometry_whatever_the_weights(spectra):
    for weights in ("gaussian", "orthogonal"):
        assert spectra.loc[("relu", 1.0, weights, 64), "variance"] > 20


def test_learning_times_are_those_of_the_docstring(steps):
    text = " ".join((learning_time.__doc__ or "").split())
    laws, depths = ("orthogonal", "gaussian", "aligned"), [3, 10, 30, 60]
    found = {law: steps.loc[law, "median"].loc[depths] for law in laws}
    words = {
        name: [str(int(n)) if np.isfinite(n) else "never" for n in medians]
        for name, medians in found.items()
    }
    for name in ("orthogonal", "aligned"):
        *first, last = words[name]
        assert f"{', '.join(first)} and {last}" in text, name
    assert words["gaussian"][2:] == ["never", "never"]
    first, second = words["gaussian"][:2]
    assert f"{first}, {second}, and more than the 1,000 that are tried" in text


def test_variances_of_seeds_differ_as_the_docstring_says():
    rows = moments(_table(isometry)).set_index(["weights", "depth"]).loc[("gaussian", 64)]
    spread = rows["variance_high"] / rows["variance_low"]
    text = " ".join((isometry.__doc__ or "").split())
    said = f"by factors of {spread.min():.0f} to {spread.max():.0f} between seeds"
    assert said in text


def test_orthogonal_weights_learn_at_any_depth_and_gaussian_ones_do_not(steps):
    orthogonal = steps.loc["orthogonal", "median"]
    assert orthogonal[60] < 1.2 * orthogonal[30]
    assert steps.loc[("gaussian", 10), "median"] > 1.5 * orthogonal[10]


def test_aligned_weights_follow_the_exact_solution(steps):
    aligned = steps.loc["aligned"]
    np.testing.assert_allclose(aligned["median"], aligned["theory"], rtol=0.02)
