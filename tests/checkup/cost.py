"""What a diagnosis costs, in passes of training: ``python -m tests.checkup.cost``.

A pre-LN transformer is diagnosed once more after its programs are compiled. The time is
divided by that of one compiled loss and gradient of one network, times the networks.
"""

import argparse
import time

import jax
import numpy as np

from initjax import diagnose
from initjax.probes.programs import random_signs
from tests.recipes.networks import GAUSSIAN, Transformer


def fastest(run, repeats):
    """Seconds of the fastest of some runs, after one that compiles."""
    run()
    found = []
    for _ in range(repeats):
        start = time.perf_counter()
        run()
        found.append(time.perf_counter() - start)
    return min(found)


def costs(blocks, width, batch, *, seeds=8, repeats=3):
    """Seconds of a diagnosis, and of one loss and gradient of one network."""
    model = Transformer(blocks, width, kernel_init=GAUSSIAN)
    x = np.random.default_rng(0).normal(size=(*batch, width)).astype(np.float32)
    params = jax.jit(model.init)(jax.random.key(0), x)

    @jax.jit
    @jax.value_and_grad
    def loss(params):
        return random_signs(model.apply(params, x))

    one = fastest(lambda: jax.block_until_ready(loss(params)), repeats)
    return fastest(lambda: diagnose(model, x, seeds=seeds), repeats), one


def main():
    """Print the ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=12)
    parser.add_argument("--width", type=int, default=256)
    parser.add_argument("--seeds", type=int, default=8)
    given = parser.parse_args()
    whole, one = costs(given.blocks, given.width, (8, 64), seeds=given.seeds)
    print(f"one loss and gradient    {one:.3f} s")
    print(f"diagnosis of {given.seeds} networks  {whole:.3f} s")
    print(f"ratio per network        {whole / given.seeds / one:.2f}")


if __name__ == "__main__":
    main()
