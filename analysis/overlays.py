"""Theory curves in the tables' own columns, to draw over the measurements."""

from functools import lru_cache

import numpy as np
import pandas as pd

from initjax import meanfield

_SCALE = 2 * np.log(10)  # from ln of a square to log10 of its root
_CLASSES = 10

# By kind of input: variance of ln of its second moment, which is 1 on average, and mean
# correlation of two of them; a normal entry adds 2/width to that variance.
_INPUTS = {"mnist": (0.0919, 0.301), "digits": (0.0158, 0.481), "ones": (0.0, 1.0)}


def mean_field(table: pd.DataFrame) -> pd.DataFrame:
    """What networks of the table's schemes do in theory, layer by layer.

        q_0 = σ_w² (inputs of unit second moment),  q_{ℓ+1} = V(q_ℓ)
        rms h_ℓ = √(q_{ℓ+1}) / σ_w,   δ_ℓ² = χ₁(q_ℓ) δ_{ℓ+1}²

    at infinite width, and the band in which nine of ten networks of the table's width
    and batch lie, to first order in 1/width.

    Constant weights have σ_w = 0 and no such theory; they are left out, and so are
    chains of single units and activations that nobody knows.

    Args:
        table: Rows of networks of one width and batch, with ``sigma_w`` of each layer.

    Returns:
        inputs, activation, scheme, layer, ``act_log10_rms`` and
        ``delta_log10_growth``, the log10 factor on δ from the last layer of the
        deepest network down to this one, nan where q leaves [1e-76, 1e76], as float32
        is left then; each with the ends ``_low`` and ``_high`` of its band, nan for
        inputs of which only a file knows how they scatter.
    """
    keys = ["inputs", "activation", "scheme"]
    random = table[(table["sigma_w"] > 0) & (table["width"] > 1)]
    ordered = random.sort_values("layer").groupby(keys, sort=False)["sigma_w"]
    sigmas = pd.DataFrame({"first": ordered.first(), "rest": ordered.last()})
    depth = int(table["depth"].max())
    sizes = {name: int(table[name].iloc[0]) for name in ("width", "batch")}
    numbers = {"layer": int, **dict.fromkeys(_COLUMNS, float)}
    frames = [pd.DataFrame(columns=[*keys, *numbers]).astype(numbers)]
    for activation, same in sigmas.groupby(level="activation", sort=False):
        try:
            found = _curves(str(activation), same, depth, **sizes)
        except ValueError:  # an activation that this version does not know
            continue
        for row, index in enumerate(same.index):
            values = {name: a[:, row] for name, a in zip(_COLUMNS, found, strict=True)}
            frame = pd.DataFrame([index], columns=keys).merge(
                pd.DataFrame({"layer": np.arange(depth), **values}), how="cross"
            )
            frames.append(frame)
    return pd.concat(frames, ignore_index=True)


_COLUMNS = (
    *("act_log10_rms", "delta_log10_growth"),
    *("act_log10_rms_low", "act_log10_rms_high"),
    *("delta_log10_growth_low", "delta_log10_growth_high"),
)


def _curves(
    activation: str, same: pd.DataFrame, depth: int, *, width: int, batch: int
) -> tuple[np.ndarray, ...]:
    """log10 rms of h, log10 growth of δ, and the ends of their bands, [layer, network]."""
    inputs = {**_INPUTS, "gaussian": (2 / width, 0.0)}
    known = np.array([1.0 if kind in inputs else np.nan for kind, *_ in same.index])
    kinds = tuple(inputs.get(kind, (0.0, 0.0)) for kind, *_ in same.index)
    schemes = same.index.get_level_values("scheme")
    orthogonal = tuple(name.startswith("orthogonal") for name in schemes)
    sigmas = tuple(same["first"].astype(float)), tuple(same["rest"].astype(float))
    seen = _fluctuations(activation, *sigmas, kinds, orthogonal, depth, width, batch)
    log_sigma = np.log10(sigmas[1])
    parts = [(part.mean_field, *part.band()) for part in (seen.length, seen.gradient)]
    middle, *length = (end[1:] / _SCALE - log_sigma for end in parts[0])
    growth, *gradient = (end / _SCALE for end in parts[1])
    return middle, growth, *(end * known for end in (*length, *gradient))


@lru_cache(maxsize=64)  # figures of one table ask for the same
def _fluctuations(
    activation: str,
    firsts: tuple[float, ...],
    rests: tuple[float, ...],
    kinds: tuple[tuple[float, float], ...],
    orthogonal: tuple[bool, ...],
    depth: int,
    width: int,
    batch: int,
) -> meanfield.Fluctuations:
    """``log_fluctuations`` of networks, by σ_w of their first and of their other layers."""
    return meanfield.log_fluctuations(
        activation,
        q=np.square(firsts),
        sigma_w=np.array(rests),
        width=width,
        depth=depth,
        batch=batch,
        c=np.array([c for _, c in kinds]),
        rho=1 / np.sqrt(_CLASSES - 1),
        input_variance=np.array([variance for variance, _ in kinds]),
        orthogonal=np.array(orthogonal),
    )
