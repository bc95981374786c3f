"""Draw the figures of one analysis module into files: PNG, SVG and their CSV."""

import io
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from string import ascii_lowercase
from types import ModuleType

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from matplotlib.text import Text

from analysis.bands import Absent
from analysis.style import ACTIVATION_ORDER, house_style, in_order
from sweeps.harness.files import write_whole


@dataclass(frozen=True)
class Figure:
    """One figure of a report.

    Attributes:
        name: Of its files.
        plot: (rows, ax=…) to Axes; its docstring's first line is the caption.
        data: Table to the rows that ``plot`` draws, which become the CSV.
        panels: Column of the rows with one panel per value.
        legend_columns: Columns of the legend below the panels; 0 for no legend.
    """

    name: str
    plot: Callable[..., Axes]
    data: Callable[[pd.DataFrame], pd.DataFrame]
    panels: str
    legend_columns: int = 4

    @property
    def caption(self) -> str:
        """First line of the plot's docstring."""
        return (self.plot.__doc__ or "").strip().splitlines()[0]


def draw(analysis: ModuleType, table: pd.DataFrame, folder: Path) -> list[Path]:
    """Write every figure of an analysis module for which the table has rows.

    Args:
        analysis: A module with FIGURES.
        table: The table of its sweep.
        folder: Where the files go; made if missing.

    Returns:
        Paths of the files: .png, .svg and .csv of each figure.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for figure in analysis.FIGURES:
        try:
            rows = figure.data(table)
        except Absent:
            continue
        with house_style():
            canvas = compose(figure, rows)
            canvas.get_layout_engine().execute(canvas)
            canvas.set_layout_engine(None)  # laid out once, for both kinds of file
            for kind in ("png", "svg"):
                written.append(folder / f"{figure.name}.{kind}")
                write_whole(written[-1], _bytes(canvas, kind))
            plt.close(canvas)
        written.append(folder / f"{figure.name}.csv")
        text = rows.to_csv(index=False, float_format="%.6g", lineterminator="\n")
        write_whole(written[-1], text.encode())
    return written


def compose(figure: Figure, rows: pd.DataFrame) -> Canvas:
    """The panels of a figure with one legend below them."""
    values = in_order(list(rows[figure.panels]), ACTIVATION_ORDER)
    most = 2 if len(values) == 4 else 3
    across = min(most, len(values)) if figure.legend_columns else 1
    down = -(-len(values) // across)
    size = (3.1 * across, 2.5 * down + 0.9) if figure.legend_columns else (7.2, 4.6 * down)
    canvas, axes = plt.subplots(
        down, across, figsize=size, squeeze=False, layout="constrained"
    )
    for ax, value in zip(axes.flat, values, strict=False):
        figure.plot(rows[rows[figure.panels] == value], ax=ax)
    for ax in axes.flat[len(values) :]:
        ax.set_axis_off()
    for i, ax in enumerate(axes.flat[: len(values)]):
        if i % across:
            ax.set_ylabel("")
        if i + across < len(values) and figure.legend_columns:
            ax.set_xlabel("")
    if len(values) > 1:
        for ax, letter in zip(axes.flat[: len(values)], ascii_lowercase, strict=False):
            _lettered(ax, letter)
    if figure.legend_columns:
        _legend(canvas, figure.legend_columns)
    title = _balanced(figure.caption, min(105, int(12.8 * size[0])))
    title += filter(None, [rows.attrs.get("note")])
    canvas.suptitle("\n".join(title), fontsize=10)
    return canvas


def _lettered(ax: Axes, letter: str) -> None:
    """By which a text can cite the panel, before its title."""
    title = ax.get_title(loc="left")
    for text in ax.findobj(Text):
        if title and text.get_text() == title:
            text.set_text(f"({letter}) {title}")
            return
    ax.set_title(f"({letter})", loc="left")


def _balanced(text: str, letters: int) -> list[str]:
    """The text in as few lines as fit, all about as long as the first."""
    lines = textwrap.wrap(text, letters)
    while len(narrower := textwrap.wrap(text, letters - 1)) == len(lines) > 1:
        lines, letters = narrower, letters - 1
    return lines


def _legend(canvas: Canvas, columns: int) -> None:
    """Each label once, from all panels, below them."""
    found: dict[str, Artist] = {}
    for ax in canvas.axes:
        for handle, label in zip(*ax.get_legend_handles_labels(), strict=True):
            found.setdefault(label, handle)
    canvas.legend(
        list(found.values()), list(found), loc="outside lower center", ncols=columns
    )


def _bytes(canvas: Canvas, kind: str) -> bytes:
    buffer = io.BytesIO()
    metadata = {"Date": None} if kind == "svg" else {"Software": None}
    canvas.savefig(buffer, format=kind, metadata=metadata)
    return buffer.getvalue()
