"""Rank collapse: inputs that were distinct become one on their way."""

import math

import numpy as np

from initjax.checkup import limits
from initjax.checkup.case import Case
from initjax.checkup.finding import Finding
from initjax.checkup.remedies import identity_attention, redrawn
from initjax.checkup.slopes import student

_ROUNDING = 1e-7  # of a cosine in float32


def rank_collapse(case: Case) -> list[Finding]:
    """1 - cosine far below that of a critical network: of inputs, or of tokens."""
    if len(_comparable(case)) < 2:
        return []
    return _met(case, "cosine", "inputs") or _met(
        case, "token_cosine", "tokens of a sample"
    )


def _met(case: Case, column: str, what: str) -> list[Finding]:
    """Inputs meet exponentially fast where they meet at all but at the edge of chaos.

    There, 1 - c of a ReLU network falls like 9π² / (2 l²); another e⁻⁶ below that, or
    below the value at the first level, nothing is left to tell them by. Tokens that
    attention averages without a skip meet so in a batch of samples that do not.
    """
    columns = _comparable(case)
    gaps = 1 - case.trace.site_values[column][:, columns]
    logs = np.log10(np.maximum(gaps, _ROUNDING))
    if not np.isfinite(logs[:, [0, -1]]).any(axis=0).all():
        return []
    levels = len(case.trunk.levels)
    start, end = student(logs[:, 0]), student(logs[:, -1])
    critical = math.log10(9 * math.pi**2 / 2) - 2 * math.log10(levels)
    narrow = 2 * limits.finite_width(case.trace, case.trunk)
    expected = min(start.mean, critical) - narrow
    if not end.high < expected - limits.GAP:
        return []
    text = (
        f"log10(1 - cosine) of different {what} falls from {start.text} to {end.text} over "
        f"{levels} layers (at the edge of chaos {expected:.2g})"
    )
    numbers = {"log10_gap": end.mean, "log10_gap_at_first": start.mean}
    return [_finding(case, text, numbers, expected)]


def _comparable(case: Case) -> list[int]:
    """The levels of which the same rows are compared as of the last: tokens, or samples."""
    shapes = {i: case.trace.sites[i].shape for i in case.trunk.levels}
    tokens = bool(shapes) and len(shapes[case.trunk.levels[-1]]) == 3
    return [i for i, shape in shapes.items() if (len(shape) == 3) == tokens]


def _finding(case: Case, text: str, numbers: dict[str, float], expected: float) -> Finding:
    attends = any(case.trace.sites[i].kind == "mixing" for i in case.trunk.path)
    remedy = (identity_attention(case) if attends else None) or redrawn(case)
    return Finding(
        *("rank_collapse", "forward", case.level_paths, text),
        *(numbers, expected, remedy),
    )
