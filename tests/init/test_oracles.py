"""Same laws as the libraries whose names are borrowed, where theirs are right."""

import jax
import numpy as np
import pytest
from scipy import stats

from initjax import init

SHAPE = (120, 90)


@pytest.mark.parametrize(
    "name",
    [f"{who}_{law}" for who in ("glorot", "he", "lecun") for law in ("normal", "uniform")],
)
def test_last_names_are_those_of_jax(name):
    """Two samples of one law: Kolmogorov-Smirnov at a level of 1e-6."""
    ours = getattr(init, name)()(jax.random.key(0), SHAPE)
    theirs = getattr(jax.nn.initializers, name)()(jax.random.key(1), SHAPE)
    assert stats.ks_2samp(np.ravel(ours), np.ravel(theirs)).pvalue > 1e-6


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("xavier_uniform", {"gain": 5 / 3}),
        ("xavier_normal", {"gain": 5 / 3}),
        ("kaiming_uniform", {"a": 5**0.5}),
        ("kaiming_normal", {"a": 0.2, "mode": "fan_out"}),
        ("kaiming_normal", {"nonlinearity": "relu"}),
        ("kaiming_uniform", {"nonlinearity": "tanh"}),
    ],
)
def test_first_names_are_those_of_torch(name, arguments):
    torch = pytest.importorskip("torch", reason="the oracle of the bench extra")
    ours = getattr(init, name)(**arguments)(jax.random.key(0), SHAPE)
    empty = torch.empty(*SHAPE[::-1])
    torch.manual_seed(1)
    theirs = getattr(torch.nn.init, f"{name}_")(empty, **arguments).numpy()
    assert stats.ks_2samp(np.ravel(ours), np.ravel(theirs)).pvalue > 1e-6
