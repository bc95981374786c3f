"""Deep linear networks against the exact solution, and Saxe et al.'s claim."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from initjax.meanfield import task_time
from sweeps.harness.cli import main
from sweeps.harness.table import load
from sweeps.learning_time import SCHEMA, TOLERANCE, Config, cells
from sweeps.spectra.learning import columns, draw, task, train


def _train(weights, depth, rate, steps, seeds=1):
    settings = {"weights": weights, "width": 64, "depth": depth, "rate": rate}
    same = [{**settings, "seed": seed} for seed in range(seeds)]
    return columns(same, TOLERANCE, steps)


def test_the_task_is_that_of_least_squares():
    target = task()
    assert target.shape == (10, 64)
    np.testing.assert_allclose(target.sum(0), 0, atol=1e-10)  # shares of 10 digits
    strengths = np.linalg.svd(target, compute_uv=False)
    assert np.all(strengths[:9] > 0.1) and strengths[9] < 1e-3


@pytest.mark.parametrize(("weights", "width"), [("orthogonal", 70), ("aligned", 70)])
def test_the_weights_are_what_they_are_called(weights, width):
    target = jnp.float32(task())
    layers = draw(jax.random.split(jax.random.key(0), 2), target, 5, width, weights)
    assert layers.hidden.shape == (2, 3, width, width)
    for matrix in (layers.first[0].T, layers.hidden[0, 0], layers.last[0]):
        np.testing.assert_allclose(matrix @ matrix.T, np.eye(len(matrix)), atol=1e-5)
    product = layers.last[0]
    for matrix in layers.hidden[0][::-1]:
        product = product @ matrix
    product = product @ layers.first[0]
    if weights == "aligned":
        # Of the strengths nine are not 0, and have singular vectors that are known.
        left, _, right = np.linalg.svd(target, full_matrices=False)
        np.testing.assert_allclose(product @ right[:9].T, left[:, :9], atol=1e-3)


@pytest.mark.parametrize("depth", [3, 12])
def test_aligned_weights_take_the_steps_of_the_exact_solution(depth):
    """Euler steps of size h lag behind the flow by O(h): 4 % at this rate."""
    rate = 0.1
    found = _train("aligned", depth, rate, 400)
    strengths = np.array(found["strengths"][0].split(), float)
    expected = depth * task_time(depth, strengths=strengths, error=TOLERANCE) / rate
    assert found["steps"][0] == pytest.approx(expected, rel=0.04, abs=1)
    # A rate off by 5 % would be seen.
    wrong = _train("aligned", depth, 1.1 * rate, 400)
    assert wrong["steps"][0] != pytest.approx(expected, rel=0.04, abs=1)


@pytest.mark.slow
def test_orthogonal_weights_learn_in_as_many_steps_at_any_depth():
    deep, deeper = (_train("orthogonal", d, 1.0, 200)["steps"][0] for d in (30, 60))
    assert 0 < deeper < 1.2 * deep
    shallow, gaussian = (_train("gaussian", d, 1.0, 200)["steps"][0] for d in (3, 30))
    assert shallow > 0
    assert gaussian == -1 or gaussian > 3 * shallow


def test_divergence_ends_the_training():
    target = jnp.float32(task())
    layers = draw(jax.random.split(jax.random.key(0), 1), target, 4, 64, "gaussian")
    steps, first, last = train(layers, jnp.array([50.0]), target, TOLERANCE, 200)
    assert steps[0] == -1
    assert not last[0] < 100 * first[0]


def test_a_run(tmp_path):
    arguments = ["--preset", "smoke", "--weights", "orthogonal", "aligned"]
    arguments += ["--depths", "3", "--steps", "100", "--out", str(tmp_path)]
    assert main("learning_time", arguments) == 0
    table = load(tmp_path / "table.parquet")
    assert list(table.columns) == SCHEMA.names
    assert len(table) == 2 * 2
    assert (table["last_excess"][table["steps"] > 0] < TOLERANCE).all()
    assert (tmp_path / "figures" / "steps.png").exists()


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"weights": ("uniform",)}, "--weights must be of gaussian, orthogonal, aligned"),
        ({"rates": (0.0,)}, "--rates must be numbers > 0 and < 1000"),
        ({"widths": (32,)}, "--widths must be >= 64"),
        ({"depths": (1,)}, "--depths must be >= 2"),
    ],
)
def test_bad_settings(settings, words):
    with pytest.raises(ValueError, match=words):
        cells(Config(**settings))
