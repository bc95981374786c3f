"""DeepNorm and Sub-LN: normalized Transformers, by number of layers.

Both scale the kernels {fc1, fc2, value, out}; query and key stay as they are. N
is the number of encoder layers, M of decoder layers. A model without encoder or
decoder leaves its layers and its patterns out.
"""

import math
from typing import NamedTuple

from initjax.recipes.actions import scale
from initjax.recipes.depths import check_depth, stack_depths
from initjax.recipes.patterns import Patterns
from initjax.recipes.rules import Rule, apply_rules
from initjax.recipes.trees import Applied
from initjax.typing import Params


class Residual(NamedTuple):
    """DeepNorm's constants of one stack.

    Attributes:
        alpha: Gain of the shortcut, LN(α · x + F(x)): the model's to apply.
        beta: Factor of the kernels {fc1, fc2, value, out}.
    """

    alpha: float
    beta: float


class DeepNorm(NamedTuple):
    """DeepNorm's constants; None for a stack that the model does not have."""

    encoder: Residual | None
    decoder: Residual | None


def deepnorm_constants(
    *, encoder_layers: int | None = None, decoder_layers: int | None = None
) -> DeepNorm:
    r"""DeepNorm's gain α of the shortcuts and factor β of the kernels.

        encoder or decoder alone   α = (2N)^(1/4)          β = (8N)^(−1/4)
        encoder of both            α = 0.81 (N⁴M)^(1/16)   β = 0.87 (N⁴M)^(−1/16)
        decoder of both            α = (3M)^(1/4)          β = (12M)^(−1/4)

    The authors' library, torchscale, divides the encoder of both by
    (N⁴M)^(1/16)/1.15, which makes its β 1.15 (N⁴M)^(−1/16); the paper's is here.

    Args:
        encoder_layers: N, or None without an encoder.
        decoder_layers: M, or None without a decoder.

    Raises:
        ValueError: if both are None, or one is below 1.

    Example:
        >>> deepnorm_constants(decoder_layers=512)
        DeepNorm(encoder=None, decoder=Residual(alpha=5.656854249492381, beta=0.125))

    References:
        Wang et al. (2022), arXiv:2203.00555, figure 2.
    """
    n, m = (
        None if layers is None else check_depth(name, layers)
        for name, layers in (
            ("encoder_layers", encoder_layers),
            ("decoder_layers", decoder_layers),
        )
    )
    if n is not None and m is not None:
        joint = (n**4 * m) ** (1 / 16)
        return DeepNorm(
            Residual(0.81 * joint, 0.87 / joint),
            Residual((3 * m) ** 0.25, (12 * m) ** -0.25),
        )
    depth = n or m
    if depth is None:
        raise ValueError(
            "encoder_layers=None and decoder_layers=None: give the number of layers of one"
        )
    alone = Residual((2 * depth) ** 0.25, (8 * depth) ** -0.25)
    return DeepNorm(alone, None) if m is None else DeepNorm(None, alone)


def deepnorm(
    params: Params,
    *,
    encoder_layers: int | None = None,
    decoder_layers: int | None = None,
    encoder: Patterns = (),
    decoder: Patterns = (),
) -> Applied:
    r"""DeepNorm: scale {fc1, fc2, value, out} by β, for shortcuts of gain α.

        W ← β · W,   in a model of layers LN(α · x + F(x))

    α and β are those of ``deepnorm_constants``; α is part of the model, and
    without it β alone makes the branches too weak. The kernels must come from
    Xavier's rule with gain 1.

    Args:
        params: Tree of parameters.
        encoder_layers: N.
        decoder_layers: M.
        encoder: The encoder's kernels.
        decoder: The decoder's kernels, those of cross-attention included.

    Raises:
        ValueError: for layers without patterns or patterns without layers, and as
            ``apply_rules`` does.

    Example:
        >>> import jax.numpy as jnp
        >>> params = {"layer": {name: {"kernel": jnp.ones(2)} for name in ("key", "out")}}
        >>> deepnorm(params, encoder_layers=2, encoder="layer/out/kernel").changed
        {'layer/out/kernel': '× 0.5'}

    References:
        Wang et al. (2022), arXiv:2203.00555, figure 2.
    """
    n, m = stack_depths(encoder_layers, encoder, decoder_layers, decoder)
    constants = deepnorm_constants(encoder_layers=n, decoder_layers=m)
    return apply_rules(
        params,
        [
            Rule(pattern, scale(constant.beta), name)
            for name, pattern, constant in (
                ("encoder", encoder, constants.encoder),
                ("decoder", decoder, constants.decoder),
            )
            if constant is not None
        ],
    )


def sub_ln(
    params: Params,
    *,
    encoder_layers: int | None = None,
    decoder_layers: int | None = None,
    encoder: Patterns = (),
    decoder: Patterns = (),
) -> Applied:
    r"""Sub-LN (Magneto): scale {fc1, fc2, value, out} by γ.

        encoder or decoder alone   γ = √(log 2N)
        encoder of both            γ = √(⅓ log 3M · log 2N)
        decoder of both            γ = √(log 3M)

    For a model with a second LayerNorm inside each branch, before its last layer;
    without that the factor would compound. The kernels must come from Xavier's
    rule with gain 1.

    Args:
        params: Tree of parameters.
        encoder_layers: N.
        decoder_layers: M.
        encoder: The encoder's kernels.
        decoder: The decoder's kernels. The authors' code scales those of
            self-attention and MLP and leaves cross-attention alone.

    Raises:
        ValueError: for layers without patterns or patterns without layers, and as
            ``apply_rules`` does.

    Example:
        >>> import jax.numpy as jnp
        >>> params = {"layer": {name: {"kernel": jnp.ones(2)} for name in ("key", "out")}}
        >>> sub_ln(params, encoder_layers=12, encoder="layer/out/kernel").changed
        {'layer/out/kernel': '× 1.783'}

    References:
        Wang et al. (2022), arXiv:2210.06423.
    """
    n, m = stack_depths(encoder_layers, encoder, decoder_layers, decoder)
    rules = []
    if n is not None:
        share = 1 if m is None else math.log(3 * m) / 3
        rules.append(Rule(encoder, scale(math.sqrt(share * math.log(2 * n))), "encoder"))
    if m is not None:
        gain = math.sqrt(math.log((2 if n is None else 3) * m))
        rules.append(Rule(decoder, scale(gain), "decoder"))
    return apply_rules(params, rules)
