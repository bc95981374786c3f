"""Fully connected networks of a grid, measured by the engine, as columns."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from initjax.engine import Draws, Measurement, draw_networks, measure_chains
from initjax.fans import dense
from initjax.init import ScaledInitializer
from initjax.typing import HostArray, Key
from sweeps import data, schemes
from sweeps.columns import NETWORK
from sweeps.harness.grid import Cell, group

_PER_LAYER = (
    *("preact_mean", "preact_log10_std", "act_mean", "act_log10_std", "act_log10_rms"),
    *("zero_fraction", "saturated_fraction", "cosine"),
)


def recorded_layers(depth: int, most: int) -> HostArray:
    """At most ``most`` log-spaced layers of a network, the first and last included.

    Example:
        >>> recorded_layers(5, 24).tolist(), recorded_layers(100, 5).tolist()
        ([0, 1, 2, 3, 4], [0, 2, 9, 31, 99])
    """
    if depth <= most:
        return np.arange(depth)
    return np.unique(np.geomspace(1, depth, most).round().astype(int) - 1)


def columns(cells: Sequence[Cell], most_layers: int) -> Mapping[str, Any]:
    """Measure networks that share width and batch, their seeds by vmap.

    All schemes and depths of one activation and one kind of input are one call;
    all calls share one compiled program and one set of draws.

    Args:
        cells: Settings by the names of ``NETWORK`` without the layer.
        most_layers: Layers recorded per network at most.

    Returns:
        One array per column, one entry per network and recorded layer.
    """
    width = cells[0]["width"]
    seeds = list(dict.fromkeys(cell["seed"] for cell in cells))
    keys = jax.vmap(lambda seed: jax.random.split(jax.random.key(seed)))(np.array(seeds))
    built = {
        (cell["scheme"], cell["activation"]): schemes.build(
            cell["scheme"], cell["activation"]
        )
        for cell in cells
    }
    draws = draw_networks(
        tuple(sorted({initializer.base for initializer in built.values()})),
        keys[:, 0],
        depth=max(cell["depth"] for cell in cells),
        width=width,
        fan_ins=tuple(sorted({data.features(cell["inputs"], width) for cell in cells})),
        classes=data.CLASSES,
    )
    among = list(dict.fromkeys(cell["activation"] for cell in cells))
    parts = [
        rows
        for same in group(cells, lambda cell: (cell["inputs"], cell["activation"]))
        for rows in _measured(same, seeds, draws, keys[:, 1], built, among, most_layers)
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _measured(
    cells: Sequence[Cell],
    seeds: list[int],
    draws: Draws,
    inputs_keys: Key,
    built: Mapping[tuple[str, str], ScaledInitializer],
    among: Sequence[str],
    most_layers: int,
) -> list[dict[str, HostArray]]:
    """Columns of networks that also share inputs and activation, one call."""
    kind, activation, width, batch = (
        cells[0][name] for name in ("inputs", "activation", "width", "batch")
    )
    names = list(dict.fromkeys(cell["scheme"] for cell in cells))
    depths = list(dict.fromkeys(cell["depth"] for cell in cells))
    drawn = [data.draw(kind, key, batch=batch, width=width) for key in inputs_keys]
    seen = measure_chains(
        [built[name, activation] for name in names],
        activation,
        draws,
        jnp.stack([one.inputs for one in drawn]),
        jnp.stack([one.labels for one in drawn]),
        depths=depths,
        among=among,
    )
    return [
        _rows(
            cell,
            seen,
            seeds.index(cell["seed"]),
            names.index(cell["scheme"]),
            depths.index(cell["depth"]),
            built[cell["scheme"], activation],
            most_layers,
        )
        for cell in cells
    ]


def _rows(
    cell: Cell,
    seen: Measurement,
    seed: int,
    scheme: int,
    depth: int,
    initializer: ScaledInitializer,
    most_layers: int,
) -> dict[str, HostArray]:
    """Columns of one network."""
    length, width = cell["depth"], cell["width"]
    layers = recorded_layers(length, most_layers)
    forward = jax.tree.map(lambda a: a[seed, :length, scheme], seen.forward)
    backward = jax.tree.map(lambda a: a[seed, depth, :length, scheme], seen.backward)
    entry = (data.features(cell["inputs"], width), width)
    sigma_w = [_sigma_w(initializer, entry), _sigma_w(initializer, (width, width))]
    settings = {column.name: cell.get(column.name) for column in NETWORK}
    return {
        **{name: np.full(len(layers), value) for name, value in settings.items()},
        "layer": layers,
        "sigma_w": np.where(layers == 0, *sigma_w),
        **{name: getattr(forward, name)[layers] for name in _PER_LAYER},
        "delta_log10_rms": backward.delta_log10_rms[layers],
        "weight_grad_log10_norm": backward.weight_grad_log10_norm[layers],
        "first_nonfinite": np.full(len(layers), _first(~forward.finite)),
        "first_flushed": np.full(len(layers), _first(forward.flushed)),
        "delta_flushed": np.full(len(layers), _last(backward.delta_flushed)),
    }


def _sigma_w(initializer: ScaledInitializer, shape: tuple[int, int]) -> float:
    return float(np.sqrt(initializer.law(shape).variance * dense(shape).fan_in))


def _first(flags: HostArray) -> int:
    return int(np.argmax(flags)) if flags.any() else -1


def _last(flags: HostArray) -> int:
    return len(flags) - 1 - _first(flags[::-1]) if flags.any() else -1
