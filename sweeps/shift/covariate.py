"""Covariate shift: a share of the images is drawn otherwise, and the share changes.

    w(x) = p_target(x) / p_source(x) = P(target | x) / P(source | x)

with as many images of both; the right-hand side is a classifier's of the two domains.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from initjax.typing import HostArray
from sweeps.data.mnist import mnist_split
from sweeps.harness.grid import Cell
from sweeps.shift.images import Views, views
from sweeps.shift.settings import Settings
from sweeps.shift.softmax import Examples, Linear, Rule, examples, fit, scores

LARGEST = 50.0
"""Weights are cut here: a few images with a classifier's blunders must not decide."""
DOMAIN_L2 = 1e-3
"""Penalty of the classifier of domains."""
FLATTENED = 0.5
"""Exponent of weights that are made more equal: more bias, less variance."""


class Shift(NamedTuple):
    """Images of both domains.

    Attributes:
        seen: Both views of all images.
        chosen: Images of source and target [domain, image]; no image is in both.
        changed: Whether each is drawn otherwise.
        shares: Probability of that, in source and target.
    """

    seen: Views
    chosen: HostArray
    changed: HostArray
    shares: tuple[float, float]


def shares(gap: float) -> tuple[float, float]:
    """Shares of changed images in source and target that are ``gap`` apart.

    Example:
        >>> shares(0.5)
        (0.25, 0.75)
    """
    return (1 - gap) / 2, (1 + gap) / 2


def true_weights(changed: HostArray, gap: float) -> HostArray:
    """p_target / p_source of images whose kind can be told with certainty."""
    source, target = shares(gap)
    plain = (1 - target) / (1 - source)
    return np.where(changed, target / source, plain) if source else 0.0 * changed


def rows(cells: Sequence[Cell], settings: Settings) -> list[dict[str, Any]]:
    """Rows of the cells of one seed: how a model does without and with weights."""
    shifts = [_shift(cell, settings) for cell in cells]
    rule = Rule(2, settings.steps, settings.rate, DOMAIN_L2)
    judges = fit([_domains(shift) for shift in shifts], rule)
    found = [ratio(_one(judges, i), _read(s, 0, domain=True)) for i, s in enumerate(shifts)]
    truth = [
        true_weights(s.changed[0], c["strength"])
        for s, c in zip(shifts, cells, strict=True)
    ]
    problems: list[Examples] = []
    names: list[tuple[int, str]] = []
    for i, shift in enumerate(shifts):
        for method, domain, weights in (
            ("source", 0, None),
            ("weighted", 0, found[i]),
            ("flattened", 0, found[i] ** FLATTENED),
            ("true_weights", 0, truth[i]),
            ("target", 1, None),
        ):
            if weights is None or weights.any():
                labels = mnist_split().train[1][shift.chosen[domain]]
                problems.append(examples(_read(shift, domain), labels, weights))
                names.append((i, method))
    models = fit(problems, Rule(10, settings.steps, settings.rate, settings.l2))
    made = []
    for at, (i, method) in enumerate(names):
        row = {**cells[i], "method": method, "images": settings.images}
        row["accuracy"] = accuracy(_one(models, at), shifts[i])
        if method in ("weighted", "true_weights"):
            row |= _of_weights(found[i] if method == "weighted" else truth[i], truth[i])
        made.append(row)
    return made


def ratio(judge: Linear, inputs: HostArray) -> HostArray:
    """P(target | x) / P(source | x), cut at LARGEST."""
    logits = scores(judge, inputs).astype(np.float64)
    return np.exp(np.minimum(logits[:, 1] - logits[:, 0], np.log(LARGEST)))


def accuracy(model: Linear, shift: Shift) -> float:
    """On the target: both views of all test images, by their shares."""
    labels = mnist_split().test[1]
    plain, changed = (
        float((scores(model, view).argmax(-1) == labels).mean()) for view in shift.seen.test
    )
    return (1 - shift.shares[1]) * plain + shift.shares[1] * changed


def _shift(cell: Cell, settings: Settings) -> Shift:
    """The images of a cell: the same for all strengths, the changed ones nested."""
    random = np.random.default_rng([cell["seed"], 1])
    count = settings.images
    chosen = random.permutation(len(mnist_split().train[1]))[: 2 * count]
    both = shares(cell["strength"])
    changed = random.random((2, count)) < np.array(both)[:, None]
    seen = views(cell["change"], settings.noise, cell["seed"])
    return Shift(seen, chosen.reshape(2, count), changed, both)


def _read(shift: Shift, which: int, *, domain: bool = False) -> HostArray:
    """Inputs of the source (0) or the target (1)."""
    source = shift.seen.domain if domain else shift.seen.train
    return source[shift.changed[which].astype(int), shift.chosen[which]]


def _domains(shift: Shift) -> Examples:
    """Source and target images, labelled by where they are from."""
    inputs = np.concatenate([_read(shift, which, domain=True) for which in (0, 1)])
    return examples(inputs, np.repeat([0, 1], len(inputs) // 2))


def _of_weights(found: HostArray, truth: HostArray) -> dict[str, float]:
    """How far weights are from the true ones, and how many images they leave."""
    left = found.sum() ** 2 / (len(found) * np.square(found).sum())
    if not truth.any():
        return {"effective_share": left}
    error = np.sqrt(np.square(found - truth).mean() / np.square(truth).mean())
    return {"weight_error": error, "effective_share": left}


def _one(models: Linear, at: int) -> Linear:
    return Linear(models.kernel[at], models.bias[at])
