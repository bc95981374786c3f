"""What a check-up says: a verdict, findings, and the numbers behind them."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from initjax.checkup.finding import Finding, Verdict, changed
from initjax.checkup.tables import plain, rich_table
from initjax.checkup.trunk import Trunk
from initjax.probes.trace import Trace
from initjax.recipes.trees import Action
from initjax.typing import HostArray, Key

if TYPE_CHECKING:
    import pandas as pd


class Unhealthy(AssertionError):
    """A network that will not train as it starts; the message holds the findings."""


@dataclass(frozen=True)
class Diagnosis:
    """The state of a network at its start.

    Attributes:
        verdict: ``healthy``, or that of the most fundamental finding.
        findings: What is wrong, the most fundamental first.
        trace: What goes forward and what comes back at every layer.
        trunk: The layers that are compared: ``trunk.levels`` are indices of trace.sites.
        source: Key to the model's variables; None if the model gives none.
    """

    verdict: Verdict
    findings: tuple[Finding, ...]
    trace: Trace
    trunk: Trunk
    source: Callable[[Key], Any] | None = field(default=None, repr=False)

    @property
    def healthy(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def layers(self) -> tuple[str, ...]:
        """Paths of all sites, in order of execution."""
        return tuple(site.path for site in self.trace.sites)

    def raise_if_unhealthy(self) -> None:
        """For a test suite.

        Raises:
            Unhealthy: (an AssertionError) with all findings, if there are any.
        """
        if self.findings:
            raise Unhealthy(str(self))

    def remedied(self, key: Key) -> Any:
        """The model's variables with every remedy applied.

        A leaf that two findings change is changed by the more fundamental one alone.

        Args:
            key: Of the draw, and of leaves that are drawn anew.

        Raises:
            ValueError: if the variables of the model are not known.
        """
        if self.source is None:
            raise ValueError(
                "variables must be known to be remedied: call diagnose with variables="
            )
        import jax

        start, own = jax.random.split(key)
        return self._mended(own, self.source(start))

    @cached_property
    def _mended(self) -> Callable[[Key, Any], Any]:
        """Key and variables to those with all remedies, by one program."""
        import jax

        def mended(key: Key, variables: Any) -> Any:
            keys = jax.random.split(key, max(len(self.findings), 1))
            actions = dict[str, Action]()
            for finding, own in zip(self.findings, keys, strict=False):
                if finding.remedy is not None:
                    actions = {**finding.remedy.actions(own), **actions}
            return changed(actions, variables)

        return jax.jit(mended)

    def to_pandas(self) -> "pd.DataFrame":
        """``trace.to_pandas()``, with the findings of each layer in a column.

        Raises:
            ModuleNotFoundError: without pandas: ``pip install "initjax[checkup]"``.
        """
        from initjax.checkup.extras import needed

        needed("pandas", "to_pandas")
        table = self.trace.to_pandas()
        titles = [", ".join(_titles(self.findings, path)) for path in self.layers]
        table["findings"] = titles * self.trace.seeds
        return table

    def to_json(self, indent: int | None = None) -> str:
        """Verdict, findings and medians of the layers; what is not finite is null."""
        return json.dumps(self._record(), indent=indent, allow_nan=False)

    def _record(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "seeds": self.trace.seeds,
            "findings": [_finding_record(finding) for finding in self.findings],
            "layers": [
                {"path": site.path, "kind": site.kind, "shape": list(site.shape)}
                | {
                    name: _number(_median(values[:, i]))
                    for name, values in self.trace.site_values.items()
                }
                for i, site in enumerate(self.trace.sites)
            ],
            "unseen": [{"path": u.path, "reason": u.reason} for u in self.trace.unseen],
        }

    def plot(self, axes: Any = None) -> Any:
        """The signal propagation plot: forward and backward over depth.

        Median over networks and the band of the middle 80 %; levels of the trunk are
        joined, branches are points, layers with a finding are marked.

        Args:
            axes: Two matplotlib Axes; new ones by default.

        Returns:
            The array of both Axes.

        Raises:
            ModuleNotFoundError: without seaborn: ``pip install "initjax[checkup]"``.
        """
        from initjax.checkup.extras import needed

        needed("seaborn", "plot")
        from initjax.checkup.plot import draw

        return draw(self, axes)

    def __str__(self) -> str:
        return plain(self.verdict, self.findings, self.trace, self.trunk)

    def __rich__(self) -> Any:
        return rich_table(self.verdict, self.findings, self.trace, self.trunk)


def _titles(findings: tuple[Finding, ...], path: str) -> list[str]:
    return [finding.title for finding in findings if path in finding.layers]


def _finding_record(finding: Finding) -> dict[str, Any]:
    return {
        "verdict": finding.verdict,
        "direction": finding.direction,
        "layers": list(finding.layers),
        "evidence": finding.evidence,
        "numbers": {name: _number(value) for name, value in finding.numbers.items()},
        "expected": None if finding.expected is None else _number(finding.expected),
        "remedy": finding.remedy.call if finding.remedy else None,
    }


def _median(values: HostArray) -> float:
    """Over the seeds that have a value."""
    known = values[~np.isnan(values)]
    with np.errstate(invalid="ignore"):  # between -inf and inf
        return float(np.median(known)) if len(known) else float("nan")


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
