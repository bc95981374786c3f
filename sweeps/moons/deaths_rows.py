"""Rows of ``sweeps.dead_relu`` for the cells of one program, by part."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

import jax
import numpy as np

from initjax.engine.cores import by_cores
from initjax.typing import HostArray
from sweeps.data.moons import moons
from sweeps.harness.grid import Cell, group
from sweeps.moons.deaths import Scales, Shape, shares
from sweeps.moons.deaths_gradients import Kind, Record, at_the_start, in_training
from sweeps.moons.deaths_theory import first_gradients, off_at_a_point, off_at_all_points
from sweeps.schemes import build
from sweeps.training.loop import log_spaced

Rows: TypeAlias = dict[str, Any]


class Size(NamedTuple):
    """How much is measured of each seed.

    Attributes:
        networks: ReLU networks of a seed in a scan; without biases ten times as many.
        steps: Of training.
        rate: η of training.
    """

    networks: int
    steps: int
    rate: float

    def of(self, part: str) -> int:
        """Networks of one seed, bias and shape."""
        return {"scan": self.networks, "depths": 10 * self.networks}.get(part, 1)


RECORDS = 10
"""Steps of a training that are recorded, at most."""
_NAN = dict.fromkeys(
    (
        *("weight_grad", "bias_grad", "weight_theory", "bias_theory", "theory_spread"),
        *("loss", "accuracy", "contrast", "off", "off_theory", "dead_units"),
        *("dead_units_theory", "dead_one", "dead_line", "dead_points"),
    ),
    float("nan"),
)


def rows(cells: Sequence[Cell], size: Size) -> Mapping[str, Any]:
    """Measure cells that share part, activation and shape."""
    measure = {"start": _start, "training": _training}.get(cells[0]["part"], _deaths)
    found = [_filled(one) for one in measure(cells, size)]
    return {name: np.concatenate([one[name] for one in found]) for name in found[0]}


def recorded_layers(part: str, depth: int) -> HostArray:
    """Hidden layers that get a row: of a scan powers of 2 and the last one.

    Example:
        >>> recorded_layers("scan", 10).tolist()
        [1, 2, 4, 8, 10]
    """
    if part == "depths":
        return np.arange(1, depth + 1)
    return np.unique([*2 ** np.arange(int(np.log2(depth)) + 1), depth])


def scales(cell: Cell) -> Scales:
    """Of the weights of a scheme, which must be Gaussian."""
    n = cell["width"]
    laws = [build(cell["scheme"], "relu").law(shape) for shape in ((2, n), (n, n), (n, 1))]
    return Scales(*(law.variance**0.5 for law in laws))


def _kind(cell: Cell) -> Kind:
    shape = Shape(cell["width"], cell["depth"])
    return Kind(cell["activation"], scales(cell), cell["bias"], shape)


def _start(cells: Sequence[Cell], size: Size) -> list[Rows]:
    """A row for each seed and layer, with the theory."""
    kind, seeds = _kind(cells[0]), [cell["seed"] for cell in cells]
    found = at_the_start(kind, seeds)
    names = "weight_theory", "bias_theory", "theory_spread"
    theory = [first_gradients(kind, moons(seed).train) for seed in seeds]
    return [
        _layers(cell, found, n) | dict(zip(names, theory[n], strict=True))
        for n, cell in enumerate(cells)
    ]


def _training(cells: Sequence[Cell], size: Size) -> list[Rows]:
    """A row for each seed, recorded step and layer."""
    at = log_spaced(size.steps, RECORDS)
    seeds = [cell["seed"] for cell in cells]
    found = in_training(_kind(cells[0]), seeds, rate=size.rate, at=at)
    return [
        _layers(cell, found, (n, record)) | {"step": step}
        for n, cell in enumerate(cells)
        for record, step in enumerate(at)
    ]


def _layers(cell: Cell, found: Record, at: Any) -> Rows:
    """A row for each layer of one network at one step, the readout last."""
    measured = {name: values[at] for name, values in found._asdict().items()}
    return {**cell, **measured, "layer": np.arange(1, cell["depth"] + 2)}


def _deaths(cells: Sequence[Cell], size: Size) -> list[Rows]:
    """A row for each scheme, seed, bias and recorded layer."""
    sets = group(cells, lambda cell: (cell["scheme"], cell["seed"]))
    first, part = [same[0] for same in sets], cells[0]["part"]
    shape, networks = Shape(cells[0]["width"], cells[0]["depth"]), size.of(part)
    points = np.stack([moons(cell["seed"]).train.inputs for cell in first])
    biases = np.array([[cell["bias"] for cell in same] for same in sets], np.float32)
    found = by_cores(
        partial(shares, shape=shape, networks=networks),
        jax.vmap(jax.random.key)(np.array([cell["seed"] for cell in first])),
        points,
        Scales(*np.array([scales(cell) for cell in first], np.float32).T),
        biases,
    )
    layers = recorded_layers(part, shape.depth)
    known = [_first_layer(points[s], same) for s, same in enumerate(sets)]
    return [
        {
            **cell,
            **{"layer": layers, "networks": networks},
            **{name: a[s, b, layers - 1] for name, a in found._asdict().items()},
            **{name: np.where(layers == 1, p[b], np.nan) for name, p in known[s].items()},
        }
        for s, same in enumerate(sets)
        for b, cell in enumerate(same)
    ]


def _first_layer(inputs: HostArray, cells: Sequence[Cell]) -> dict[str, HostArray]:
    """Theory of its units, [bias]."""
    args = inputs, np.array([cell["bias"] for cell in cells]), scales(cells[0]).entry
    return {
        "off_theory": off_at_a_point(*args).mean(-1),
        "dead_units_theory": off_at_all_points(*args),
    }


def _filled(found: Rows) -> Rows:
    """Every column at full length: what was measured, and nan for all else."""
    merged = {"step": 0, "networks": 1, **_NAN, **found}
    length = len(found["layer"])
    return {name: np.broadcast_to(value, length) for name, value in merged.items()}
