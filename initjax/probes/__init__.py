"""What a network does, measured, layer by layer and as a whole.

``probe`` looks at every layer of any model, forward and backward. ``singular_values``
holds the whole Jacobian of a function of the inputs, for small networks;
``jacobian_spectrum`` only multiplies by it, for large ones, and says how far its numbers
can be trusted.
"""

from initjax.probes.errors import ModelError as ModelError
from initjax.probes.jacobian import Spectrum as Spectrum
from initjax.probes.jacobian import jacobian_spectrum as jacobian_spectrum
from initjax.probes.jacobian import singular_values as singular_values
from initjax.probes.probe import probe as probe
from initjax.probes.sites import Site as Site
from initjax.probes.sites import Unseen as Unseen
from initjax.probes.trace import Parameter as Parameter
from initjax.probes.trace import Trace as Trace
