"""Recipes for residual networks of any kind: GPT-2, Fixup, SkipInit, LayerScale.

Each keeps the sum of many branches from growing with their number, by scaling
the branches or by starting them at zero. Those for Transformers alone, by number
of layers, are in ``t_fixup`` and ``deepnet``.
"""

from initjax.recipes.actions import fill, scale
from initjax.recipes.depths import check_depth
from initjax.recipes.patterns import Patterns
from initjax.recipes.rules import Rule, apply_rules
from initjax.recipes.trees import Applied
from initjax.typing import Params


def gpt2(params: Params, *, blocks: int, residual: Patterns) -> Applied:
    r"""Scale the layers that write to the residual stream by 1/√(2N).

        W ← W / √(2N)

    With N blocks of two branches each, attention and MLP, the 2N branches then
    add 2N · v/(2N) = v to the second moment of the stream, at any depth.

    Args:
        params: Tree of parameters, drawn as usual (GPT-2: N(0, 0.02²)).
        blocks: Number N of blocks.
        residual: The last kernel of every branch: attention's output projection
            and the MLP's second layer, not their biases.

    Raises:
        ValueError: for N < 1, and as ``apply_rules`` does.

    Example:
        >>> import jax.numpy as jnp
        >>> mlp = {"fc1": {"kernel": jnp.ones(2)}, "fc2": {"kernel": jnp.ones(2)}}
        >>> params = {"block_0": {"mlp": mlp}, "block_1": {"mlp": mlp}}
        >>> gpt2(params, blocks=2, residual=r"block_\d+/mlp/fc2/kernel").changed
        {'block_0/mlp/fc2/kernel': '× 0.5', 'block_1/mlp/fc2/kernel': '× 0.5'}

    References:
        Radford et al. (2019), Language Models are Unsupervised Multitask
        Learners, section 2.3: 1/√N for N residual *layers*, two in each block.
    """
    factor = (2 * check_depth("blocks", blocks)) ** -0.5
    return apply_rules(params, [Rule(residual, scale(factor), "residual")])


def fixup(
    params: Params,
    *,
    branches: int,
    layers_per_branch: int,
    inner: Patterns,
    last: Patterns,
    head: Patterns = (),
    biases: Patterns = (),
    scales: Patterns = (),
) -> Applied:
    r"""Fixup: a residual network that trains without normalization.

        inner layers of a branch   W ← L^(−1/(2m−2)) · W
        last layer of a branch     W = 0
        classifier                 W = 0, b = 0
        scalar biases, multipliers   b = 0, s = 1

    Every branch is zero at first, so the trunk is the identity. The factor is
    written for kernels that were drawn by He's rule (``init.kaiming_normal``).

    Args:
        params: Tree of parameters.
        branches: Number L of residual branches.
        layers_per_branch: Number m of layers in a branch, ≥ 2: 2 for a basic
            block, 3 for a bottleneck.
        inner: Kernels of the branches but for each branch's last.
        last: Last kernel of every branch.
        head: Kernel and bias of the classifier.
        biases: The scalar biases before each layer and activation.
        scales: The scalar multipliers, one in each branch.

    Raises:
        ValueError: for L < 1, for m < 2, and as ``apply_rules`` does.

    Example:
        >>> import jax.numpy as jnp
        >>> conv = {"kernel": jnp.ones((3, 3, 4, 4))}
        >>> params = {f"block_{i}": {"conv1": conv, "conv2": conv} for i in range(4)}
        >>> _, changed = fixup(params, branches=4, layers_per_branch=2,
        ...     inner=r"block_\d/conv1/kernel", last=r"block_\d/conv2/kernel")
        >>> changed["block_3/conv1/kernel"], changed["block_3/conv2/kernel"]
        ('× 0.5', '= 0')

    References:
        Zhang, Dauphin & Ma (2019), arXiv:1901.09321, the rules of section 3.
    """
    depth = check_depth("branches", branches)
    layers = check_depth(
        "layers_per_branch",
        layers_per_branch,
        least=2,
        remedy=". The factor L^(−1/(2m−2)) needs an inner layer; for branches of one "
        "layer use skip_init",
    )
    factor = depth ** (-1 / (2 * layers - 2))
    return apply_rules(
        params,
        [
            Rule(inner, scale(factor), "inner"),
            Rule(last, fill(0), "last"),
            Rule(head, fill(0), "head"),
            Rule(biases, fill(0), "biases"),
            Rule(scales, fill(1), "scales"),
        ],
    )


def skip_init(params: Params, *, alpha: Patterns) -> Applied:
    r"""SkipInit, ReZero: the multiplier of every residual branch starts at zero.

        x ← x + α · F(x),   α = 0

    The trunk is the identity, and so is its Jacobian, at any depth; α moves at
    the first step, since ∂x/∂α = F(x).

    Args:
        params: Tree of parameters.
        alpha: The multipliers, one in each branch.

    Raises:
        ValueError: as ``apply_rules`` does.

    Example:
        >>> import jax.numpy as jnp
        >>> params = {"block": {"alpha": jnp.ones(()), "kernel": jnp.ones(2)}}
        >>> skip_init(params, alpha="block/alpha").changed
        {'block/alpha': '= 0'}

    References:
        De & Smith (2020), arXiv:2002.10444 (SkipInit); Bachlechner et al. (2020),
        arXiv:2003.04887 (ReZero).
    """
    return apply_rules(params, [Rule(alpha, fill(0), "alpha")])


rezero = skip_init


def layer_scale(
    params: Params, *, blocks: int, gammas: Patterns, value: float | None = None
) -> Applied:
    r"""LayerScale: the channel-wise gain of every branch starts small.

        x ← x + γ ⊙ F(x),   γ = 0.1 for N ≤ 18,  1e-5 for N ≤ 24,  1e-6 deeper

    The published depths are 12 and 18, 24, 36 and 48; between two of them the
    value of the deeper one is used.

    Args:
        params: Tree of parameters.
        blocks: Number N of blocks.
        gammas: The gains, two in each block of a Transformer.
        value: Another start than the published one.

    Raises:
        ValueError: for N < 1, for a value that is not finite, and as
            ``apply_rules`` does.

    Example:
        >>> import jax.numpy as jnp
        >>> params = {"block": {"gamma": jnp.ones(4), "kernel": jnp.ones(4)}}
        >>> layer_scale(params, blocks=24, gammas="block/gamma").changed
        {'block/gamma': '= 1e-05'}

    References:
        Touvron et al. (2021), arXiv:2103.17239, section 2.
    """
    depth = check_depth("blocks", blocks)
    published = 0.1 if depth <= 18 else 1e-5 if depth <= 24 else 1e-6
    start = published if value is None else value
    return apply_rules(params, [Rule(gammas, fill(start), "gammas")])
