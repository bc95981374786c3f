"""Concept shift: what a digit is called changes, one digit after the other.

After t batches a digit d is called d + ⌊drift · t + u_d⌋ mod 10, where the u_d are 0.05,
0.15, … 0.95 in an order of the seed: at drift · t = 1 every digit has moved by one.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from initjax.typing import HostArray
from sweeps.data.mnist import mnist_split
from sweeps.harness.grid import Cell
from sweeps.shift.images import plain
from sweeps.shift.settings import Settings
from sweeps.shift.softmax import Examples, Linear, Rule, examples, fit, follow, scores

CLASSES = 10
BATCH = 100
"""Images that arrive at once."""
WINDOW = 5
"""Batches that are kept; as many are there before anything drifts."""
TIMES = (6, 12, 18, 24, 30)
"""Batches after which models are compared."""
ONLINE = (20, 0.1)
"""Steps of gradient descent on every batch, and their rate."""


def called(digits: HostArray, phase: float, seed: int) -> HostArray:
    """Labels of digits when ``phase`` of the digits have moved by one."""
    order = np.random.default_rng([seed, 5]).permutation(CLASSES)
    # In whole numbers of hundredths, so that no digit moves early by rounding.
    moved = (np.rint(100 * phase).astype(int) + 5 + 10 * order) // 100
    return (digits + moved[digits]) % CLASSES


def rows(cells: Sequence[Cell], settings: Settings) -> list[dict[str, Any]]:
    """Rows of the cells of one seed: models that stay, adapt, and know."""
    rule = Rule(CLASSES, settings.steps, settings.rate, settings.l2)
    seed = cells[0]["seed"]
    stream = np.random.default_rng([seed, 6]).permutation(len(plain()[0]))
    batches = stream[: (WINDOW + TIMES[-1]) * BATCH].reshape(-1, BATCH)
    first = batches[:WINDOW].ravel()
    static = fit([_labelled(first, 0.0, seed)], rule)
    problems = [
        make(batches[t : t + WINDOW], t, cell["strength"], seed)
        for cell in cells
        for t in TIMES
        for make in (_window, _current)
    ]
    models = fit(problems, rule)
    arrivals = [
        [
            _labelled(batch, cell["strength"] * t, seed)
            for t, batch in enumerate(batches[WINDOW:], 1)
        ]
        for cell in cells
    ]
    starts = Linear(*(np.repeat(part, len(cells), 0) for part in static))
    steps, rate = ONLINE
    online = follow(starts, arrivals, TIMES, Rule(CLASSES, steps, rate, settings.l2))
    made = []
    for i, cell in enumerate(cells):
        for j, t in enumerate(TIMES):
            at = 2 * (i * len(TIMES) + j)
            kept = {
                "static": _at(static, 0),
                "window": _at(models, at),
                "target": _at(models, at + 1),
                "online": _at(online, (i, j)),
            }
            phase = cell["strength"] * t
            for method, model in kept.items():
                found = {"step": t, "images": WINDOW * BATCH, "method": method}
                made.append({**cell, **found, "accuracy": accuracy(model, phase, seed)})
    return made


def accuracy(model: Linear, phase: float, seed: int) -> float:
    """On all test images, as they are called now."""
    now = called(mnist_split().test[1], phase, seed)
    return float((scores(model, plain()[1]).argmax(-1) == now).mean())


def _labelled(images: HostArray, phase: float, seed: int) -> Examples:
    digits = mnist_split().train[1][images]
    return examples(plain()[0][images], called(digits, phase, seed))


def _window(batches: HostArray, last: int, drift: float, seed: int) -> Examples:
    """The newest batches, each called as when it came."""
    some = [
        _labelled(batch, drift * max(last - WINDOW + 1 + age, 0), seed)
        for age, batch in enumerate(batches)
    ]
    return Examples(*(np.concatenate(parts) for parts in zip(*some, strict=True)))


def _current(batches: HostArray, last: int, drift: float, seed: int) -> Examples:
    """The same images as they are called now."""
    return _labelled(batches.ravel(), drift * last, seed)


def _at(models: Linear, at: Any) -> Linear:
    return Linear(np.asarray(models.kernel)[at], np.asarray(models.bias)[at])
