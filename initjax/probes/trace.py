"""What a probe has found: numbers of every site and parameter, of every seed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from initjax.probes.sites import Site, Unseen
from initjax.typing import HostArray

if TYPE_CHECKING:
    import pandas as pd

SITE_COLUMNS = (
    "mean",
    "log10_std",
    "log10_rms",
    "log10_max",
    "zero_fraction",
    "saturated_fraction",
    "dead_fraction",
    "effective_rank",
    "cosine",
    "token_cosine",
    "nan_count",
    "inf_count",
    "back_log10_rms",
    "back_log10_norm",
    "back_nonfinite",
    "branch_log10_ratio",
)
"""What is measured at a site.

    mean, log10_std, log10_rms, log10_max   over all entries that go forward
    zero_fraction       share of entries that are exactly 0
    saturated_fraction  share of the units of an activation with |φ′(z)| < 0.02 sup |φ′|;
                        nan elsewhere
    dead_fraction       share of the features of an activation (last axis) with
                        φ′(z) = 0 in all rows of the batch; nan elsewhere
    effective_rank      (Σλ)² / Σλ² of the eigenvalues λ of XXᵀ, from 1 to the number of
                        rows X that are compared: at most 64 samples, evenly spaced, or
                        some tokens of some samples of [batch, token, feature]
    cosine              mean cosine similarity of those rows, two by two
    token_cosine        the same of tokens of one sample; nan where there are no tokens
    nan_count, inf_count
    back_*              of the gradient of the loss with respect to the output;
                        back_nonfinite is 1 where an entry of it is nan or infinite
    branch_log10_ratio  log10 of rms(branch) / rms(skip) in residual; nan elsewhere

Logarithms are -inf for all zeros, inf for an infinity, nan for a nan among the values.
"""

PARAMETER_COLUMNS = (
    "mean",
    "log10_std",
    "log10_norm",
    "grad_log10_norm",
    "log10_ratio",
    "distinct",
    "twin_fraction",
    "grad_twin_fraction",
    "nonfinite_count",
)
"""What is measured of a parameter.

    mean, log10_std     of its entries
    log10_norm          of its L2 norm; grad_log10_norm of that of the loss' gradient;
                        log10_ratio of gradient : parameter
    distinct            numbers of different value among its first 4,096 entries
    twin_fraction       share of units (last axis) of which there is another with the same
                        incoming weights up to 1e-5 of their scale; nan for one axis
    grad_twin_fraction  the same of the gradient
    nonfinite_count     entries that are nan or infinite
"""


@dataclass(frozen=True)
class Parameter:
    """A leaf of the tree of parameters.

    Attributes:
        path: ``blocks/mlp/up/kernel``.
        shape: Of one seed's.
        dtype: As it is stored.
    """

    path: str
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Trace:
    """What goes forward and what comes back, layer by layer, as NumPy arrays.

    Attributes:
        sites: In the order of execution.
        site_values: Name of SITE_COLUMNS to [seed, site].
        parameters: In the order of the tree.
        parameter_values: Name of PARAMETER_COLUMNS to [seed, parameter].
        loss: [seed].
        outputs: Tree of the model's outputs, [seed, …].
        unseen: What could not be looked into, with the reason.
        inputs: For each array of the batch, its path, shape and dtype.
    """

    sites: tuple[Site, ...]
    site_values: Mapping[str, HostArray]
    parameters: tuple[Parameter, ...]
    parameter_values: Mapping[str, HostArray]
    loss: HostArray
    outputs: Any
    unseen: tuple[Unseen, ...]
    inputs: tuple[Parameter, ...]

    @property
    def seeds(self) -> int:
        """How many networks were looked at."""
        return len(self.loss)

    def to_pandas(self) -> "pd.DataFrame":
        """One row per seed and site, one column per statistic; needs pandas."""
        import pandas as pd

        table: dict[str, Any] = {
            "seed": np.repeat(np.arange(self.seeds), len(self.sites)),
            "site": np.tile(np.arange(len(self.sites)), self.seeds),
        }
        for name in ("path", "kind", "depth", "shape", "dtype", "activation"):
            column = pd.Series([getattr(site, name) for site in self.sites], dtype=object)
            table[name] = list(column) * self.seeds
        table |= {name: self.site_values[name].ravel() for name in SITE_COLUMNS}
        return pd.DataFrame(table)
