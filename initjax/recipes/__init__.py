"""Depth-aware recipes as transforms of a parameter tree, matched by path.

    residual    gpt2, fixup, skip_init (rezero), layer_scale
    t_fixup     Transformers without LayerNorm
    deepnet     deepnorm with deepnorm_constants, sub_ln
    attention   mimetic
    mending     mend_fans: the layers whose fans Flax gets wrong
    biases      fan_in_bias: torch's biases
    rules       apply_rules: a recipe of one's own, from (pattern, action) pairs
    actions     scale, fill, redraw: what a rule does to a leaf
    trees       Applied and the paths of a tree; patterns: how paths are matched

A recipe takes parameters that were drawn as usual and returns new ones, with a
list of what it changed. A pattern that matches nothing is an error.
"""

from initjax.recipes.actions import fill as fill
from initjax.recipes.actions import redraw as redraw
from initjax.recipes.actions import scale as scale
from initjax.recipes.attention import mimetic as mimetic
from initjax.recipes.biases import fan_in_bias as fan_in_bias
from initjax.recipes.deepnet import DeepNorm as DeepNorm
from initjax.recipes.deepnet import Residual as Residual
from initjax.recipes.deepnet import deepnorm as deepnorm
from initjax.recipes.deepnet import deepnorm_constants as deepnorm_constants
from initjax.recipes.deepnet import sub_ln as sub_ln
from initjax.recipes.mending import mend_fans as mend_fans
from initjax.recipes.residual import fixup as fixup
from initjax.recipes.residual import gpt2 as gpt2
from initjax.recipes.residual import layer_scale as layer_scale
from initjax.recipes.residual import rezero as rezero
from initjax.recipes.residual import skip_init as skip_init
from initjax.recipes.rules import Rule as Rule
from initjax.recipes.rules import apply_rules as apply_rules
from initjax.recipes.t_fixup import t_fixup as t_fixup
from initjax.recipes.trees import Action as Action
from initjax.recipes.trees import Applied as Applied
from initjax.recipes.trees import leaves_by_path as leaves_by_path
