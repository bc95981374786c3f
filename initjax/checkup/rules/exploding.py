"""Exploding: signals or gradients that grow by a factor a layer."""

from initjax.checkup.case import Case
from initjax.checkup.drifting import backward_finding, forward_finding
from initjax.checkup.finding import Finding


def exploding(case: Case) -> list[Finding]:
    """Growth over the trunk beyond e³ in rms, where 6 depth scales end.

    That of a residual stream going forward is ``residual_blowup``.
    """
    forward = [] if case.trunk.stream else forward_finding(case, "exploding")
    return forward + backward_finding(case, "exploding")
