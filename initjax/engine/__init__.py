"""Many networks at once: forward, backward, and statistics of every layer."""

from initjax.engine.blocks import Block as Block
from initjax.engine.blocks import from_linen as from_linen
from initjax.engine.blocks import from_nnx as from_nnx
from initjax.engine.devices import spread as spread
from initjax.engine.draws import Draws as Draws
from initjax.engine.draws import draw_networks as draw_networks
from initjax.engine.measure_blocks import measure_blocks as measure_blocks
from initjax.engine.measure_chains import measure_chains as measure_chains
from initjax.engine.measurement import Measurement as Measurement
from initjax.engine.statistics import Backward as Backward
from initjax.engine.statistics import Forward as Forward
