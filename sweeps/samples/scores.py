"""Moments of a sample, and how many standard errors they are from those of its law."""

import numpy as np

from initjax.typing import HostArray
from sweeps.samples.references import Reference, normal_cdf

Numbers = dict[str, float]


def moments(sample: HostArray, reference: Reference) -> Numbers:
    """Mean, standard deviation, kurtosis and largest entry, with scores where they vary.

    The scores are normal in the limit of many entries if the sample is of its law:

        mean        (x̄ - μ) √N / σ
        variance    (m₂/σ² - 1) √(K / (κ - 1))
        kurtosis    (m₄/m₂² - κ) √(K / (μ₈ - κ² - 4κ(μ₆ - κ) + 4κ²(κ - 1)))

    with m_k = mean of (x - μ)ᵏ, K entries that are no atoms, and κ, μ₆, μ₈ of their law
    in units of its variance. Entries of an orthogonal matrix have no correlations, so that
    the first holds for them too; their squares have a fixed sum, so that the second has
    no error at all and is nan; the fourth powers depend on each other to order 1/rows.

    Args:
        sample: Numbers, of any shape.
        reference: Their law; the number of atoms in a kernel is fixed by the schemes.
    """
    x = np.asarray(sample, np.float64).ravel()
    # float32 holds no 0.1: a constant has to be compared with what it was rounded to.
    center = reference.mean if reference.kept else float(np.float32(reference.mean))
    y = x - center
    square = y**2
    second, fourth = square.mean(), (square**2).mean()
    found = {
        "mean": x.mean(),
        "std": second**0.5,
        "kurtosis": fourth / second**2 if second else np.nan,
        "largest": np.abs(y).max() / reference.std if reference.std else np.nan,
    }
    return found | _scores(found, len(x), reference)


def _scores(found: Numbers, entries: int, reference: Reference) -> Numbers:
    if not reference.kept:
        return dict.fromkeys(("mean_z", "variance_z", "kurtosis_z"), np.nan)
    count = reference.kept * entries
    k, sixth, eighth = reference.moments
    spread = eighth - k**2 - 4 * k * (sixth - k) + 4 * k**2 * (k - 1)
    second = (found["std"] / reference.std) ** 2
    ratio = reference.kept * found["kurtosis"]  # of the entries that are no atoms
    return {
        "mean_z": (found["mean"] - reference.mean) / reference.std * entries**0.5,
        "variance_z": np.nan
        if reference.dependent
        else (second - 1) * (count / (k - 1)) ** 0.5,
        "kurtosis_z": (ratio - k) * (count / spread) ** 0.5,
    }


def distances(ordered: HostArray, reference: Reference) -> Numbers:
    """Largest distances of a sample's distribution from its law and from a Gaussian.

    Args:
        ordered: The entries that are no atoms, in order.
        reference: Their law; the Gaussian has its mean and variance.
    """
    if not len(ordered):
        return {"distance": np.nan, "from_normal": np.nan}
    return {
        "distance": _distance(reference.cdf(ordered)),
        "from_normal": _distance(normal_cdf(reference)(ordered)),
    }


def _distance(at: HostArray) -> float:
    """Kolmogorov's: largest of |steps - P(x ≤ entry)|, on either side of a step."""
    steps = np.arange(len(at) + 1) / len(at)
    return float(max((steps[1:] - at).max(), (at - steps[:-1]).max()))


def expected(reference: Reference, entries: int) -> Numbers:
    """What the law says of a sample of so many entries, as columns."""
    found = {
        "law_mean": reference.mean,
        "law_std": reference.std,
        "law_kurtosis": reference.kurtosis,
        "law_kept": reference.kept,
        "law_largest": np.nan,
        "law_from_normal": np.nan,
    }
    if reference.kept:
        half = min(reference.reach, 6 * reference.unit)
        at = reference.mean + np.linspace(-half, half, 20_001)
        apart = np.abs(reference.cdf(at) - normal_cdf(reference)(at)).max()
        found["law_largest"] = reference.largest(reference.kept * entries)
        found["law_from_normal"] = float(apart)
    return found
