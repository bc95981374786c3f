"""Rows of the table for all seeds of a law and shape, or of an activation."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import jax
import numpy as np

from initjax.typing import HostArray, Key
from sweeps.angles.matrices import look
from sweeps.angles.networks import lengths, powers
from sweeps.angles.sizes import ANGLE_BINS, NETWORKS, recorded_layers, size, value_bins
from sweeps.harness.grid import Cell
from sweeps.near_orthogonality import ANGLE_BIN, KURTOSIS, SCHEMA, VALUE_BIN

Rows: TypeAlias = dict[str, Any]

_PARTS = ("matrices", "layers", "depth")


def rows(cells: Sequence[Cell], layers: Mapping[str, int]) -> Mapping[str, Any]:
    """Measure the cells, all seeds at once.

    Args:
        cells: Settings that share part, law, shape and activation.
        layers: Of the networks of each part that has some.
    """
    first = cells[0]
    seeds = list(dict.fromkeys(cell["seed"] for cell in cells))
    keys = jax.vmap(lambda seed: _key(seed, first))(np.array(seeds))
    measured = {"matrices": _matrices, "layers": _layers, "depth": _depth}
    found = measured[first["part"]](cells, seeds, keys, layers)
    return {name: np.concatenate([one[name] for one in found]) for name in found[0]}


def _key(seed: Any, cell: Cell) -> Key:
    """Streams of different parts and shapes are kept apart; laws share theirs."""
    key = jax.random.key(seed)
    for number in (_PARTS.index(cell["part"]), cell["outputs"], cell["inputs"]):
        key = jax.random.fold_in(key, number)
    return key


def _matrices(
    cells: Sequence[Cell], seeds: list[int], keys: Key, _: Mapping[str, int]
) -> list[Rows]:
    first = cells[0]
    of = size(first["outputs"], first["inputs"])
    seen, values = look(keys, first["law"], of)
    last = value_bins(of.outputs, of.inputs) - 1
    found = []
    for cell in cells:
        at = seeds.index(cell["seed"])
        one = {name: column[at] for name, column in seen._asdict().items()}
        angles, pairs = one.pop("angles"), one.pop("pairs")
        found.append(_filled(cell, {"record": "moments", "count": pairs, **one}))
        bins = np.arange(ANGLE_BINS)
        middle = (bins - ANGLE_BINS // 2) * ANGLE_BIN
        histogram = {"bin": bins, "middle": middle, "count": angles}
        found.append(_filled(cell, {"record": "angles", **histogram}))
        if of.decomposed:
            places = np.minimum(values[at] / VALUE_BIN, last).astype(int).ravel()
            count = np.bincount(places, minlength=last + 1)
            middle = (np.arange(last + 1) + 0.5) * VALUE_BIN
            histogram = {"bin": np.arange(last + 1), "middle": middle, "count": count}
            found.append(_filled(cell, {"record": "spectrum", **histogram}))
            found.append(_filled(cell, {"record": "extremes", **_ends(values[at])}))
    return found


def _ends(values: HostArray) -> Rows:
    """Least and greatest of the singular values [matrix, rank] of each matrix."""
    matrix, count = np.arange(len(values)), np.full(len(values), values.shape[1])
    least, greatest = values[:, -1], values[:, 0]
    return {"matrix": matrix, "count": count, "least": least, "greatest": greatest}


def _layers(
    cells: Sequence[Cell], seeds: list[int], keys: Key, layers: Mapping[str, int]
) -> list[Rows]:
    first, depth = cells[0], layers["layers"]
    remedies = tuple(dict.fromkeys(cell["remedy"] for cell in cells))
    told = lengths(keys, first["activation"], remedies, width=first["inputs"], depth=depth)
    names = ("norm_mean", "norm_std", "norm_error")
    layer = {"record": "layers", "layer": np.arange(1, depth + 1)}
    return [
        _filled(cell, layer | dict(zip(names, of_layer.T, strict=True)))
        for cell in cells
        for of_layer in [told[seeds.index(cell["seed"]), remedies.index(cell["remedy"])]]
    ]


def _depth(
    cells: Sequence[Cell], seeds: list[int], keys: Key, layers: Mapping[str, int]
) -> list[Rows]:
    first = cells[0]
    told = powers(keys, first["law"], width=first["inputs"], depth=layers["depth"])
    shown = recorded_layers(layers["depth"])
    network = {"matrix": np.repeat(np.arange(NETWORKS), len(shown))}
    lead = {"record": "depth", "layer": np.tile(shown, NETWORKS), **network}
    found = []
    for cell in cells:
        norm, sine = told[seeds.index(cell["seed"])][:, shown - 1].reshape(-1, 2).T
        found.append(_filled(cell, {**lead, "log_norm": norm, "log_sine": sine}))
    return found


def _filled(cell: Cell, measured: Rows) -> Rows:
    """Every column at full length: settings, what was measured, and nothing else."""
    floats = (column.name for column in SCHEMA.columns if column.kind == "float")
    absent: Rows = {"matrix": -1, "layer": 0, "bin": -1, "count": 1}
    absent |= dict.fromkeys(floats, float("nan"))
    absent["drawn"] = size(cell["outputs"], cell["inputs"]).columns
    absent["kurtosis"] = KURTOSIS.get(cell["law"], float("nan"))
    merged = absent | dict(cell) | measured
    length = max(np.size(value) for value in merged.values())
    return {name: np.broadcast_to(value, length) for name, value in merged.items()}
