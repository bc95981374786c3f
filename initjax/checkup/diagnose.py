"""The check-up: is the signal alive, forward and backward, before training begins?"""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax

from initjax.checkup.case import Case
from initjax.checkup.diagnosis import Diagnosis
from initjax.checkup.finding import ORDER
from initjax.checkup.look_ahead import asleep, stepping
from initjax.checkup.rules import RULES
from initjax.probes import batches, networks, programs
from initjax.probes.batches import Batch
from initjax.probes.networks import Network
from initjax.probes.probe import probe, starter
from initjax.probes.programs import Loss
from initjax.probes.trace import Trace
from initjax.typing import Key

_MOST_STEPS = 4
"""Zeros in a row that gradients are given the time to pass: readout, branch, multiplier."""


def diagnose(
    model: Any,
    batch: Any,
    *,
    variables: Any = None,
    loss: Loss | None = None,
    key: Key | None = None,
    seeds: int = 8,
) -> Diagnosis:
    """Say whether a model can be trained as it starts, and if not, why and what to do.

    Several networks are drawn and probed, layer by layer. A verdict rests on slopes over
    the depth of the trunk with their interval over networks, at 95 %:

        vanishing, exploding   an rms or a gradient's norm drifts by more than e³, the 6
                               depth scales up to which networks train (Schoenholz et al.
                               2017), beyond what width, borders and averages explain
        residual_blowup        a stream that grows by a factor a block
        rank_collapse          1 - cosine of two inputs e⁶ below that at the edge of chaos
        dead, saturated        most units without a slope
        symmetric              equal units with equal gradients, also some steps ahead
        precision              kernels with a mean, from a draw in low precision
        nonfinite              a nan or an infinity

    Args:
        model: As for ``probe``: a linen module, an nnx module, a callable that makes one of
            an ``nnx.Rngs``, or a function of variables and the batch.
        batch: An array, a tuple of arguments or a dict of keywords.
        variables: Those of one network, or a function of a key that makes them; by default
            the model's own initialization.
        loss: Scalar function of the outputs; by default a sum with random signs.
        key: Of the first draw.
        seeds: Networks; for a model that holds its parameters, and for variables of one
            network, there is one.

    Returns:
        The diagnosis: ``verdict``, ``findings`` with remedies, ``trace``.

    Raises:
        TypeError, ValueError: as ``probe``.

    Example:
        >>> import flax.linen as nn
        >>> import numpy as np
        >>> layers = [f for _ in range(12) for f in (nn.Dense(64), nn.relu)]
        >>> model, x = nn.Sequential(layers), np.random.randn(32, 16).astype(np.float32)
        >>> found = diagnose(model, x)
        >>> found.verdict, found.findings[0].remedy.call
        ('vanishing', 'init.kaiming_normal()')
        >>> diagnose(model, x, variables=found.remedied).verdict
        'healthy'
    """
    read = batches.read(batch)
    network = networks.read(model, read, given=variables is not None)
    source = _source(model, network, read, variables)
    several = callable(variables) or (variables is None and network.fixed is None)
    drawn = seeds if several else 1
    look = partial(probe, model, batch, loss=loss, key=key, seeds=drawn)
    trace = look(variables=variables)
    ahead = _ahead(look, trace, source, _step(model, network, read, loss))
    case = Case(trace, ahead)
    findings = [finding for rule in RULES for finding in rule(case)]
    findings.sort(key=lambda finding: ORDER.index(finding.verdict))
    verdict = findings[0].verdict if findings else "healthy"
    return Diagnosis(verdict, tuple(findings), trace, case.trunk, source)


def _source(
    model: Any, network: Network, batch: Batch, variables: Any
) -> Callable[[Key], Any] | None:
    """Key to the variables that are looked at."""
    if callable(variables):
        return variables
    one = network.fixed if variables is None else variables
    if one is not None:
        return lambda key: one
    return starter(model, network, batch)


def _step(
    model: Any, network: Network, batch: Batch, loss: Loss | None
) -> Callable[[Any, Key], Any]:
    """Variables and a key to those one step later, by a program that is kept."""
    kinds = tuple((x.shape, str(x.dtype)) for x in batch.arrays)
    own = (networks.identity(model), batch.settings, batch.tree, batch.places, kinds)
    step = programs.once(("step", *own, loss), lambda: stepping(network, loss))
    return lambda variables, key: step(variables, key, batch.arrays)


def _ahead(
    look: Callable[..., Trace],
    trace: Trace,
    source: Callable[[Key], Any] | None,
    step: Callable[[Any, Key], Any],
) -> Trace:
    """The trace after as many steps as wake up parameters, at most a few."""
    before, found = asleep(trace), trace
    if not before or source is None:
        return trace
    for steps in range(1, _MOST_STEPS + 1):
        following = look(variables=_after(source, step, steps))
        now = asleep(following)
        if now >= before:
            break
        before, found = now, following
        if not now:
            break
    return found


def _after(
    source: Callable[[Key], Any], step: Callable[[Any, Key], Any], steps: int
) -> Callable[[Key], Any]:
    """Key to the variables some steps ahead."""

    def variables(key: Key) -> Any:
        found = source(key)
        for own in jax.random.split(key, steps):
            found = step(found, own)
        return found

    return variables
