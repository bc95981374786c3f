import numpy as np
import pytest

from initjax.meanfield import dead_bounds, dead_probability, half_death_depth

# (width, depth): the formula of the bounds, computed elsewhere
BOUNDS = {
    (2, 5): (0.47668457, 0.68359375),
    (2, 50): (0.999998691, 0.999999245),
    (3, 5): (0.173305511, 0.413818359),
    (3, 10): (0.513388702, 0.699342199),
    (4, 20): (0.519845388, 0.706603957),
    (5, 5): (0.0138098663, 0.119261742),
    (5, 50): (0.636104301, 0.788955489),
    (8, 10): (0.00119633793, 0.0346119112),
    (8, 50): (0.0308375397, 0.174512425),
    (10, 5): (1.42938598e-05, 0.00390053168),
    (10, 50): (0.00219413236, 0.0467470092),
}
HALF_DEATH = {2: 2.41, 3: 5.19, 4: 10.74, 5: 21.83, 8: 177.1, 10: 709.4, 16: 45425.7}


def _dead(width, layers, networks, seed=0):
    """Shares dead at 1 and everywhere, each layer rescaled."""
    rng = np.random.default_rng(seed)
    h = rng.standard_normal((networks, 1, width))
    h = np.maximum(np.concatenate([h, -h], 1), 0)
    for _ in range(layers - 1):
        h = np.maximum(h @ rng.standard_normal((networks, width, width)), 0)
        h /= np.maximum(h.max(2, keepdims=True), 1e-300)
    dead = h.max(2) == 0
    return dead[:, 0].mean(), dead.all(1).mean()


def test_bounds_are_those_of_the_formula():
    width, depth = np.array(list(BOUNDS)).T
    np.testing.assert_allclose(
        np.transpose(dead_bounds(width, depth)), list(BOUNDS.values()), rtol=2e-8
    )


def test_half_death_depth():
    found = half_death_depth(np.array(list(HALF_DEATH)))
    np.testing.assert_allclose(found, list(HALF_DEATH.values()), rtol=3e-3)
    n = 5
    assert float(dead_probability([n] * 22)) > 0.5 > float(dead_probability([n] * 21))


@pytest.mark.parametrize(("width", "layers"), [(2, 9), (3, 9), (4, 19)])
def test_finite_networks(width, layers):
    networks = 20_000
    one, both = _dead(width, layers, networks)
    exact = float(dead_probability([width] * layers))
    error = np.sqrt(exact * (1 - exact) / networks)
    assert abs(one - exact) < 5 * error
    for wrong in ([width] * (layers + 3), [width + 1] * layers):
        assert abs(one - float(dead_probability(wrong))) > 5 * error
    lower, upper = dead_bounds(width, layers + 1)
    assert lower - 5 * error < both < upper + 5 * error
    assert upper == pytest.approx(exact, rel=1e-12)


def test_small_probabilities_keep_their_digits():
    assert float(dead_probability([60, 61])) == pytest.approx(1.5 * 2.0**-60, rel=1e-12)
    mixed = dead_probability(np.array([[1, 3], [2, 2]]))
    np.testing.assert_allclose(mixed, [1 - 0.5 * 0.875, 1 - 0.75**2], rtol=1e-14)


def test_bad_input_is_named():
    for call in (
        lambda: dead_probability([3, 0]),
        lambda: dead_bounds(3, 1),
        lambda: dead_bounds(0, 5),
        lambda: half_death_depth(2.5),
    ):
        with pytest.raises(ValueError, match="must be whole numbers"):
            call()
