"""Vanishing: signals or gradients that lose a factor a layer."""

from initjax.checkup.case import Case
from initjax.checkup.drifting import backward_finding, forward_finding
from initjax.checkup.finding import Finding


def vanishing(case: Case) -> list[Finding]:
    """A loss over the trunk beyond e³ in rms, where 6 depth scales end."""
    return forward_finding(case, "vanishing") + backward_finding(case, "vanishing")
