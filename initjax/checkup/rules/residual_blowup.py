"""Residual blow-up: a stream that grows by a factor a block, as nothing normalizes it."""

from initjax.checkup import limits
from initjax.checkup.case import Case
from initjax.checkup.finding import Finding
from initjax.checkup.streams import branch_ratio, scaled_branches


def residual_blowup(case: Case) -> list[Finding]:
    """A stream whose second half alone grows as if without end.

    Behind a normalization every branch adds as much, and the second moment grows like the
    depth; without one each branch multiplies it by 1 + ratio².
    """
    if not case.trunk.stream:
        return []
    values = case.forward()
    found = case.drift(values)
    if not found.low > case.allowed:
        return []
    ratio = branch_ratio(case)
    text = (
        f"log10 rms of the stream grows by {found.text} over "
        f"{len(case.trunk.levels)} sums, at the rate of their second half (normal up to "
        f"{case.allowed:.2g}); branches are {ratio:.2g} times the skip"
    )
    numbers = {"drift": found.mean, "low": found.low, "high": found.high}
    numbers |= {"allowed": case.allowed, "branch_over_skip": ratio}
    return [
        Finding(
            *("residual_blowup", "forward", case.level_paths, text),
            *(numbers, limits.STREAM, scaled_branches(case)),
        )
    ]
