"""T-Fixup: Transformers without LayerNorm, by number of layers."""

from initjax.recipes.actions import scale
from initjax.recipes.depths import stack_depths
from initjax.recipes.patterns import Patterns, listed_patterns
from initjax.recipes.rules import Rule, apply_rules
from initjax.recipes.trees import Applied
from initjax.typing import Params


def t_fixup(
    params: Params,
    *,
    encoder_layers: int | None = None,
    decoder_layers: int | None = None,
    encoder: Patterns = (),
    decoder: Patterns = (),
    encoder_embedding: Patterns = (),
    decoder_embedding: Patterns = (),
) -> Applied:
    r"""T-Fixup: a Transformer that trains without LayerNorm and without warm-up.

        encoder {fc1, fc2, value, out}   W ← 0.67 · N^(−1/4) · W
        decoder {fc1, fc2, value, out}   W ← (9M)^(−1/4) · W
        encoder embedding                E ← (9N)^(−1/4) · E
        decoder embedding                E ← (9M)^(−1/4) · E

    The kernels must come from Xavier's rule with gain 1 (``init.xavier_uniform``)
    and the embeddings from N(0, 1/d), of standard deviation d^(−1/2); the model
    has no LayerNorm. The √2 on the value kernel in the authors' code only undoes
    the 1/√2 that fairseq draws it with; it is not part of the rule.

    Args:
        params: Tree of parameters.
        encoder_layers: N.
        decoder_layers: M.
        encoder: The encoder's kernels.
        decoder: The decoder's kernels, those of cross-attention included.
        encoder_embedding: Table of the encoder's tokens.
        decoder_embedding: Table of the decoder's tokens; () if both share one.

    Raises:
        ValueError: for layers without patterns or patterns without layers, and as
            ``apply_rules`` does.

    Example:
        >>> import jax.numpy as jnp
        >>> kernel = {"kernel": jnp.ones(2)}
        >>> params = {"embed": jnp.ones(2), "layer": {"query": kernel, "fc1": kernel}}
        >>> t_fixup(params, encoder_layers=9, encoder="layer/fc1/kernel",
        ...     encoder_embedding="embed").changed
        {'embed': '× 0.3333', 'layer/fc1/kernel': '× 0.3868'}

    References:
        Huang, Pérez, Ba & Volkovs (2020), Improving Transformer Optimization
        Through Better Initialization, ICML.
    """
    n, m = stack_depths(encoder_layers, encoder, decoder_layers, decoder)
    rules = []
    for name, table, depth in (
        ("encoder_embedding", encoder_embedding, n),
        ("decoder_embedding", decoder_embedding, m),
    ):
        if depth is not None:
            rules.append(Rule(table, scale((9 * depth) ** -0.25), name))
        elif listed_patterns(name, table):
            raise ValueError(f"{name}={table!r} belongs to a stack without layers")
    if n is not None:
        rules.append(Rule(encoder, scale(0.67 * n**-0.25), "encoder"))
    if m is not None:
        rules.append(Rule(decoder, scale((9 * m) ** -0.25), "decoder"))
    return apply_rules(params, rules)
