"""Fan-in and fan-out by the role of each axis: input, output, batch, window.

``fans`` takes the roles; the other functions know the roles of one kind of
layer, under the names of Flax's own arguments. LAYERS lists them by name, for
``init.for_layer``.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from initjax.fans.convolutions import conv as conv
from initjax.fans.convolutions import conv_local as conv_local
from initjax.fans.convolutions import conv_transpose as conv_transpose
from initjax.fans.masks import masked as masked
from initjax.fans.projections import attention as attention
from initjax.fans.projections import dense as dense
from initjax.fans.projections import dense_general as dense_general
from initjax.fans.projections import einsum as einsum
from initjax.fans.projections import embed as embed
from initjax.fans.projections import experts as experts
from initjax.fans.roles import Axes as Axes
from initjax.fans.roles import Fans as Fans
from initjax.fans.roles import ShapeError as ShapeError
from initjax.fans.roles import checked_shape as checked_shape
from initjax.fans.roles import fans as fans

LAYERS: Mapping[str, Callable[..., Fans]] = MappingProxyType(
    {
        layer.__name__: layer
        for layer in (
            *(dense, dense_general, einsum, attention, experts, embed, masked),
            *(conv, conv_transpose, conv_local),
        )
    }
)
