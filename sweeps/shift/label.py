"""Label shift: the same digits in other proportions, corrected without target labels.

Black-box shift estimation (Lipton et al. 2018): with a classifier's confusion matrix
C_ij = P(ŷ = i, y = j) on held-out images of the source and the proportions q̂ of what it
says of the target,

    C w = q̂,    w_j = P_target(j) / P_source(j)
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from initjax.typing import HostArray
from sweeps.data.mnist import mnist_split
from sweeps.harness.grid import Cell
from sweeps.shift.images import plain
from sweeps.shift.settings import Settings
from sweeps.shift.softmax import Linear, Rule, examples, fit, scores

CLASSES = 10


class Sets(NamedTuple):
    """Images to train on, to hold out, and of the target; none is in two of them."""

    source: HostArray
    held: HostArray
    target: HostArray


def tilted(strength: float, order: HostArray) -> HostArray:
    """Proportions ∝ exp(-strength · rank / 9): the first is e^strength times the last."""
    some = np.exp(-strength * np.argsort(order) / (CLASSES - 1))
    return some / some.sum()


def estimate(said_held: HostArray, held: HostArray, said_target: HostArray) -> HostArray:
    """Weights of the classes from what a classifier says, none below 0.

    Args:
        said_held: Classes that it gives to images held out of the source.
        held: Their true classes.
        said_target: Classes that it gives to images of the target.
    """
    confusion = np.zeros((CLASSES, CLASSES))
    np.add.at(confusion, (said_held, held), 1 / len(held))
    proportions = np.bincount(said_target, minlength=CLASSES) / len(said_target)
    solved = np.linalg.lstsq(confusion, proportions, rcond=None)[0]
    return np.maximum(solved, 0)


def expected_error(rates: HostArray, target: HostArray, images: int) -> float:
    """Root mean square of |ŵ - w| to first order, of equal classes in the source.

        ŵ - w ≈ C⁻¹ ((q̂ - q) - (Ĉ - C) w),    both means over ``images``

    Args:
        rates: P(ŷ = i | y = j) of the classifier.
        target: Proportions of the classes in the target.
        images: Held out, and of the target.
    """
    weights = CLASSES * target
    said = rates @ target
    spread = np.diag(said) - np.outer(said, said)
    held = np.diag(rates @ np.square(weights)) / CLASSES - np.outer(said, said)
    inverse = np.linalg.inv(rates / CLASSES)
    return float(np.sqrt(np.trace(inverse @ (spread + held) @ inverse.T) / images))


def rows(cells: Sequence[Cell], settings: Settings) -> list[dict[str, Any]]:
    """Rows of the cells of one seed: how a model does as it is, and corrected."""
    (train, test), count = plain(), settings.label_images
    labels, test_labels = (part[1] for part in mnist_split()[:2])
    sets = [_sets(cell, count) for cell in cells]
    rule = Rule(CLASSES, settings.steps, settings.rate, settings.l2)
    source = sets[0].source  # the same at all strengths
    (judge,) = _each(fit([examples(train[source], labels[source])], rule))
    said = scores(judge, train).argmax(-1)
    found = [estimate(said[s.held], labels[s.held], said[s.target]) for s in sets]
    problems = [examples(train[source], labels[source], w[labels[source]]) for w in found]
    problems += [examples(train[s.target], labels[s.target]) for s in sets]
    models = _each(fit(problems, rule))
    rates = _rates(judge, source)
    made = []
    for i, cell in enumerate(cells):
        target = tilted(cell["strength"], _order(cell["seed"]))
        with np.errstate(divide="ignore"):
            reweighted = scores(judge, test) + np.log(found[i])
        said_by = {
            "source": scores(judge, test),
            "posterior": reweighted,
            "weighted": scores(models[i], test),
            "target": scores(models[len(cells) + i], test),
        }
        for method, logits in said_by.items():
            right = logits.argmax(-1) == test_labels
            of_class = np.array([right[test_labels == k].mean() for k in range(CLASSES)])
            row = {**cell, "method": method, "images": count}
            made.append(row | {"accuracy": of_class @ target})
        made += [{**cell, **row} for row in _estimates(said, sets[i], rates, target)]
    return made


def _estimates(
    said: HostArray, sets: Sets, rates: HostArray, target: HostArray
) -> list[dict[str, Any]]:
    """Errors of the weights from ever more images, beside those of the first order."""
    labels = mnist_split().train[1]
    made = []
    for few in sizes(len(sets.held)):
        held, here = sets.held[:few], sets.target[:few]
        weights = estimate(said[held], labels[held], said[here])
        made.append(
            {
                **{"method": "estimate", "images": few},
                "weight_error": np.linalg.norm(weights - CLASSES * target),
                "expected_error": expected_error(rates, target, few),
                "effective_share": 1 / (CLASSES * np.square(target).sum()),
            }
        )
    return made


def sizes(images: int) -> list[int]:
    """Numbers of images that weights are estimated from.

    Example:
        >>> sizes(600)
        [150, 300, 600]
    """
    return [images // 4, images // 2, images]


def _order(seed: int) -> HostArray:
    """Digits of a seed, from the most to the least frequent of the target."""
    return np.random.default_rng([seed, 2]).permutation(CLASSES)


def _sets(cell: Cell, count: int) -> Sets:
    """The images of a cell; those of the source and held out are the same in all."""
    labels = mnist_split().train[1]
    random = np.random.default_rng([cell["seed"], 4])
    mixed = random.permutation(len(labels))
    source, held, rest = mixed[:count], mixed[count : 2 * count], mixed[2 * count :]
    proportions = tilted(cell["strength"], _order(cell["seed"]))
    wanted = random.choice(CLASSES, count, p=proportions)
    target = np.empty(count, int)
    for k in range(CLASSES):
        here, known = np.flatnonzero(wanted == k), rest[labels[rest] == k]
        target[here] = np.resize(known, len(here))  # repeats only if there are too few
    return Sets(source, held, target)


def _rates(judge: Linear, source: HostArray) -> HostArray:
    """P(ŷ = i | y = j) on all images that the classifier was not trained on."""
    (train, test), (labels, test_labels) = plain(), (p[1] for p in mnist_split()[:2])
    unseen = np.setdiff1d(np.arange(len(labels)), source)
    said = scores(judge, np.concatenate([train[unseen], test])).argmax(-1)
    true = np.concatenate([labels[unseen], test_labels])
    counts = np.zeros((CLASSES, CLASSES))
    np.add.at(counts, (said, true), 1)
    return counts / counts.sum(0)


def _each(models: Linear) -> list[Linear]:
    return [Linear(*pair) for pair in zip(models.kernel, models.bias, strict=True)]
