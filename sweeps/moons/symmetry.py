"""Networks of one hidden layer on two moons, with what becomes of their units."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import numpy as np

from initjax.typing import Activation, Array, HostArray
from sweeps.data.moons import Moons, moons
from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell
from sweeps.moons.symmetry_starts import network
from sweeps.moons.symmetry_units import difference, log10
from sweeps.moons.training import Task, accuracy, loss, train_on_moons
from sweeps.training.networks import Dense, Network

ESCAPED = 0.6
"""Loss in nats below which a network has left the plateau of a guess, ln 2."""


class Watched(NamedTuple):
    """What a record holds.

    Attributes:
        entry: Weights and biases of the hidden layer.
        slope: Gradient of the training loss with respect to them.
        loss: Of the points to train on and to develop with.
        accuracy: Of the points to train on, to develop with and to test on.
    """

    entry: Dense
    slope: Dense
    loss: tuple[Array, ...]
    accuracy: tuple[Array, ...]


def watch(now: Network, data: Moons, activation: Activation) -> Watched:
    """A record of one network."""
    return Watched(
        now.entry,
        jax.grad(loss)(now, data.train, activation).entry,
        tuple(loss(now, points, activation) for points in data[:2]),
        tuple(accuracy(now, points, activation) for points in data),
    )


TASK = Task("sigmoid", watch)


def rows(cells: Sequence[Cell], *, per_decade: int) -> Mapping[str, Any]:
    """Train networks of one width, equally long, and compare their units on the way.

    Args:
        cells: start, width, rate, steps and seed of each network.
        per_decade: Records of ten times as many steps.

    Returns:
        One array per column, one entry per network and record.
    """
    networks = [network(cell["start"], cell["seed"], cell["width"]) for cell in cells]
    seeds, rates = ([cell[name] for cell in cells] for name in ("seed", "rate"))
    at = recorded(cells[0]["steps"], per_decade)
    course = train_on_moons(networks, seeds, rates, TASK, at)
    seen: Watched = course.records
    units = difference(np.asarray(seen.entry.kernel), np.asarray(seen.entry.bias))
    shares = {seed: moons(seed).train.labels.mean(dtype=float) for seed in set(seeds)}
    of_network = {
        **{name: [cell[name] for cell in cells] for name in cells[0]},
        "positive_share": [shares[seed] for seed in seeds],
        "escape_step": [_escape(losses) for losses in np.asarray(course.losses)],
    }
    of_record = {
        "step": np.tile(at, (len(cells), 1)),
        **dict(zip(("loss", "dev_loss"), seen.loss, strict=True)),
        **dict(
            zip(("accuracy", "dev_accuracy", "test_accuracy"), seen.accuracy, strict=True)
        ),
        "entry_grad_log10_norm": log10(_norm(seen.slope)),
        **units._asdict(),
    }
    return {
        **{name: np.repeat(value, len(at)) for name, value in of_network.items()},
        **{name: np.ravel(value) for name, value in of_record.items()},
    }


def recorded(steps: int, per_decade: int) -> HostArray:
    """Numbers of steps to make a record at, the same for longer runs as far as both go.

    Example:
        >>> recorded(250, 3).tolist()
        [0, 1, 2, 5, 10, 22, 46, 100, 215, 250]
    """
    decades = np.arange(0, np.log10(steps) + 1e-9, 1 / per_decade)
    found = np.unique([0, *np.rint(10**decades).astype(int), steps])
    return found.astype(np.int32)


def _escape(losses: HostArray) -> int:
    """First step that begins below ESCAPED, -1 if none does."""
    below = np.flatnonzero(losses < ESCAPED)
    return int(below[0]) if len(below) else -1


def _norm(slope: Dense) -> HostArray:
    """L2 norm of the gradient of weights and biases together, [network, record]."""
    parts = [np.asarray(part, np.float64) for part in slope]
    flat = [part.reshape(*part.shape[:2], -1) for part in parts]
    return np.linalg.norm(np.concatenate(flat, -1), axis=-1)


def price(cells: Sequence[Cell], *, per_decade: int) -> Cost:
    """Cost of one call; the memory is an estimate, XLA decides what it copies."""
    width, steps, points = cells[0]["width"], cells[0]["steps"], moons(0)
    made = len(recorded(steps, per_decade))
    seen = sum(part.inputs.size + part.labels.size for part in points)
    held = points.train.labels.size * 6 * width
    numbers = seen + held + steps + made * (8 * width + 6)
    programs = frozenset({("train", width, steps, len(cells))})
    return Cost(programs, 4 * len(cells) * numbers, made * len(cells))
