"""Mean-field theory of a fully connected network with random weights.

    z_{l+1} = W φ(z_l) + b,   √fan_in · W ~ N(0, σ_w²),   b ~ N(0, σ_b²)

In the limit of infinite width the pre-activations z are Gaussian and their
second moment q follows a deterministic recursion over layers.
"""

from initjax.meanfield.maps import chi as chi
from initjax.meanfield.maps import variance_map as variance_map
