"""Mean-field theory of a fully connected network with random weights.

    z_{l+1} = W φ(z_l) + b,   √fan_in · W ~ N(0, σ_w²),   b ~ N(0, σ_b²)

In the limit of infinite width the pre-activations z are Gaussian and their
second moment q follows a deterministic recursion over layers.
"""

from initjax.meanfield.correlation import chi_c as chi_c
from initjax.meanfield.correlation import correlation_gap as correlation_gap
from initjax.meanfield.correlation import correlation_map as correlation_map
from initjax.meanfield.criticality import CriticalPoint as CriticalPoint
from initjax.meanfield.criticality import NoCriticalPointError as NoCriticalPointError
from initjax.meanfield.criticality import critical_point as critical_point
from initjax.meanfield.criticality import critical_sigma_w as critical_sigma_w
from initjax.meanfield.criticality import length_stability as length_stability
from initjax.meanfield.dead import dead_bounds as dead_bounds
from initjax.meanfield.dead import dead_probability as dead_probability
from initjax.meanfield.dead import half_death_depth as half_death_depth
from initjax.meanfield.deep_linear import mode_time as mode_time
from initjax.meanfield.deep_linear import task_time as task_time
from initjax.meanfield.depth_scales import DepthScales as DepthScales
from initjax.meanfield.depth_scales import depth_scales as depth_scales
from initjax.meanfield.depth_scales import gradient_depth_scale as gradient_depth_scale
from initjax.meanfield.finite_width import homogeneous_slopes as homogeneous_slopes
from initjax.meanfield.finite_width import log_length_moments as log_length_moments
from initjax.meanfield.finite_width import second_moment_growth as second_moment_growth
from initjax.meanfield.fixed_correlation import c_star as c_star
from initjax.meanfield.fixed_points import FixedPoint as FixedPoint
from initjax.meanfield.fixed_points import length_fixed_points as length_fixed_points
from initjax.meanfield.fixed_points import q_star as q_star
from initjax.meanfield.fluctuations import Fluctuations as Fluctuations
from initjax.meanfield.fluctuations import Spread as Spread
from initjax.meanfield.fluctuations import log_fluctuations as log_fluctuations
from initjax.meanfield.jacobian import isometry_score as isometry_score
from initjax.meanfield.jacobian import jacobian_moments as jacobian_moments
from initjax.meanfield.maps import chi as chi
from initjax.meanfield.maps import chi_q as chi_q
from initjax.meanfield.maps import variance_map as variance_map
from initjax.meanfield.phases import phase as phase
from initjax.meanfield.rates import CriticalRate as CriticalRate
from initjax.meanfield.rates import critical_rate as critical_rate
from initjax.meanfield.spectrum import jacobian_atoms as jacobian_atoms
from initjax.meanfield.spectrum import jacobian_density as jacobian_density
from initjax.meanfield.spectrum import spectral_edge as spectral_edge
