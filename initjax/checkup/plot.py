"""The signal propagation plot of a diagnosis."""

from typing import TYPE_CHECKING, Any

import numpy as np

from initjax.typing import HostArray

if TYPE_CHECKING:
    from initjax.checkup.diagnosis import Diagnosis

_PANELS = (
    ("log10_rms", "log₁₀ rms, forward", "forward"),
    ("back_log10_rms", "log₁₀ rms of the gradient, backward", "backward"),
)


def draw(diagnosis: "Diagnosis", axes: Any = None) -> Any:
    """Both panels; see ``Diagnosis.plot``."""
    import matplotlib.pyplot as plt
    import seaborn as sns

    if axes is None:
        with sns.axes_style("whitegrid"):
            _, axes = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
    axes = np.asarray(axes, object)
    if axes.shape != (2,):
        raise ValueError(f"axes must be two Axes; got an array of shape {axes.shape}")
    for ax, (column, label, way) in zip(axes, _PANELS, strict=True):
        _panel(ax, diagnosis, column, label, way)
    axes[0].set_title(f"{diagnosis.verdict}: {diagnosis.trace.seeds} networks", loc="left")
    return axes


def _panel(ax: Any, diagnosis: "Diagnosis", column: str, label: str, way: str) -> None:
    import seaborn as sns

    color, red = sns.color_palette("colorblind", 4)[0], sns.color_palette("colorblind")[3]
    values = diagnosis.trace.site_values[column]
    order = np.arange(values.shape[1])
    middle = _quantile(values, 0.5)
    levels = np.array(diagnosis.trunk.levels, int)
    low, high = _quantile(values, 0.1), _quantile(values, 0.9)
    ax.fill_between(levels, low[levels], high[levels], color=color, alpha=0.25, lw=0)
    sns.scatterplot(x=order, y=middle, ax=ax, color="0.6", s=14, legend=False)
    sns.lineplot(
        x=levels, y=middle[levels], ax=ax, color=color, label="median of the trunk"
    )
    places = {path: i for i, path in enumerate(diagnosis.layers)}
    for finding in diagnosis.findings:
        if finding.direction in (way, None):
            at = [places[path] for path in finding.layers if path in places]
            known = [i for i in at if np.isfinite(middle[i])]
            sns.scatterplot(
                x=known, y=middle[known], ax=ax, color=red, marker="X", label=finding.title
            )
    ax.set(xlabel="layer, in order of execution", ylabel=label)


def _quantile(values: HostArray, level: float) -> HostArray:
    """Over the finite values of each column; nan where there are none."""
    found = np.full(values.shape[1], np.nan)
    for i, column in enumerate(values.T):
        known = column[np.isfinite(column)]
        if len(known):
            found[i] = np.quantile(known, level)
    return found
