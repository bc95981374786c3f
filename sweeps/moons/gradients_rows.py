"""Rows of the table: gradients at the first step, and those of networks in training."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import numpy as np

from initjax.activations import resolve
from initjax.typing import Activation, Array, HostArray
from sweeps.data.moons import Moons, Points, moons
from sweeps.harness.grid import Cell
from sweeps.moons.gradients import Signals, gradient_norms, signals
from sweeps.moons.gradients_settings import LAYERS, RECORDS, padded
from sweeps.moons.gradients_starts import networks
from sweeps.moons.training import Task, accuracy, loss, train_on_moons
from sweeps.training.loop import log_spaced
from sweeps.training.networks import Network, stack

_NAN = float("nan")


class Record(NamedTuple):
    """A network at one step: [layer] norms of its gradient, its loss, its accuracies."""

    weight_grad: Array
    bias_grad: Array
    loss: Array
    accuracy: Array
    test_accuracy: Array


def watch(network: Network, data: Moons, activation: Activation) -> Record:
    """The record of a network: loss and gradient on the points that it is trained on."""
    return Record(
        *gradient_norms(network, data.train, activation),
        loss(network, data.train, activation),
        accuracy(network, data.train, activation),
        accuracy(network, data.test, activation),
    )


def rows(cells: Sequence[Cell], steps: Mapping[str, int], block: int) -> Mapping[str, Any]:
    """Measure networks of one part and activation.

    Args:
        cells: Their settings.
        steps: Of each part, 0 of that before the first step.
        block: Number that they are filled up to a multiple of, by networks that are
            measured twice: calls of other sizes then run the same program.
    """
    number = steps[cells[0]["part"]]
    if number:
        return training_rows(cells, log_spaced(number, RECORDS), block)
    return first_rows(cells, block)


def first_rows(cells: Sequence[Cell], block: int) -> Mapping[str, Any]:
    """Signals of each network before its first step, in float64.

    What layer 4 tells of its input is 1e-10 of what it says: in float32 it is lost.
    """
    start = stack(networks(cells))
    points = stack([moons(cell["seed"]).train for cell in cells])
    wide = jax.tree.map(lambda a: a.astype(np.float64), (start, points))
    activation, parts = cells[0]["activation"], []
    with jax.enable_x64(True):
        for at in _filled(len(cells), block).reshape(-1, block):
            part = jax.tree.map(lambda a, at=at: a[at], wide)
            parts.append(jax.device_get(_first(*part, activation=activation)))
    seen = jax.tree.map(lambda *a: np.concatenate(a)[: len(cells)], *parts)
    measured = {
        "act_log10_rms": seen.act[:, None],
        "act_log10_spread": seen.spread[:, None],
        "delta_log10_rms": seen.delta[:, None],
        "weight_grad_log10_norm": seen.weight_grad[:, None],
        "bias_grad_log10_norm": seen.bias_grad[:, None],
    }
    absent = ("loss", "accuracy", "test_accuracy")
    return _rows(cells, np.zeros(1, np.int32), measured | dict.fromkeys(absent, _NAN))


@partial(jax.jit, static_argnames="activation")
def _first(start: Network, points: Points, *, activation: str) -> Signals:
    function = resolve(activation).function

    def one(pair: tuple[Network, Points]) -> Signals:
        return signals(*pair, function)

    # One after the other: memory stays that of one, and none depends on the others.
    return jax.lax.map(one, (start, points))


def training_rows(cells: Sequence[Cell], at: HostArray, block: int) -> Mapping[str, Any]:
    """Records of each network in training, after the steps ``at``.

    In float32: where the residuals of the points cancel, as those of settled biases do,
    what is left of a norm below 1e-7 in layers 4 and 5 is rounding.

    Args:
        cells: Settings that share the activation.
        at: Ascending, from 0.
        block: Number that they are filled up to a multiple of.
    """
    filled = [cells[n] for n in _filled(len(cells), block)]
    seeds, rates = ([cell[name] for cell in filled] for name in ("seed", "rate"))
    task = Task(cells[0]["activation"], watch)
    course = train_on_moons(networks(filled), seeds, rates, task, at)
    seen = jax.tree.map(lambda a: a[: len(cells)], course.records)
    measured = {
        "weight_grad_log10_norm": seen.weight_grad,
        "bias_grad_log10_norm": seen.bias_grad,
        "loss": seen.loss[..., None],
        "accuracy": seen.accuracy[..., None],
        "test_accuracy": seen.test_accuracy[..., None],
    }
    absent = ("act_log10_rms", "act_log10_spread", "delta_log10_rms")
    return _rows(cells, at, measured | dict.fromkeys(absent, _NAN))


def _filled(count: int, block: int) -> HostArray:
    """Each of ``count``, and the first ones again up to a multiple of ``block``."""
    return np.arange(padded(count, block)) % count


def _rows(
    cells: Sequence[Cell], at: HostArray, measured: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Columns with an entry for each cell, step and layer, from what broadcasts to that."""
    shape = len(cells), len(at), LAYERS
    axes = {
        **{name: np.array([c[name] for c in cells])[:, None, None] for name in cells[0]},
        "step": np.asarray(at)[None, :, None],
        "layer": np.arange(1, LAYERS + 1),
    }
    merged = axes | dict(measured)
    return {name: np.broadcast_to(value, shape).ravel() for name, value in merged.items()}
