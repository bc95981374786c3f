"""Remedies: which leaves to draw anew, to scale or to fill, and the call that does it.

Kernels are drawn by the fan-in of the layer as it was run, so that one draw is right for
stacked kernels, grouped convolutions and attention's projections too.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import jax.numpy as jnp
import numpy as np

from initjax import init
from initjax.checkup.case import Case
from initjax.checkup.finding import Remedy
from initjax.checkup.gains_of import Fit, fit, fit_first
from initjax.checkup.leaves import bias_beside, pattern_of
from initjax.checkup.recurrence import step_gain
from initjax.checkup.trunk import activation_after, activation_before, kernel_of
from initjax.recipes.actions import fill, key_of, redraw
from initjax.recipes.trees import Action
from initjax.typing import Array, Key


class _Plan(NamedTuple):
    """How one kernel is drawn anew.

    Attributes:
        fan_in: Of its layer.
        fit: The law.
        bias: The bias beside it, if any.
        gain: Of orthogonal weights, for a kernel that is used more than once in a row and
            so has to keep lengths exactly; None for others.
    """

    fan_in: int
    fit: Fit
    bias: str | None
    gain: float | None


def redrawn(case: Case, kernels: Iterable[str] | None = None) -> Remedy | None:
    """Draw kernels anew by the gain of the activation that each layer reads.

    Args:
        case: The network.
        kernels: Paths; by default all whose layers are on the trunk.
    """
    plans = _plans(case, set(kernels) if kernels is not None else None)
    if not plans:
        return None

    def actions(key: Key) -> dict[str, Action]:
        found = dict[str, Action]()
        for path, plan in plans.items():
            found[path] = _draw(plan, key)
            if plan.bias is not None:
                found[plan.bias] = _bias(plan, key)
        return found

    return Remedy(_call(case, plans), actions)


def _plans(case: Case, wanted: set[str] | None) -> dict[str, _Plan]:
    sites, plans = case.trace.sites, dict[str, _Plan]()
    looked = case.trunk.path if wanted is None else range(len(sites))
    uses = [kernel_of(sites[i]) for i in case.trunk.path]
    for i in looked:
        path, site = kernel_of(sites[i]), sites[i]
        if path is None or path not in case.leaves or path in plans:
            continue
        if wanted is not None and path not in wanted:
            continue
        before = activation_before(sites, i)
        law = fit(before) if before else fit_first(activation_after(sites, i))
        bias = bias_beside(path, case.leaves)
        square = len(set(case.leaves[path][1].shape[-2:])) == 1
        # A kernel of one layer that is met again and again: the step of a recurrence.
        repeated = site.weights[0] == path and uses.count(path) > 1 and square
        gain = step_gain(case, i) if repeated else None
        plans[path] = _Plan(site.fan_in or 1, law, bias, gain)
    return plans


def _draw(plan: _Plan, key: Key) -> Action:
    if plan.gain is not None:
        return redraw(init.orthogonal(plan.gain), key)
    return redraw(init.normal(plan.fit.sigma_w / math.sqrt(plan.fan_in)), key)


def _bias(plan: _Plan, key: Key) -> Action:
    if plan.fit.sigma_b:
        return redraw(init.normal(plan.fit.sigma_b), key)
    return fill(0.0)


def _call(case: Case, plans: Mapping[str, _Plan]) -> str:
    """One initializer a line, with the layers that it is for."""
    groups: dict[str, list[str]] = {}
    for path, plan in plans.items():
        text = plan.fit.call
        if plan.gain is not None:
            text = (
                "init.orthogonal()"
                if plan.gain == 1
                else f"init.orthogonal({plan.gain:.3g})"
            )
        groups.setdefault(text, []).append(path)
    if len(groups) == 1:
        return next(iter(groups))
    return "; ".join(
        f"{text} for {pattern_of(paths, case.leaves)}" for text, paths in groups.items()
    )


def same_law(case: Case, kernels: Sequence[str]) -> Remedy:
    """Draw kernels anew by the law that they have, in float32, and cast them."""
    stds = {path: _std(case, path) for path in kernels}
    fans = {kernel_of(site): site.fan_in or 1 for site in case.trace.sites}
    factors = sorted({float(f"{stds[p] ** 2 * fans[p]:.2g}") for p in kernels})
    calls = [f'init.variance_scaling({f:g}, "fan_in", "normal")' for f in factors]

    def actions(key: Key) -> dict[str, Action]:
        return {path: redraw(init.normal(std), key) for path, std in stds.items()}

    return Remedy("; ".join(calls), actions)


def _std(case: Case, path: str) -> float:
    """Median over seeds."""
    column = case.leaves[path][0]
    logs = case.trace.parameter_values["log10_std"][:, column]
    return float(10 ** np.median(logs))


def identity_attention(case: Case) -> Remedy | None:
    """Attention that starts near the identity, where the layers are those of Flax."""
    from initjax.recipes.attention import mimetic

    shapes = {path: leaf.shape for path, (_, leaf) in case.leaves.items()}
    query = "/query/kernel"
    modules = [path.removesuffix(query) for path in shapes if path.endswith(query)]
    kernels = [shapes.get(f"{m}/{role}/kernel", ()) for m in modules for role in _ROLES]
    if not modules or any(len(shape) != 3 for shape in kernels):
        return None
    pattern = pattern_of(modules, [])
    call = (
        f'recipes.mimetic(params, key, attention=r"{pattern}", '
        f"query_key=(0.0, {_SHARP}), value_out=(0.0, 1.0))"
    )

    def actions(key: Key) -> dict[str, Action]:
        found = dict[str, Action]()
        for module in modules:
            tree = {
                role: {"kernel": jnp.zeros(shapes[f"{module}/{role}/kernel"])}
                for role in _ROLES
            }
            drawn = mimetic(
                {"attention": tree},
                key_of(key, module),
                attention="attention",
                query_key=(0.0, _SHARP),
                value_out=(0.0, 1.0),
            )
            for role, layer in drawn.params["attention"].items():
                found[f"{module}/{role}/kernel"] = _given(layer["kernel"])
        return found

    return Remedy(call, actions)


def _given(kernel: Array) -> Action:
    return Action(lambda path, leaf: kernel, "redrawn by mimetic")


_ROLES = ("query", "key", "value", "out")
_SHARP = 8.0  # β of W_Q W_Kᵀ ≈ β I, at which a token of rms 1 attends to itself
