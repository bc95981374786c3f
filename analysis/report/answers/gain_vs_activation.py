"""What the table of ``sweeps.gain_vs_activation`` answers."""

import pandas as pd

from analysis.gain_responses import factors, measured_gains
from analysis.report.facts import Comparison
from analysis.report.once import once


def answer(table: pd.DataFrame) -> str:
    """By how much the gains differ, and what each makes of a deep network."""
    gains = once(measured_gains, table).set_index(["activation", "kind"])
    apart = (
        gains["measured"].loc["relu"]["centered"] / gains["measured"].loc["relu"]["forward"]
    )
    torch = (
        gains.loc[("tanh", "torch"), "published"] / gains.loc[("tanh", "forward"), "exact"]
    )
    ways = once(factors, table).set_index(["activation", "kind", "direction"])["measured"]
    return (
        f"std(x)/std(φ(x)) and 1/√E φ² are {apart - 1:.0%} apart for ReLU, whose signal "
        f"changes by {ways['relu', 'centered', 'forward']:.3f} and "
        f"{ways['relu', 'forward', 'forward']:.3f} a layer with them; torch's gain of tanh "
        f"is {torch - 1:.1%} above 1/√E φ², and its gradient grows by "
        f"{ways['tanh', 'torch', 'backward']:.3f} a layer instead of "
        f"{ways['tanh', 'forward', 'backward']:.3f}."
    )


def compare(table: pd.DataFrame) -> Comparison:
    """Gains by samples against quadrature, and factors against the mean field."""
    gains = once(measured_gains, table).dropna(subset=["measured", "exact"])
    off = (gains["measured"] / gains["exact"] - 1).abs()
    worst = gains.loc[off.idxmax()]
    return Comparison(
        "Gains by quadrature that knows kinks, beside means over samples "
        f"({gains['activation'].nunique()} activations).",
        f"{off.max():.3%}, for the {worst['kind']} gain of {worst['activation']}.",
    )
