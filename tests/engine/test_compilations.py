"""One program for all seeds, schemes of the same bases, gains and activations."""

from initjax import init
from initjax.engine import draw_networks, measure_chains
from tests.engine.networks import batch, seed_keys


def _measure(scale, activation, shift):
    inputs, labels = batch(2, 5, 13)
    draws = draw_networks(
        ("normal", "uniform"), seed_keys(2), depth=6, width=19, fan_ins=(13,), classes=10
    )
    schemes = [init.normal(scale), init.xavier_uniform(scale)]
    names = ["relu", "tanh", "sigmoid"]
    return measure_chains(
        schemes, activation, draws, inputs + shift, labels, depths=(2, 6), among=names
    )


def test_other_settings_of_the_same_shape_do_not_compile(compilations):
    with compilations() as first:
        _measure(0.3, "relu", 0.0)
        _measure(0.3, "tanh", 0.0)  # brings only its slope in float64
    assert first.value > 0
    with compilations() as again:
        _measure(0.3, "relu", 0.0)
        _measure(1.7, "tanh", 0.5)
    assert again.value == 0


def test_the_counter_counts(compilations):
    import jax

    with compilations() as count:
        jax.jit(lambda x: x * 3.14159)(2.0)
    assert count.value >= 1
