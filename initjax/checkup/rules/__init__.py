"""What can be wrong, one rule a verdict: a case in, findings out."""

from collections.abc import Callable

from initjax.checkup.case import Case
from initjax.checkup.finding import Finding
from initjax.checkup.rules.dead import dead
from initjax.checkup.rules.exploding import exploding
from initjax.checkup.rules.nonfinite import nonfinite
from initjax.checkup.rules.precision import precision
from initjax.checkup.rules.rank_collapse import rank_collapse
from initjax.checkup.rules.residual_blowup import residual_blowup
from initjax.checkup.rules.saturated import saturated
from initjax.checkup.rules.symmetric import symmetric
from initjax.checkup.rules.vanishing import vanishing

Rule = Callable[[Case], list[Finding]]

RULES: tuple[Rule, ...] = (
    *(nonfinite, precision, symmetric, dead, saturated),
    *(residual_blowup, exploding, vanishing, rank_collapse),
)
"""In the order of ``finding.ORDER``."""
