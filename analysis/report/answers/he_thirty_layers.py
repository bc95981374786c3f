"""What the table of ``sweeps.he_thirty_layers`` answers."""

import pandas as pd

from analysis.he_thirty_layers import GUESS, verdicts
from analysis.report.facts import Comparison


def answer(table: pd.DataFrame) -> str:
    """Where He's and Xavier's networks end."""
    he, xavier = (_deepest(table, name) for name in ("kaiming", "xavier"))
    both = [f"{row.median:.2f} at rate {row.rate:g}" for row in he.itertuples()]
    return (
        f"{he['depth'].iloc[0]} ReLU layers learn from He's weights, to a loss of "
        f"{' and '.join(both)}, and from Xavier's end between {xavier['lowest'].min():.4f} "
        f"and {xavier['highest'].max():.4f}, with ln 10 = {GUESS:.4f} for a guess."
    )


def compare(table: pd.DataFrame) -> Comparison:
    """The loss with Xavier's weights against that of a guess."""
    xavier = _deepest(table, "xavier")
    away = max(xavier["highest"].max() - GUESS, GUESS - xavier["lowest"].min())
    return Comparison(
        "He et al. (2015): with Xavier's variance 1/n the signal is halved by each layer, "
        "and the loss stays at ln 10.",
        f"{away:.1e} nats from ln 10, of {xavier['seeds'].sum()} networks of "
        f"{xavier['depth'].iloc[0]} layers.",
    )


def _deepest(table: pd.DataFrame, start: str) -> pd.DataFrame:
    rows = verdicts(table)
    rows = rows[rows["scheme"].str.startswith(start)]
    found = rows[rows["depth"] == rows["depth"].max()]
    if found.empty:
        raise LookupError(f"no networks from {start}")
    return found
