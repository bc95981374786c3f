"""Vanishing and exploding have one measure: a drift over the levels of the trunk."""

import numpy as np

from initjax.checkup.case import Case
from initjax.checkup.expected import expected_drift
from initjax.checkup.finding import Direction, Finding, Remedy, Verdict
from initjax.checkup.remedies import redrawn
from initjax.checkup.slopes import Estimate
from initjax.checkup.streams import scaled_branches


def forward_finding(case: Case, verdict: Verdict) -> list[Finding]:
    """The rms at the levels, from the first to the last."""
    found = case.drift(case.forward())
    return _finding(case, verdict, "forward", found, "log10 rms")


def backward_finding(case: Case, verdict: Verdict) -> list[Finding]:
    """The gradient's norm at the levels, from the last to the first.

    What it gains on its way back it has less of at the end; the deep half of a stream is
    the one that tells a power of depth from an exponential in both directions.
    """
    found = case.drift(-case.backward())
    return _finding(case, verdict, "backward", found, "log10 norm of the gradient")


def _finding(
    case: Case, verdict: Verdict, way: Direction, found: Estimate, what: str
) -> list[Finding]:
    grows = verdict == "exploding"
    allowed = case.allowed if grows else case.allowed_down
    if not (found.low > allowed if grows else found.high < -allowed):
        return []
    levels = len(case.trunk.levels)
    first, last = case.level_paths[0], case.level_paths[-1]
    start, end = (first, last) if way == "forward" else (last, first)
    verb = "grows" if grows else "falls"
    expected = expected_drift(case, way)
    text = (
        f"{what} {verb} by {found.text} from {start} to {end}, "
        f"{found.mean / max(levels - 1, 1):.2g} a layer (normal within ±{allowed:.2g}"
        + (f", theory {expected:.3g})" if expected is not None else ")")
    )
    numbers = {"drift": found.mean, "low": found.low, "high": found.high}
    numbers |= {"allowed": allowed, "per_layer": found.mean / max(levels - 1, 1)}
    assert np.isfinite(found.mean)
    remedy = _remedy(case)
    return [Finding(verdict, way, case.level_paths, text, numbers, expected, remedy)]


def _remedy(case: Case) -> Remedy | None:
    """Smaller branches of a stream; other kernels of a plain network.

    Behind a normalization the scale of a kernel is not felt, and gradients grow by up to
    1.21 a layer (Yang et al. 2019): only skips help, which no start of parameters makes.
    """
    if case.trunk.stream:
        return scaled_branches(case)
    first, last = case.trunk.levels[0], case.trunk.levels[-1]
    between = [i for i in case.trunk.path if first < i < last]
    if any(case.trace.sites[i].kind == "normalization" for i in between):
        return None
    return redrawn(case)
