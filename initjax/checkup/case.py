"""What the rules look at: a trace, the step ahead of it, and the trunk of both."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from initjax.checkup import limits
from initjax.checkup.slopes import Estimate, drifts, student
from initjax.checkup.trunk import Trunk, kernel_of, trunk_of
from initjax.probes.trace import Parameter, Trace
from initjax.typing import HostArray


@dataclass(frozen=True)
class Case:
    """A network under examination.

    Attributes:
        trace: At the start.
        ahead: After the few small steps that gradients need to pass kernels that start at
            zero; the same trace where none do.
    """

    trace: Trace
    ahead: Trace

    @cached_property
    def trunk(self) -> Trunk:
        """The way on which signals have to stay alive."""
        return trunk_of(self.trace)

    @cached_property
    def leaves(self) -> dict[str, tuple[int, Parameter]]:
        """Column in ``parameter_values`` and parameter, by path."""
        return {leaf.path: (i, leaf) for i, leaf in enumerate(self.trace.parameters)}

    @cached_property
    def kernels(self) -> tuple[str, ...]:
        """Paths of the kernels of dense layers and convolutions, in order."""
        paths = (kernel_of(site) for site in self.trace.sites)
        return tuple(dict.fromkeys(p for p in paths if p is not None and p in self.leaves))

    @property
    def level_paths(self) -> tuple[str, ...]:
        """Paths of the levels of the trunk."""
        return tuple(self.trace.sites[i].path for i in self.trunk.levels)

    def seen(self, at: int) -> bool:
        """Whether a site and what it reads are finite, so that its shares mean a thing."""
        columns = [at, *self.trace.sites[at].parents]
        values = self.trace.site_values
        return not any(
            values[name][:, columns].any() for name in ("nan_count", "inf_count")
        )

    def forward(self) -> HostArray:
        """log10 rms at the levels, [seed, level]."""
        return self.trace.site_values["log10_rms"][:, list(self.trunk.levels)]

    def backward(self) -> HostArray:
        """log10 of the gradient's norm at the levels, [seed, level].

        The norm and not the rms is what He's law by fan-in keeps where widths change and
        where windows move by more than one pixel.
        """
        levels = list(self.trunk.levels)
        now = self.trace.site_values["back_log10_norm"][:, levels]
        if np.isneginf(now).all():
            return self.ahead.site_values["back_log10_norm"][:, levels]
        return now

    def drift(self, values: HostArray) -> Estimate:
        """Change over the levels, in decades, with its interval over seeds."""
        spread = limits.spread(self.trace, self.trunk)
        return student(drifts(values, late=self.trunk.stream), spread)

    @cached_property
    def allowed(self) -> float:
        """Decades that a healthy network of this architecture may drift."""
        found = limits.HARMFUL + limits.finite_width(self.trace, self.trunk)
        return found + (limits.STREAM if self.trunk.stream else 0.0)

    @cached_property
    def allowed_down(self) -> float:
        """The same of a loss, to which averages and borders add."""
        taken = limits.averaging(self.trace, self.trunk)
        return self.allowed + taken + limits.borders(self.trace, self.trunk)
