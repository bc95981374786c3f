"""What one layer of n units adds to the logarithms of lengths and gradients, times n.

Given the layer before, the n units of a layer are independent and Gaussian, so that
means over them scatter by the covariances here divided by n, and by nothing else.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from initjax.activations import NamedActivation
from initjax.meanfield.hermite import LayerSeries, layer_series
from initjax.meanfield.moments import mean_steepness
from initjax.typing import HostArray


class Elasticity(NamedTuple):
    """Logarithm of a map F(q), q F′/F, and q² F″/F."""

    log: HostArray
    slope: HostArray
    bend: HostArray

    @property
    def curvature(self) -> HostArray:
        """Second derivative of ln F by ln q."""
        return self.bend - self.slope**2 + self.slope


class Noise(NamedTuple):
    """n times the covariances of what a layer adds for two inputs.

    Attributes:
        forward: Of Δ ln q at both inputs.
        backward: Of Δ ln δ² at both.
        cross: Of Δ ln q at one and Δ ln δ² at the other.
    """

    forward: HostArray
    backward: HostArray
    cross: HostArray


@dataclass(frozen=True)
class Layers:
    """Layers at second moments q of one activation and one law of the weights.

    Attributes:
        activation: φ.
        q: Second moments > 0 of the pre-activations, any shape.
        sigma_w: Standard deviation of √fan_in · W, broadcast against q.
        sigma_b: Standard deviation of the biases, broadcast against q.
        orthogonal: 1 where the weights are σ_w times Haar's orthogonal matrices, which
            keep all lengths and angles, 0 where they are independent entries.
    """

    activation: NamedActivation
    q: HostArray
    sigma_w: HostArray
    sigma_b: HostArray
    orthogonal: HostArray

    @cached_property
    def series(self) -> LayerSeries:
        """All expectations, as Hermite series."""
        return layer_series(self.activation, self.q)

    @cached_property
    def length(self) -> Elasticity:
        """Of V(q) = σ_w² E φ² + σ_b²."""
        return _elasticity(self.series.of_square, self.sigma_w, self.sigma_b)

    @cached_property
    def gradient(self) -> Elasticity:
        """Of χ₁(q) = σ_w² E φ′²."""
        return _elasticity(self.series.of_squared_slope, self.sigma_w, 0.0)

    @cached_property
    def steepness(self) -> HostArray:
        """E φ′², which the series has to some digits only, to those of quadrature."""
        return mean_steepness(self.activation, self.q)

    @cached_property
    def next_q(self) -> HostArray:
        """V(q)."""
        return np.exp(self.length.log)

    @cached_property
    def from_weights(self) -> HostArray:
        """Share of q that the weights make; the rest is the bias's."""
        return 1 - np.square(self.sigma_b) / self.q

    def next_correlation(self, c: HostArray, layer: int) -> HostArray:
        """Correlation of two inputs after one layer (index on axis 0)."""
        mean = self.series.value.layer(layer).at(c)
        covariance = np.square(self.sigma_w) * mean + np.square(self.sigma_b)
        return np.clip(covariance / self.next_q[layer], -1, 1)

    def noise(self, c: HostArray | float = 1.0, rho2: HostArray | float = 1.0) -> Noise:
        """Covariances for two inputs with pre-activations (u, v) of correlation c.

            forward   σ_w⁴ Cov[φ(u)², φ(v)²] / V²
            backward  (1 + 2ρ²) E[φ′(u)² φ′(v)²] / E[φ′²]² - 1
            cross     σ_w² Cov[φ(u)², φ′(v)²] / (V E[φ′²])

        Orthogonal weights keep |u|², u·v and |v|²; what a layer adds loses its
        regression on these: 2s²c², 2ρ² + 2t²c² and 2stc² less.

        Args:
            c: Correlation of the inputs, 1 for one and the same.
            rho2: Square of the correlation ρ of their gradients, 1 for one and the same.
        """
        scale = np.square(np.square(self.sigma_w))
        pairs = (
            self.series.value_squares,
            self.series.slope_squares,
            self.series.mixed_squares,
        )
        forward, backward, cross = (scale * pair.at(np.asarray(c)) for pair in pairs)
        weights, slope = self.next_q - np.square(self.sigma_b), np.exp(self.gradient.log)
        noise = Noise(
            (forward - weights**2) / self.next_q**2,
            (1 + 2 * rho2) * backward / slope**2 - 1,
            (cross / slope - weights) / self.next_q,
        )
        s, t = (self.from_weights * e.slope for e in (self.length, self.gradient))
        angle = np.square(c)
        kept = 2 * s**2 * angle, 2 * rho2 + 2 * t**2 * angle, 2 * s * t * angle
        return Noise(
            *(free - self.orthogonal * held for free, held in zip(noise, kept, strict=True))
        )


def _elasticity(
    coefficients: HostArray, sigma_w: HostArray, sigma_b: HostArray | float
) -> Elasticity:
    """Of F(q) = σ_w² E f(√q z) + σ_b², for q d/dq E f = E f he₂/√2 and so on."""
    parts = np.square(sigma_w)[..., None] * coefficients
    whole = parts[..., 0] + np.square(sigma_b)
    with np.errstate(divide="ignore", invalid="ignore"):
        log = np.log(whole)
        slope, bend = parts[..., 2] / np.sqrt(2), parts[..., 4] * np.sqrt(24) / 4
        return Elasticity(log, slope / whole, bend / whole)
