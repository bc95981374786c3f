"""Rules: what to do to the leaves whose paths a pattern matches."""

from collections.abc import Iterable
from typing import NamedTuple

from initjax.recipes.patterns import Patterns, assign
from initjax.recipes.trees import Action, Applied, change_leaves, leaves_by_path
from initjax.typing import Params


class Rule(NamedTuple):
    """An action for every leaf whose path a pattern matches.

    Attributes:
        pattern: One or several regular expressions for whole paths.
        action: What is done to each leaf that matches.
        argument: Name of ``pattern`` in messages.
    """

    pattern: Patterns
    action: Action
    argument: str = "pattern"


def apply_rules(params: Params, rules: Iterable[Rule | tuple[Patterns, Action]]) -> Applied:
    r"""Apply each rule to the leaves that its pattern matches.

    A pattern is a regular expression that must match the *whole* path, such as
    ``r"blocks_\d+/attn/out/kernel"``. Every pattern has to match, and no leaf may
    be matched twice: a rule that silently misses its tensors, or scales one of
    them twice, is what this function is here to prevent. Layers that are stacked
    along a leading axis (nn.scan) are one leaf.

    Args:
        params: Tree of parameters; may be traced.
        rules: Rules, or (pattern, action) pairs.

    Returns:
        The new tree, whose leaves keep their shape and dtype, and what changed.

    Raises:
        ValueError: for a pattern that matches nothing, with the paths of the tree;
            for a leaf that two patterns match; for a bad regular expression.
        TypeError: for a matched leaf that is not floating-point.

    Example:
        >>> import jax.numpy as jnp
        >>> from initjax.recipes import scale
        >>> params = {"in": {"kernel": jnp.ones(2)}, "out": {"kernel": jnp.ones(2)}}
        >>> new, changed = apply_rules(params, [("out/.*", scale(0.5))])
        >>> new["out"]["kernel"].tolist(), changed
        ([0.5, 0.5], {'out/kernel': '× 0.5'})
    """
    listed = [Rule(*rule) for rule in rules]
    paths = list(leaves_by_path(params))
    owners = assign(paths, [(rule.argument, rule.pattern) for rule in listed])
    return change_leaves(params, {path: listed[i].action for path, i in owners.items()})
