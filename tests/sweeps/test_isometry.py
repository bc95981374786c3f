"""The Jacobians of the sweep: published variances, exact cases, and what is refused."""

import jax
import numpy as np
import pytest

from initjax.meanfield import critical_point, jacobian_moments
from sweeps.harness.cli import main
from sweeps.harness.table import load
from sweeps.isometry import SCHEMA, Config, cells, cost
from sweeps.spectra.jacobians import singular_values

SEEDS = 6


def _squares(activation, q, weights, depth, width, gain=1.0, seeds=SEEDS):
    """Squared singular values [seed, rank] and the σ_w they were made with."""
    sigma_w, sigma_b = critical_point(activation, q=q)
    found = singular_values(
        activation,
        weights,
        jax.vmap(jax.random.key)(np.arange(seeds)),
        depths=[depth],
        width=width,
        sigmas=(q, gain * float(sigma_w), float(sigma_b)),
    )
    return 100.0 ** found[depth], float(sigma_w)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("activation", "q", "weights", "depth", "variance", "tolerance"),
    [
        ("identity", 1.0, "gaussian", 8, 8, 0.1),
        ("relu", 1.0, "orthogonal", 8, 8, 0.3),
        ("tanh", 1 / 64, "orthogonal", 64, 0.108119696, 0.12),
    ],
)
def test_variances_of_wide_networks(activation, q, weights, depth, variance, tolerance):
    """Each tolerance is four standard errors of six seeds at width 500, or more."""
    squares, sigma_w = _squares(activation, q, weights, depth, 500)
    settings = {"depth": depth, "q": q, "sigma_w": sigma_w, "weights": weights}
    assert jacobian_moments(activation, **settings)[1] == pytest.approx(variance, rel=1e-8)
    assert squares.var(1).mean() == pytest.approx(variance, rel=tolerance)
    if activation == "identity":
        # A gain of 5 % multiplies λ by 1.05^(2L), its variance by 4.8.
        wrong = squares * 1.05 ** (2 * depth)
        assert wrong.var(1).mean() > (1 + tolerance) * variance


def test_orthogonal_linear_networks_are_isometries():
    squares, _ = _squares("identity", 1.0, "orthogonal", 6, 32)
    np.testing.assert_allclose(squares, 1, rtol=1e-4)
    wrong, _ = _squares("identity", 1.0, "orthogonal", 6, 32, gain=1.05)
    np.testing.assert_allclose(wrong, 1.05**12, rtol=1e-4)


def test_deeper_networks_begin_with_the_shallow_ones():
    keys = jax.vmap(jax.random.key)(np.arange(2))
    settings = {"width": 32, "sigmas": (0.25, 1.18, 0.09)}
    both = singular_values("tanh", "gaussian", keys, depths=[2, 5], **settings)
    alone = singular_values("tanh", "gaussian", keys, depths=[5], **settings)
    np.testing.assert_allclose(both[5][:, :20], alone[5][:, :20], atol=1e-4)


def test_pre_activations_keep_their_fixed_point():
    """tanh slopes tell q: one orthogonal layer has mean λ = χ₁ = 1 within 5 errors."""
    squares, sigma_w = _squares("tanh", 0.25, "orthogonal", 1, 128, seeds=40)
    mean, variance = jacobian_moments(
        "tanh", depth=1, q=0.25, sigma_w=sigma_w, weights="orthogonal"
    )
    by_seed = squares.mean(1)
    error = by_seed.std(ddof=1) / np.sqrt(len(by_seed))
    assert mean == pytest.approx(1, rel=1e-9)
    assert abs(by_seed.mean() - 1) < 5 * error < 0.05
    assert squares.var(1).mean() == pytest.approx(float(variance), rel=0.1)


def test_what_float32_does_not_resolve_is_zero():
    """Half of the values of one ReLU layer, within 5 standard deviations of a count."""
    squares, _ = _squares("relu", 1.0, "gaussian", 1, 32)
    zeros = (squares == 0).mean()
    assert abs(zeros - 0.5) < 5 * 0.5 / np.sqrt(squares.size)


def test_a_run_and_its_cost(tmp_path):
    arguments = ["--activations", "relu", "tanh", "--q-stars", "0.1", "--depths", "1", "3"]
    arguments += ["--widths", "32", "--seeds", "2", "--weights", "gaussian"]
    assert main("isometry", [*arguments, "--out", str(tmp_path)]) == 0
    table = load(tmp_path / "table.parquet")
    assert list(table.columns) == SCHEMA.names
    assert len(table) == 2 * 2 * 2 * 32
    assert set(table["q"].unique()) == {np.float32(1), np.float32(0.1)}
    assert (tmp_path / "figures" / "densities.png").exists()
    config = Config(activations=("relu",), depths=(1, 3), widths=(32,), seeds=2)
    priced = cost([c for c in cells(config) if c["weights"] == "gaussian"], config)
    assert (len(priced.programs), priced.rows) == (2, 2 * 2 * 32)


def test_homogeneous_activations_have_one_fixed_point():
    found = cells(Config(activations=("relu", "tanh"), q_stars=(0.1, 0.2), seeds=1))
    assert {(c["activation"], c["q"]) for c in found} == {
        *(("relu", 1.0), ("tanh", 0.1), ("tanh", 0.2)),
    }


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"weights": ("uniform",)}, "--weights must be of gaussian, orthogonal"),
        ({"q_stars": (0.0,)}, "--q-stars must be numbers > 0 and < 10000"),
        ({"activations": ("sigmoid",)}, "no critical point"),
        ({"depths": (0,)}, "--depths must be >= 1"),
    ],
)
def test_bad_settings(settings, words):
    with pytest.raises(ValueError, match=words):
        cells(Config(**settings))
