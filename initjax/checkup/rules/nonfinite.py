"""Non-finite: a nan or an infinity that reaches the loss or a gradient."""

import numpy as np

from initjax.checkup.case import Case
from initjax.checkup.finding import Direction, Finding
from initjax.typing import HostArray


def nonfinite(case: Case) -> list[Finding]:
    """The first layer in order of execution, or the last one whose gradient breaks.

    Infinite scores that a softmax turns into zeros, as masks do, are none.
    """
    values = case.trace.site_values
    nans, infinities = values["nan_count"] > 0, values["inf_count"] > 0
    back = values["back_nonfinite"] > 0
    slopes = case.trace.parameter_values["grad_log10_norm"]
    broken = ~np.isfinite(case.trace.loss)
    if nans.any() or broken.any():
        found = nans | infinities if broken.any() else nans
        return [_finding(case, found, "forward") if found.any() else _loss(broken)]
    if back.any():
        return [_finding(case, back, "backward")]
    if np.isnan(slopes).any() or np.isposinf(slopes).any():
        bad = np.flatnonzero((np.isnan(slopes) | np.isposinf(slopes)).any(axis=0))
        paths = tuple(case.trace.parameters[i].path for i in bad)
        text = f"gradients of {len(paths)} parameters are not finite"
        return [Finding("nonfinite", "backward", paths, text, {"parameters": len(paths)})]
    return []


def _finding(case: Case, bad: HostArray, way: Direction) -> Finding:
    """Names the layer where it begins; going back that is the last one."""
    columns = np.flatnonzero(bad.any(axis=0))
    at = int(columns[0] if way == "forward" else columns[-1])
    site = case.trace.sites[at]
    share = int(bad[:, at].sum())
    begins = "the first" if way == "forward" else "the first on the way back"
    text = (
        f"{site.path} ({site.kind}) is {begins} layer with a nan or an infinity, in "
        f"{share} of {case.trace.seeds} networks; {len(columns)} layers have some"
    )
    if _overflowed(case, at, way):
        text += ": its size left the range of numbers, see what explodes before it"
    numbers = {"site": at, "networks": share, "layers": len(columns)}
    return Finding("nonfinite", way, (site.path,), text, numbers)


def _loss(broken: HostArray) -> Finding:
    share = int(broken.sum())
    text = f"the loss is not finite in {share} networks, though all layers are"
    return Finding("nonfinite", "forward", ("loss",), text, {"networks": share})


def _overflowed(case: Case, at: int, way: Direction) -> bool:
    """Whether a large number became infinite, as opposed to log(-1)."""
    if way == "backward":
        return False
    nans = case.trace.site_values["nan_count"][:, at] > 0
    tops = case.trace.site_values["log10_max"][:, :at]
    return bool(not nans.any() and np.max(tops, initial=0.0) > 30)
