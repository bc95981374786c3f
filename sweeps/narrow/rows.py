"""Rows of the table for the cells of one part and width."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import jax
import numpy as np

from initjax.typing import HostArray, Key
from sweeps.harness.grid import Cell, group
from sweeps.narrow.deaths import dead_shares
from sweeps.narrow.networks import Program, measure
from sweeps.narrow.points import point

Rows: TypeAlias = dict[str, Any]

TRIMMED = 2
"""Layers at each end that a slope leaves out."""
_NAN = float("nan")


def rows(cells: Sequence[Cell], networks: Mapping[str, int]) -> Mapping[str, Any]:
    """Measure the cells, one seed after the other.

    Args:
        cells: Settings that share part, width and depth.
        networks: Networks per seed of each part; of "slopes" at width 1024, and as many
            times more as a network is narrower.
    """
    found = [
        one
        for same in group(cells, lambda cell: cell["seed"])
        for one in _of_seed(same, networks)
    ]
    return {name: np.concatenate([one[name] for one in found]) for name in found[0]}


def _of_seed(cells: Sequence[Cell], networks: Mapping[str, int]) -> list[Rows]:
    first = cells[0]
    part, width, depth = first["part"], first["width"], first["depth"]
    # Streams of different parts and widths are kept apart.
    stream = jax.random.fold_in(jax.random.key(first["seed"]), width)
    key = jax.random.fold_in(stream, list(networks).index(part))
    if part == "deaths":
        return [_deaths(first, key, networks[part])]
    count = networks[part] if part == "lengths" else of_width(networks[part], width)
    names = tuple(cell["activation"] for cell in cells)
    points = [point(part, name) for name in names]
    batch = 1 if part == "lengths" else 8
    program = Program(names, width, depth, batch, backward=part == "slopes")
    seen = measure(program, points, key, count)
    as_rows = _lengths if part == "lengths" else _slopes
    return [
        _filled(cell, of._asdict() | as_rows(depth, seen.length[:, a], seen.gradient[:, a]))
        for a, (cell, of) in enumerate(zip(cells, points, strict=True))
    ]


def of_width(networks: int, width: int) -> int:
    """Networks that take as long per layer as some of width 1024, at most 32 times."""
    return networks * min(32, max(1, 1024 // width))


def recorded_layers(depth: int) -> HostArray:
    """Layers at which lengths are recorded: powers of 2 and the last one.

    Example:
        >>> recorded_layers(32).tolist()
        [1, 2, 4, 8, 16, 32]
    """
    return np.unique([*2 ** np.arange(int(np.log2(depth)) + 1), depth])


def trimmed(depth: int) -> tuple[int, int]:
    """First and last layer between which a slope is measured.

    Example:
        >>> trimmed(14)
        (2, 11)
    """
    return TRIMMED, depth - 1 - TRIMMED


def _lengths(depth: int, length: HostArray, _: HostArray) -> Rows:
    """A row for each network and recorded layer."""
    layers = recorded_layers(depth)
    return {
        "layer": np.tile(layers, len(length)),
        "network": np.repeat(np.arange(len(length)), len(layers)),
        "log_length": length[:, layers].ravel(),
    }


def _slopes(depth: int, length: HostArray, gradient: HostArray) -> Rows:
    """One row, the mean over the networks."""
    low, high = trimmed(depth)
    span = high - low
    return {
        "networks": [len(length)],
        "forward": [np.mean(length[:, high] - length[:, low]) / span],
        "backward": [np.mean(gradient[:, low] - gradient[:, high]) / span],
    }


def _deaths(cell: Cell, key: Key, networks: int) -> Rows:
    """A row for each layer."""
    width, depth = cell["width"], cell["depth"]
    one, both = dead_shares(key, width=width, depth=depth, networks=networks)
    layers = np.arange(1, depth + 1)
    shares = {"layer": layers, "dead_one": one, "dead_both": both}
    return _filled(cell, {**shares, "networks": np.full(depth, networks)})


def _filled(cell: Cell, measured: Rows) -> Rows:
    """Every column at full length: settings, what was measured, and nothing else."""
    absent: Rows = {
        **{"layer": cell["depth"], "network": -1, "networks": 1},
        **dict.fromkeys(("sigma_w", "sigma_b", "q", "log_length"), _NAN),
        **dict.fromkeys(("dead_one", "dead_both", "forward", "backward"), _NAN),
    }
    merged = absent | dict(cell) | measured
    size = max(np.size(value) for value in merged.values())
    return {name: np.broadcast_to(value, size) for name, value in merged.items()}
