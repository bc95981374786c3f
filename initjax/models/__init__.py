"""The networks that the sweeps measure, as a user of Flax would write them."""

from initjax.models.linen_mlp import MLP as MLP
from initjax.models.nnx_mlp import NnxMLP as NnxMLP
