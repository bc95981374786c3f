"""The one training loop, against steps done by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from sweeps.training.loop import Recipe, descend, log_spaced

TARGETS = jnp.array([[1.0, -2.0], [0.5, 3.0], [2.0, 0.0]])


def _loss(theta, step):
    return jnp.sum((theta - TARGETS[step % 3]) ** 4)


def _by_hand(theta, steps, optimizer):
    """Parameters before and after every step, and the loss before it."""
    memory, seen, losses = optimizer.init(theta), [theta], []
    for step in range(steps):
        value, gradient = jax.value_and_grad(_loss)(theta, step)
        change, memory = optimizer.update(gradient, memory, theta)
        theta = optax.apply_updates(theta, change)
        seen.append(theta)
        losses.append(value)
    return np.array(seen), np.array(losses)


@pytest.mark.parametrize("name", ["sgd", "adamw"])
def test_every_step_and_record(name):
    """Of a transformation that reads its parameters too, as weight decay does."""
    optimizer = {"sgd": optax.sgd(0.01, 0.9), "adamw": optax.adamw(0.05)}[name]
    start, at = jnp.array([0.3, 0.1]), [0, 1, 4, 4, 9]
    recipe = Recipe(_loss, optimizer, lambda theta: {"twice": 2 * theta})
    course = jax.jit(descend, static_argnums=(0, 3))(recipe, start, jnp.array(at), 9)
    seen, losses = _by_hand(start, 9, optimizer)
    np.testing.assert_allclose(course.losses, losses, rtol=1e-5)
    np.testing.assert_allclose(course.last, seen[-1], rtol=1e-5)
    np.testing.assert_allclose(course.records["twice"], 2 * seen[at], rtol=1e-5)
    assert not np.allclose(seen[4], seen[3], rtol=1e-3), "a step too few would be seen"


def test_other_numbers_of_steps_between_records_are_the_same_program():
    recipe = Recipe(_loss, optax.sgd(0.01), jnp.sum)
    program = jax.jit(lambda start, at: descend(recipe, start, at, 9))
    for at in ([0, 3, 9], [1, 2, 9], [9, 9, 9]):
        program(jnp.zeros(2), jnp.array(at))
    assert program._cache_size() == 1


def test_records_are_log_spaced_and_end_with_the_last_step():
    found = log_spaced(10_000, 25)
    assert found[0] == 0
    assert found[-1] == 10_000
    assert len(found) <= 25 + 1
    assert (np.diff(found) > 0).all()
    ratios = found[10:] / found[9:-1]
    assert ratios.max() < 1.1 * ratios.min()
    assert log_spaced(1, 2).tolist() == [0, 1]
