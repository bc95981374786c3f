"""Gaussian expectations E f(√q z), z ~ N(0, 1), in float64 on the host.

Gauss-Legendre on pieces: the line is cut at the kinks of f, at steps of ½ where
the Gaussian has its mass, and at geometrically growing points of √q z, so that
neither a kink nor a large q costs digits. Plain Gauss-Hermite is wrong in the
third digit for kinked activations. ``gaussian_mean`` finds the kinks and verifies
the result; ``breakpoints`` and ``expectation`` are its two halves, unverified.
``pair_mean`` is the same over two correlated points, E t(φ(u)) t(φ(v)).
"""

from initjax.quadrature.host import HostFunction as HostFunction
from initjax.quadrature.host import on_host as on_host
from initjax.quadrature.integrals import expectation as expectation
from initjax.quadrature.integrals import gaussian_mean as gaussian_mean
from initjax.quadrature.jumps import jumps as jumps
from initjax.quadrature.kinks import breakpoints as breakpoints
from initjax.quadrature.pairs import pair_distance as pair_distance
from initjax.quadrature.pairs import pair_mean as pair_mean
