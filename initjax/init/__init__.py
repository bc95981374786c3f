"""Initializers for Flax layers: ``from initjax import init``.

First names follow torch (xavier_*, kaiming_*: untruncated, with a gain); last
names follow JAX and Keras (glorot_*, he_*, lecun_*: truncated, variance
corrected). Each factory checks its arguments when it is called and returns a
function ``(key, shape, dtype=None, out_sharding=None) -> Array``. INITIALIZERS
lists them, ``presets`` holds the defaults of other frameworks.
"""

from initjax.init import presets as presets
from initjax.init.biases import bias_normal as bias_normal
from initjax.init.biases import bias_uniform as bias_uniform
from initjax.init.by_fan import variance_scaling as variance_scaling
from initjax.init.catalogue import INITIALIZERS as INITIALIZERS
from initjax.init.catalogue import Entry as Entry
from initjax.init.critical import Critical as Critical
from initjax.init.critical import critical as critical
from initjax.init.first_names import kaiming_normal as kaiming_normal
from initjax.init.first_names import kaiming_uniform as kaiming_uniform
from initjax.init.first_names import xavier_normal as xavier_normal
from initjax.init.first_names import xavier_uniform as xavier_uniform
from initjax.init.for_layer import for_layer as for_layer
from initjax.init.identities import dirac as dirac
from initjax.init.identities import eye as eye
from initjax.init.identities import hadamard as hadamard
from initjax.init.identities import identity as identity
from initjax.init.last_names import glorot_normal as glorot_normal
from initjax.init.last_names import glorot_uniform as glorot_uniform
from initjax.init.last_names import he_normal as he_normal
from initjax.init.last_names import he_uniform as he_uniform
from initjax.init.last_names import lecun_normal as lecun_normal
from initjax.init.last_names import lecun_uniform as lecun_uniform
from initjax.init.laws import Law as Law
from initjax.init.mirrored import looks_linear as looks_linear
from initjax.init.orthogonal import delta_orthogonal as delta_orthogonal
from initjax.init.orthogonal import orthogonal as orthogonal
from initjax.init.orthogonal import scaled_orthogonal as scaled_orthogonal
from initjax.init.plain import constant as constant
from initjax.init.plain import normal as normal
from initjax.init.plain import ones as ones
from initjax.init.plain import uniform as uniform
from initjax.init.plain import zeros as zeros
from initjax.init.random_walk import exact_walk_gain as exact_walk_gain
from initjax.init.random_walk import random_walk as random_walk
from initjax.init.sampled import Lawful as Lawful
from initjax.init.sampled import SampledInitializer as SampledInitializer
from initjax.init.scaled import ScaledInitializer as ScaledInitializer
from initjax.init.siren import siren as siren
from initjax.init.sparse import sparse as sparse
from initjax.init.truncated import trunc_normal as trunc_normal
from initjax.init.truncated import truncated_normal as truncated_normal
