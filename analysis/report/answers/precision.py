"""What the table of ``sweeps.precision`` answers."""

import pandas as pd

from analysis.precision import second_moment
from analysis.report.facts import Comparison
from analysis.report.once import once


def answer(table: pd.DataFrame) -> str:
    """What is left of the second moment of ReLU by library and dtype."""
    rows = once(second_moment, table)
    relu = rows[rows["activation"] == "relu"]
    last = relu[relu["layer"] == relu["layer"].max()].set_index(["library", "dtype"])
    left = 10.0 ** last["median"]
    drawn = table[(table["library"] == "jax") & (table["dtype"] == "bfloat16")]
    return (
        f"Drawn in bfloat16 by JAX, {drawn['distinct'].median():.0f} distinct values, "
        "weights "
        f"leave {left['jax', 'bfloat16']:.0e} of the second moment of "
        f"{relu['layer'].max() + 1} ReLU layers; drawn in float32 and then cast, as "
        "initjax "
        f"does, {left['initjax', 'bfloat16']:.2f}, and {left['initjax', 'float32']:.2f} in "
        "float32 itself."
    )


def compare(table: pd.DataFrame) -> Comparison:
    """The second moment with initjax's weights against the mean field."""
    rows = once(second_moment, table)
    ours = rows[rows["library"] == "initjax"]
    away = (ours["median"] - ours["theory"]).abs()
    worst = ours.loc[away.idxmax()]
    inside = ours["median"].between(ours["theory_low"], ours["theory_high"])
    return Comparison(
        "The mean field at the table's width, with its 90 % band, beside weights of "
        "initjax.",
        f"{away.max():.2f} decades ({worst['activation']}, {worst['dtype']}, layer "
        f"{worst['layer']}), median of seeds; {inside.mean():.0%} of the medians lie in "
        "the "
        "band.",
    )
