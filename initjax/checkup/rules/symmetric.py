"""Symmetric: units that are equal and stay equal, since their gradients are."""

import numpy as np

from initjax.checkup.case import Case
from initjax.checkup.finding import Finding
from initjax.checkup.remedies import redrawn
from initjax.probes.trace import Trace

_NOTABLE = 0.05  # of the units of a kernel


def symmetric(case: Case) -> list[Finding]:
    """Kernels whose twins have twin gradients, now or once gradients reach them."""
    found = [path for path in case.kernels if _stuck(case, path)]
    if not found:
        return []
    columns = [case.leaves[path][0] for path in found]
    share = float(np.mean(case.trace.parameter_values["twin_fraction"][:, columns]))
    silent = np.isneginf(case.ahead.parameter_values["grad_log10_norm"][:, columns]).all()
    why = (
        "and no gradient reaches them, even some steps ahead"
        if silent
        else "and so are the gradients of those units: no step parts them"
    )
    text = f"{100 * share:.0f} % of the units of {len(found)} kernels are equal, {why}"
    numbers = {"twin_fraction": share, "kernels": len(found)}
    remedy = redrawn(case, found)
    return [Finding("symmetric", None, tuple(found), text, numbers, 0.0, remedy)]


def _stuck(case: Case, path: str) -> bool:
    column = case.leaves[path][0]
    now = case.trace
    if np.isneginf(now.parameter_values["grad_log10_norm"][:, column]).all():
        return _twins(case.ahead, column)
    return _twins(now, column)


def _twins(trace: Trace, column: int) -> bool:
    """Whether the units that are equal have gradients that are."""
    values = trace.parameter_values
    same = np.median(values["twin_fraction"][:, column])
    back = np.median(values["grad_twin_fraction"][:, column])
    return bool(same > _NOTABLE and back >= same)
