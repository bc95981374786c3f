"""Theory curves in the tables' own columns, to draw over the measurements."""

import numpy as np
import pandas as pd

from initjax import meanfield

_LARGEST = 1e280  # beyond, the next layer's q leaves float64


def mean_field(table: pd.DataFrame) -> pd.DataFrame:
    """What infinitely wide networks of the table's schemes would do, layer by layer.

        q_0 = σ_w² (inputs of unit second moment),  q_{ℓ+1} = V(q_ℓ)
        rms h_ℓ = √(q_{ℓ+1}) / σ_w,   δ_ℓ² = χ₁(q_ℓ) δ_{ℓ+1}²

    Constant weights have σ_w = 0 and no such theory; they are left out, and so are
    activations that nobody knows.

    Args:
        table: Rows of networks, with ``sigma_w`` of each layer.

    Returns:
        inputs, activation, scheme, layer, ``act_log10_rms`` and
        ``delta_log10_growth``, the log10 factor on δ from the last layer of the
        deepest network down to this one.
    """
    keys = ["inputs", "activation", "scheme"]
    random = table[table["sigma_w"] > 0]
    ordered = random.sort_values("layer").groupby(keys, sort=False)["sigma_w"]
    sigmas = pd.DataFrame({"first": ordered.first(), "rest": ordered.last()})
    depth = int(table["depth"].max())
    numbers = {"layer": int, "act_log10_rms": float, "delta_log10_growth": float}
    frames = [pd.DataFrame(columns=[*keys, *numbers]).astype(numbers)]
    for activation, same in sigmas.groupby(level="activation", sort=False):
        try:
            rms, growth = _recursion(str(activation), same, depth)
        except ValueError:  # an activation that this version does not know
            continue
        for row, index in enumerate(same.index):
            frame = pd.DataFrame([index], columns=keys).merge(
                pd.DataFrame(
                    {
                        "layer": np.arange(depth),
                        "act_log10_rms": rms[:, row],
                        "delta_log10_growth": growth[:, row],
                    }
                ),
                how="cross",
            )
            frames.append(frame)
    return pd.concat(frames, ignore_index=True)


def _recursion(
    activation: str, sigmas: pd.DataFrame, depth: int
) -> tuple[np.ndarray, np.ndarray]:
    """log10 rms of h and log10 growth of δ, [layer, network], nan past float64."""
    sigma = sigmas["rest"].to_numpy(np.float64)
    q = sigmas["first"].to_numpy(np.float64) ** 2
    rms, chi = np.full((2, depth, len(q)), np.nan)
    for layer in range(depth):
        known = (q > 0) & (q < _LARGEST)
        here = np.where(known, q, 1.0)  # one shape for all layers: one compilation
        after = np.where(
            known, meanfield.variance_map(here, activation, sigma_w=sigma), np.nan
        )
        rms[layer] = np.log10(after) / 2 - np.log10(sigma)
        slope = meanfield.chi(activation, q=here, sigma_w=sigma)
        chi[layer] = np.where(known, slope, np.nan)
        q = after
    with np.errstate(divide="ignore"):
        steps = np.log10(chi[:-1]) / 2
    below = np.cumsum(steps[::-1], axis=0)[::-1]
    return rms, np.concatenate([below, np.zeros((1, len(q)))])
