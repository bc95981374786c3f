"""What a check-up finds: a verdict with its evidence, and the call that mends it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from initjax.recipes.trees import Action, change_leaves
from initjax.typing import Key

Verdict = Literal[
    "healthy",
    "nonfinite",
    "precision",
    "symmetric",
    "dead",
    "saturated",
    "residual_blowup",
    "exploding",
    "vanishing",
    "rank_collapse",
]
Direction = Literal["forward", "backward"]

ORDER: tuple[Verdict, ...] = (
    *("nonfinite", "precision", "symmetric", "dead", "saturated"),
    *("residual_blowup", "exploding", "vanishing", "rank_collapse"),
)
"""The most fundamental first: what comes later is often made by what comes before."""


@dataclass(frozen=True)
class Remedy:
    """A change of parameters that mends a finding.

    Attributes:
        call: The same as a Python call, for the user's own code.
        actions: Of a key, path of a parameter to what is done to it.
    """

    call: str
    actions: Callable[[Key], Mapping[str, Action]] = field(repr=False)

    def apply(self, key: Key, variables: Any) -> Any:
        """Variables whose parameters are mended; others, and the tree, stay as they are.

        Args:
            key: For leaves that are drawn anew.
            variables: ``{"params": …, …}``, or a tree of parameters alone.
        """
        return changed(self.actions(key), variables)


def changed(actions: Mapping[str, Action], variables: Any) -> Any:
    """Variables with an action for some of their parameters."""
    if not (isinstance(variables, Mapping) and "params" in variables):
        return change_leaves(variables, actions).params
    return {**variables, "params": change_leaves(variables["params"], actions).params}


@dataclass(frozen=True)
class Finding:
    """Something that keeps a network from training.

    Attributes:
        verdict: What it is.
        direction: Of the signal that is hurt; None where it is no signal.
        layers: Paths of sites or parameters, in order of execution.
        evidence: One sentence with the numbers that decided.
        numbers: Those numbers by name.
        expected: What the theory, or a healthy network, has instead of the first number;
            None where there is no such number.
        remedy: What mends it; None where no start of the parameters can.
    """

    verdict: Verdict
    direction: Direction | None
    layers: tuple[str, ...]
    evidence: str
    numbers: Mapping[str, float]
    expected: float | None = None
    remedy: Remedy | None = None

    @property
    def title(self) -> str:
        """Verdict and direction, such as ``vanishing backward``."""
        return f"{self.verdict} {self.direction}" if self.direction else self.verdict

    def __str__(self) -> str:
        cure = f"\n  remedy: {self.remedy.call}" if self.remedy else ""
        return f"{self.title}: {self.evidence}\n  at {shown(self.layers)}{cure}"


def shown(layers: tuple[str, ...], most: int = 4) -> str:
    """A list of layers, shortened in the middle."""
    if len(layers) <= most:
        return ", ".join(layers)
    half = most // 2
    return (
        f"{', '.join(layers[:half])}, … {', '.join(layers[-half:])} ({len(layers)} layers)"
    )
