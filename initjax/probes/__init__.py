"""What a network does, measured: any function of its inputs, parameters closed over.

``singular_values`` holds the whole Jacobian, for small networks; ``jacobian_spectrum``
only multiplies by it, for large ones, and says how far its numbers can be trusted.
"""

from initjax.probes.jacobian import Spectrum as Spectrum
from initjax.probes.jacobian import jacobian_spectrum as jacobian_spectrum
from initjax.probes.jacobian import singular_values as singular_values
