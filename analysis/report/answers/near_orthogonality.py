"""What the table of ``sweeps.near_orthogonality`` answers."""

import pandas as pd

from analysis.orthogonality import squares, widest
from analysis.report.facts import Comparison
from analysis.report.once import once


def answer(table: pd.DataFrame) -> str:
    """Near orthogonality of columns, and the condition of the matrix."""
    found = widest(table)
    n = found["inputs"].iloc[0]
    random = found.drop(index="orthogonal", errors="ignore")
    return (
        f"Columns are, the matrix is not: for n = {n} the mean square of the entries of "
        f"WᵀW − I is {n * random['measured'].min():.3f}/n to "
        f"{n * random['measured'].max():.3f}/n whatever the law of the entries, and the "
        "mean "
        f"of ln cond is {random['condition'].min():.2f} to "
        f"{random['condition'].max():.2f}, "
        f"where an orthogonal matrix has {abs(found.loc['orthogonal', 'condition']):.2f}."
    )


def compare(table: pd.DataFrame) -> Comparison:
    """Mean squares against the exact ones."""
    rows = once(squares, table)
    rows = rows[(rows["exact"] > 0) & (rows["error"] > 0) & (rows["law"] != "orthogonal")]
    off = rows["measured"] / rows["exact"] - 1
    errors = ((rows["measured"] - rows["exact"]) / rows["error"]).abs()
    worst = rows.loc[off.abs().idxmax()]
    return Comparison(
        "The exact mean square (n − 2 + κ)/(n m) of the entries of WᵀW − I, and of its "
        "diagonal.",
        f"{off.loc[worst.name]:+.2%} ({errors.loc[worst.name]:.1f} standard errors), "
        f"{worst['law']} {worst['outputs']:.0f} × {worst['inputs']:.0f}; the farthest in "
        f"standard errors are {errors.max():.1f} of {len(rows)} points.",
    )
