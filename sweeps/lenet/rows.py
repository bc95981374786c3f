"""Rows of the table for networks of one program, before training or over it."""

from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np

from initjax.typing import HostArray
from sweeps.data.mnist import Split
from sweeps.harness.grid import Cell
from sweeps.lenet.blocks import Architecture
from sweeps.lenet.networks import LeNet
from sweeps.lenet.optimizers import Hyperparameters, Optimizer
from sweeps.lenet.rooms import room
from sweeps.lenet.signals import Signals, measure, present
from sweeps.lenet.slopes import decades, first_lost, last_lost
from sweeps.lenet.starts import initialize
from sweeps.lenet.studies import records
from sweeps.lenet.training import Record, Task, train
from sweeps.training.loop import Course
from sweeps.training.networks import stack
from sweeps.training.settings import LAST
from sweeps.training.sgd import minibatches

_SHORTCUT = ("shortcut", "both")
_NORMALIZED = ("batch_norm", "both")
_FLOATS = (
    *("act", "delta", "weight_grad", "weight", "first_grad"),
    *("act_slope", "delta_slope", "grad_slope"),
    *("loss", "test_loss", "accuracy", "best_accuracy"),
)
_ABSENT: dict[str, Any] = {
    **{"step": 0, "layer": 0, "act_lost": 0, "delta_lost": 0, "diverged": -1},
    **dict.fromkeys(_FLOATS, float("nan")),
}


Own = Mapping[str, HostArray]
"""Signals of one network by name, [record, layer] or [layer]."""


def rows(cells: Sequence[Cell], data: Split, batch: int) -> Mapping[str, Any]:
    """Measure networks of one program, the deepest first, which keeps all cores busy.

    Args:
        cells: Their settings.
        data: Images to train on and to test on.
        batch: Images of a minibatch, and of the one that signals are measured on.
    """
    ordered = sorted(cells, key=lambda cell: -cell["modules"])
    measured = _trained if ordered[0]["steps"] else _untrained
    found = [
        {**cell, **_ABSENT, **row}
        for cell, of_cell in zip(ordered, measured(ordered, data, batch), strict=True)
        for row in of_cell
    ]
    return {name: [row[name] for row in found] for name in found[0]}


def _untrained(
    cells: Sequence[Cell], data: Split, batch: int
) -> list[list[dict[str, Any]]]:
    """Of each network one row, or one per layer."""
    images, labels = data.train
    seen = [_order(cell, 1, batch, len(images))[0] for cell in cells]
    found = measure(
        stack(_networks(cells)),
        np.array([cell["modules"] for cell in cells]),
        np.stack([images[chosen] for chosen in seen]),
        np.stack([labels[chosen] for chosen in seen]),
        _architecture(cells[0]),
    )
    return [
        _layers(own, 0) if cell["part"] == "layers" else [_start(own, cell["modules"])]
        for cell, own in zip(cells, _each(found, cells), strict=True)
    ]


def _trained(cells: Sequence[Cell], data: Split, batch: int) -> list[list[dict[str, Any]]]:
    """Of each network one row after training, or one per record and layer."""
    one, size = cells[0], len(data.train[0])
    transforms = (
        () if one["transform"] == "none" else ((one["transform"], one["threshold"]),)
    )
    at = records(one)
    course = train(
        _networks(cells),
        [cell["modules"] for cell in cells],
        [Hyperparameters(cell["rate"], epsilon=cell["epsilon"]) for cell in cells],
        [_order(cell, cell["steps"], batch, size) for cell in cells],
        data,
        Task(_architecture(one), Optimizer(one["optimizer"], transforms)),
        at,
    )
    by_record = _each(course.records.signals, cells)
    found = []
    for n, (cell, own) in enumerate(zip(cells, by_record, strict=True)):
        if cell["part"] == "train":
            found.append([_end(course, n, own, at)])
            continue
        found.append(
            [
                {**row, **_tests(course.records, n, r)}
                for r, step in enumerate(at)
                for row in _layers({name: part[r] for name, part in own.items()}, step)
            ]
        )
    return found


def _end(
    course: Course[LeNet, Record], n: int, own: Own, at: Sequence[int]
) -> dict[str, Any]:
    """The row of a trained network."""
    losses = np.asarray(course.losses[n], np.float64)
    lost = np.flatnonzero(~np.isfinite(losses))
    return {
        "step": at[-1],
        "first_grad": own["weight_grad"][0, 0],
        "loss": losses[-min(LAST, len(losses)) :].mean(),
        **_tests(course.records, n, -1),
        "best_accuracy": course.records.accuracy[n].max(),
        "diverged": int(lost[0]) if len(lost) else -1,
    }


def _tests(record: Record, network: int, number: int) -> dict[str, Any]:
    return {
        "accuracy": record.accuracy[network, number],
        "test_loss": record.loss[network, number],
    }


def _start(own: Own, modules: int) -> dict[str, Any]:
    """The row of a network before training; what comes back grows going back."""
    return {
        "first_grad": own["weight_grad"][0],
        "act_slope": decades(own["act"], modules),
        "delta_slope": -decades(own["delta"], modules),
        "grad_slope": -decades(own["weight_grad"], modules),
        "act_lost": first_lost(own["act"]),
        "delta_lost": last_lost(own["delta"]),
    }


def _layers(own: Own, step: int) -> list[dict[str, Any]]:
    """A row for each layer that is there."""
    return [
        {"step": step, "layer": layer + 1, **dict(zip(own, values, strict=True))}
        for layer, values in enumerate(zip(*own.values(), strict=True))
    ]


def _each(signals: Signals, cells: Sequence[Cell]) -> list[Own]:
    """Of each network, without the layers that are not there."""
    there = [np.asarray(present(cell["modules"], _room(cells))) for cell in cells]
    return [
        {name: np.asarray(part[n])[..., own] for name, part in signals._asdict().items()}
        for n, own in enumerate(there)
    ]


def _networks(cells: Sequence[Cell]) -> list[LeNet]:
    size = _room(cells)
    return [
        initialize(
            jax.random.key(cell["seed"]),
            cell["scheme"],
            _architecture(cell),
            modules=cell["modules"],
            stack=size,
        )
        for cell in cells
    ]


def _room(cells: Sequence[Cell]) -> int:
    return max(room(cell["modules"], cell["steps"] > 0) for cell in cells)


def _architecture(cell: Cell) -> Architecture:
    cure = cell["cure"]
    return Architecture(cell["activation"], cure in _SHORTCUT, cure in _NORMALIZED)


def _order(cell: Cell, steps: int, batch: int, images: int) -> HostArray:
    """Training images of each step; the first ones are those that signals are of."""
    return minibatches(cell["seed"], steps=steps, batch=batch, images=images)
