"""What the table of ``sweeps.isometry`` answers."""

import numpy as np
import pandas as pd

from analysis.report.facts import Comparison
from analysis.report.once import once
from analysis.spectra import ZERO_VARIANCE, moments


def answer(table: pd.DataFrame) -> str:
    """The variance of λ with either kind of weights, at the largest depth."""
    rows = once(moments, table)
    last = rows[rows["depth"] == rows["depth"].max()]
    both = last.pivot(index="panel", columns="weights", values="variance")
    tanh = both[both.index.str.startswith("tanh")]["orthogonal"].idxmin()
    return (
        f"Orthogonal weights do, in networks near linear: in {last['depth'].iloc[0]} "
        "layers "
        "the variance of the squared singular values is "
        f"{both.loc['linear', 'orthogonal']:.1g} "
        f"for linear ones, {both.loc[tanh, 'orthogonal']:.3g} for {tanh}, and "
        f"{both.loc['ReLU', 'orthogonal']:.0f} for ReLU; Gaussian weights have "
        f"{both.loc['linear', 'gaussian']:.0f}, {both.loc[tanh, 'gaussian']:.0f} and "
        f"{both.loc['ReLU', 'gaussian']:.0f}."
    )


def compare(table: pd.DataFrame) -> Comparison:
    """Variances against free probability."""
    rows = once(moments, table)
    rows = rows[rows["variance_theory"] > ZERO_VARIANCE]
    ratio = rows["variance"] / rows["variance_theory"]
    worst = rows.loc[np.log(ratio).abs().idxmax()]
    shallow = ratio[rows["depth"] <= 8]
    return Comparison(
        "Pennington, Schoenholz & Ganguli (2017): variance L (μ₂/μ₁² − 1 − s₁) of the "
        "squared singular values.",
        f"{worst['variance'] / worst['variance_theory']:.2f} times theory, "
        f"{worst['panel']} "
        f"with {worst['weights']} weights and {worst['depth']} layers, median of seeds "
        "that "
        f"scatter from {worst['variance_low']:.3g} to {worst['variance_high']:.3g}; "
        f"{shallow.min():.2f} to {shallow.max():.2f} times up to 8 layers.",
    )
