"""A diagnosis in a terminal: a table of the trunk's layers above the findings."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from initjax.checkup.finding import Finding, shown
from initjax.checkup.trunk import Trunk
from initjax.probes.trace import Trace
from initjax.typing import HostArray

_MOST = 24  # rows; of a deeper network evenly spaced ones
_HEADER = ("layer", "kind", "log10 rms", "log10 grad", "cosine", "findings")


def rows(findings: Sequence[Finding], trace: Trace, trunk: Trunk) -> list[tuple[str, ...]]:
    """One row a site: all of a small network, else those of the trunk or a choice."""
    chosen = list(range(len(trace.sites)))
    if len(chosen) > _MOST:
        chosen = list(trunk.levels) or chosen
    if len(chosen) > _MOST:
        places = np.linspace(0, len(chosen) - 1, _MOST).round().astype(int)
        chosen = [chosen[i] for i in places]
    found = []
    for i in chosen:
        site = trace.sites[i]
        marks = [f.title for f in findings if site.path in f.layers]
        names = ("log10_rms", "back_log10_rms", "cosine")
        numbers = [_shown(trace.site_values[name][:, i]) for name in names]
        found.append((site.path, str(site.kind), *numbers, ", ".join(dict.fromkeys(marks))))
    return found


def _shown(values: HostArray) -> str:
    """Median over networks, and half the width of the middle 80 %."""
    known = values[~np.isnan(values)]
    if not len(known):
        return "-"
    if not np.isfinite(known).all():
        return f"{known[len(known) // 2]:.2f}"
    low, high = np.quantile(known, [0.1, 0.9])
    spread = f" ± {(high - low) / 2:.2f}" if len(known) > 1 else ""
    return f"{np.median(known):.2f}{spread}"


def headline(verdict: str, trace: Trace) -> str:
    """The verdict, and on what it rests."""
    networks = "network" if trace.seeds == 1 else "networks"
    text = f"{verdict}: {len(trace.sites)} layers of {trace.seeds} {networks}"
    if trace.unseen:
        text += f"; not seen: {shown(tuple(unseen.path for unseen in trace.unseen))}"
    return text


def plain(verdict: str, findings: Sequence[Finding], trace: Trace, trunk: Trunk) -> str:
    """As text."""
    table = [_HEADER, *rows(findings, trace, trunk)]
    widths = [max(len(row[i]) for row in table) for i in range(len(_HEADER))]
    lines = [
        "  ".join(
            cell.ljust(width) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in table
    ]
    return "\n".join([headline(verdict, trace), *map(str, findings), *lines])


def rich_table(
    verdict: str, findings: Sequence[Finding], trace: Trace, trunk: Trunk
) -> Any:
    """As a table of rich, which calls this; the package is there then."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    table = Table(*_HEADER, title=headline(verdict, trace), title_justify="left")
    for row in rows(findings, trace, trunk):
        table.add_row(*(Text(cell) for cell in row), style="red" if row[-1] else None)
    return Group(table, *(Text(str(finding)) for finding in findings))
