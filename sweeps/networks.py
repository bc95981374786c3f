"""Fully connected networks of a grid, measured by the engine, as columns."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np

from initjax.engine import Draws, Measurement, draw_networks, measure_chains, spread
from initjax.fans import dense
from initjax.init import ScaledInitializer
from initjax.typing import Array, HostArray, Key
from sweeps import data, schemes
from sweeps.columns import NETWORK
from sweeps.harness.grid import Cell, group
from sweeps.networks_cost import NO_FILES, Call, call_of, distinct
from sweeps.networks_cost import cost as cost
from sweeps.networks_cost import recorded_layers as recorded_layers

T = TypeVar("T")

_PER_LAYER = (
    *("preact_mean", "preact_log10_std", "act_mean", "act_log10_std", "act_log10_rms"),
    *("zero_fraction", "saturated_fraction", "cosine"),
)


def columns(
    cells: Sequence[Cell], most_layers: int, files: Mapping[str, str] = NO_FILES
) -> Mapping[str, Any]:
    """Measure networks that share width and batch, their seeds by vmap.

    All schemes and depths of one activation and one kind of input are one call;
    all calls share one compiled program and one set of draws. The seeds are spread
    over the local devices, one device for one seed; a seed that fills up the last
    share is measured twice and recorded once.

    Args:
        cells: Settings by the names of ``NETWORK`` without the layer.
        most_layers: Layers recorded per network at most.
        files: Paths of the files that the networks read, by the name of the inputs.

    Returns:
        One array per column, one entry per network and recorded layer.
    """
    call = call_of(cells, files)
    keys = jax.vmap(lambda seed: jax.random.split(jax.random.key(seed)))(
        np.array(call.seeds)
    )
    built = {
        (cell["scheme"], cell["activation"]): schemes.build(
            cell["scheme"], cell["activation"]
        )
        for cell in cells
    }
    draws = draw_networks(
        call.bases,
        _placed(keys[:, 0], call),
        depth=call.depth,
        width=call.width,
        fan_ins=call.fan_ins,
        classes=data.CLASSES,
        redraw=call.redraw,
    )
    parts = [
        rows
        for same in group(cells, lambda cell: (cell["inputs"], cell["activation"]))
        for rows in _measured(
            same, call, draws, _inputs(same, call, keys[:, 1], files), built, most_layers
        )
    ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _placed(by_seed: T, call: Call) -> T:
    """Arrays [seed, ...] on the devices of a call, filled up to equal shares."""
    if call.devices == 1:
        return by_seed
    filled = np.arange(call.devices * call.share) % len(call.seeds)
    repeated = jax.tree.map(lambda a: a[filled], by_seed)
    return spread(repeated, jax.local_devices()[: call.devices])


def _inputs(
    cells: Sequence[Cell], call: Call, keys: Key, files: Mapping[str, str]
) -> tuple[Array, Array]:
    """Inputs [seed, batch, feature] and labels [seed, batch] of one kind."""
    name = cells[0]["inputs"]
    kind = files.get(name, name)
    drawn = [data.draw(kind, key, batch=call.batch, width=call.width) for key in keys]
    return jnp.stack([b.inputs for b in drawn]), jnp.stack([b.labels for b in drawn])


def _measured(
    cells: Sequence[Cell],
    call: Call,
    draws: Draws,
    inputs: tuple[Array, Array],
    built: Mapping[tuple[str, str], ScaledInitializer],
    most_layers: int,
) -> list[dict[str, HostArray]]:
    """Columns of networks that also share inputs and activation, one call."""
    activation = cells[0]["activation"]
    names, depths = distinct(cells, "scheme"), distinct(cells, "depth")
    seen = measure_chains(
        [built[name, activation] for name in names],
        activation,
        draws,
        *_placed(inputs, call),
        depths=depths,
        among=call.among,
    )
    return [
        _rows(
            cell,
            seen,
            call.seeds.index(cell["seed"]),
            names.index(cell["scheme"]),
            depths.index(cell["depth"]),
            built[cell["scheme"], activation],
            call.sizes[cell["inputs"]],
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
    fan_in: int,
    most_layers: int,
) -> dict[str, HostArray]:
    """Columns of one network."""
    length, width = cell["depth"], cell["width"]
    layers = recorded_layers(length, most_layers)
    forward = jax.tree.map(lambda a: a[seed, :length, scheme], seen.forward)
    backward = jax.tree.map(lambda a: a[seed, depth, :length, scheme], seen.backward)
    sigma_w = [_sigma_w(initializer, (entry, width)) for entry in (fan_in, width)]
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
