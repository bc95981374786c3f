"""Traces of deep networks, filled column by column from a simulation in NumPy."""

import jax
import numpy as np

from initjax.probes.sites import Site
from initjax.probes.trace import PARAMETER_COLUMNS, SITE_COLUMNS, Parameter, Trace

ROWS = 32


def chain(forward, backward, *, width=64, name="relu", function=jax.nn.relu, **columns):
    """A plain network with the given log10 rms [seed, layer] at its dense layers.

    A readout follows the last layer. ``columns`` are those of the dense layers too.
    """
    seeds, depth = np.shape(forward)
    sites, values = [], {column: [] for column in SITE_COLUMNS}
    size = np.log10(ROWS * width) / 2
    given = {"log10_rms": forward, "back_log10_norm": backward} | columns
    given.setdefault("back_log10_rms", np.asarray(backward) - size)
    for layer in range(depth + 1):
        path, parents = f"layers_{layer}", (len(sites) - 1,) if sites else ()
        weights = (f"{path}/kernel", f"{path}/bias")
        shape = (ROWS, width if layer < depth else 1)
        kind = ("dense", layer + 1, parents, shape, "float32", weights, width)
        sites.append(Site(path, *kind))
        if layer < depth:
            behind = ("activation", layer + 1, (2 * layer,), (ROWS, width), "float32", ())
            sites.append(Site(f"{path}/{name}", *behind, None, name, function))
        for column, listed in values.items():
            usual = np.full(seeds, 0.5 if column == "cosine" else 0.0)
            known = column in given and layer < depth
            own = np.asarray(given[column])[:, layer] if known else usual
            listed.extend([own, own] if layer < depth else [own])
    return finished(sites, {k: np.stack(v, 1).astype(float) for k, v in values.items()})


def finished(sites, values, **columns):
    """A trace with healthy parameters, but for the given columns [seed, parameter]."""
    shapes = {}
    for site in sites:
        for path in site.weights:
            one = path.endswith("bias")
            shapes[path] = (site.shape[-1],) if one else (site.fan_in, site.shape[-1])
    leaves = tuple(Parameter(p, shape, "float32") for p, shape in shapes.items())
    seeds = len(next(iter(values.values())))
    usual = {"distinct": 4096.0, "log10_std": -1.0}
    numbers = {
        c: np.full((seeds, len(leaves)), usual.get(c, 0.0)) for c in PARAMETER_COLUMNS
    }
    numbers |= columns
    loss, inputs = np.zeros(seeds), (Parameter("0", (ROWS, 64), "float32"),)
    return Trace(tuple(sites), values, leaves, numbers, loss, None, (), inputs)


def simulated(*, depth, width, sigma_w, seeds=8, seed=0, sigma_b=0.0, activation="relu"):
    """A fully connected network in float64, forward and backward, as a trace."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(seeds, ROWS, width))
    kernels = rng.normal(0, sigma_w / width**0.5, (depth, seeds, width, width))
    biases = rng.normal(0, sigma_b, (depth, seeds, 1, width))
    phi, slope = _FUNCTIONS[activation]
    z, before = [], x
    for kernel, bias in zip(kernels, biases, strict=True):
        z.append(before @ kernel + bias)
        before = phi(z[-1])
    back = [rng.normal(size=x.shape) / width * slope(z[-1])]
    for layer in range(depth - 1, 0, -1):
        back.append(back[-1] @ kernels[layer].swapaxes(1, 2) * slope(z[layer - 1]))
    z, back = np.stack(z, 1), np.stack(back[::-1], 1)
    unit = z / np.linalg.norm(z, axis=-1, keepdims=True)
    gram = unit @ unit.swapaxes(-1, -2)
    cosine = (gram.sum((-1, -2)) - ROWS) / (ROWS * (ROWS - 1))
    dead = (slope(z) == 0).all(2).mean(-1)
    with np.errstate(divide="ignore"):
        forward = np.log10((z**2).mean((2, 3))) / 2
        norm = np.log10((back**2).sum((2, 3))) / 2
    named = {"name": activation, "function": getattr(jax.nn, activation)}
    columns = {"cosine": cosine, "dead_fraction": dead}
    return chain(forward, norm, width=width, **named, **columns)


_FUNCTIONS = {
    "relu": (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
}
