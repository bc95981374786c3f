"""Initializers for Flax layers: ``from initjax import init``.

First names follow torch (xavier_*, kaiming_*: untruncated, with a gain); last
names follow JAX and Keras (glorot_*, he_*, lecun_*: truncated, variance
corrected). Each factory checks its arguments when it is called and returns a
function ``(key, shape, dtype=None, out_sharding=None) -> Array``.
"""

from initjax.init.bases import Law as Law
from initjax.init.catalogue import INITIALIZERS as INITIALIZERS
from initjax.init.catalogue import Entry as Entry
from initjax.init.first_names import kaiming_normal as kaiming_normal
from initjax.init.first_names import kaiming_uniform as kaiming_uniform
from initjax.init.first_names import xavier_normal as xavier_normal
from initjax.init.first_names import xavier_uniform as xavier_uniform
from initjax.init.last_names import glorot_normal as glorot_normal
from initjax.init.last_names import glorot_uniform as glorot_uniform
from initjax.init.last_names import he_normal as he_normal
from initjax.init.last_names import he_uniform as he_uniform
from initjax.init.last_names import lecun_normal as lecun_normal
from initjax.init.last_names import lecun_uniform as lecun_uniform
from initjax.init.orthogonal import orthogonal as orthogonal
from initjax.init.plain import constant as constant
from initjax.init.plain import normal as normal
from initjax.init.plain import ones as ones
from initjax.init.plain import uniform as uniform
from initjax.init.plain import zeros as zeros
from initjax.init.scaled import ScaledInitializer as ScaledInitializer
from initjax.init.scaled import variance_scaling as variance_scaling
