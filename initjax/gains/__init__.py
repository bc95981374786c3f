"""Gain of a nonlinearity: the σ_w that keeps a second moment through a layer.

``gain`` computes it for any activation and ``gated_gain`` for any gated unit, by
verified quadrature; ``calculate_gain`` is the table that torch publishes, some of
whose numbers are conventions.
"""

from initjax.gains.elementwise import Kind as Kind
from initjax.gains.elementwise import gain as gain
from initjax.gains.gated import GATED_UNITS as GATED_UNITS
from initjax.gains.gated import gated_gain as gated_gain
from initjax.gains.published import TORCH_GAINS as TORCH_GAINS
from initjax.gains.published import calculate_gain as calculate_gain
from initjax.gains.published import published_gain as published_gain
