"""What a figure shows, in words, read from the axes that were drawn."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from analysis.report.svg import tag, words

_OFFSET = re.compile(r"[+−-]?(1e|×\s*10)[\s+−\-\d⁰¹²³⁴-⁹⁻]*")
_SLIM = 40.0
"""Points below which axes are a bar of colors."""


@dataclass(frozen=True)
class Labels:
    """Texts of a figure's axes, each once, in the order in which they were drawn.

    Attributes:
        x: Labels of horizontal axes.
        y: Labels of vertical axes.
        color: Labels of the bars that explain colors.
        panels: Titles of panels.
        count: Number of panels.
        legend: Entries of the legends.
    """

    x: tuple[str, ...]
    y: tuple[str, ...]
    color: tuple[str, ...]
    panels: tuple[str, ...]
    count: int
    legend: tuple[str, ...]

    def alt(self) -> str:
        """One sentence for those who do not see the figure."""
        text = f"Plot of {' or '.join(self.y)}" if self.y else "Plot"
        if self.x:
            text += f" against {' or '.join(self.x)}"
        if self.color:
            text += f", {' or '.join(self.color)} in color"
        if self.count > 1:
            text += f", in {self.count} panels"
        if self.panels:
            text += f": {'; '.join(self.panels)}"
        shown = f". Drawn: {'; '.join(self.legend)}" if self.legend else ""
        return f"{text}{shown}."


def read(root: ET.Element) -> Labels:
    """The labels of a figure.

    Args:
        root: From ``svg.parse``, not yet shrunk.
    """
    x: list[str] = []
    y: list[str] = []
    color: list[str] = []
    panels: list[str] = []
    count = 0
    for axes in _named(root.iter(), "axes_"):
        found = _named(axes, "matplotlib.axis_")
        if len(found) < 2:
            continue  # an empty place of the grid
        across, down = _label(found[0]), _label(found[1])
        left, right, top = _frame(axes)
        if right - left < _SLIM:
            color += [down or across]
            continue
        count += 1
        x.append(across)
        y.append(down)
        above = [g for g in _named(axes, "text_") if _height(g) < top]
        panels += [words(above[-1])] if above else []
    boxes = _named(root.iter(), "legend_")
    legend = [words(text) for box in boxes for text in _named(box.iter(), "text_")]
    return Labels(_once(x), _once(y), _once(color), _once(panels), count, _once(legend))


def _once(texts: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text for text in texts if text))


def _named(elements: Iterable[ET.Element], start: str) -> list[ET.Element]:
    return [e for e in elements if tag(e) == "g" and e.get("id", "").startswith(start)]


def _label(axis: ET.Element) -> str:
    """The label of an axis: its text that is no tick and no factor."""
    texts = [words(g) for g in _named(axis, "text_")]
    return next((text for text in texts if not _OFFSET.fullmatch(text)), "")


def _frame(axes: ET.Element) -> tuple[float, float, float]:
    """Left, right and top of axes, from the patch behind them."""
    for patch in axes.iter():
        if tag(patch) == "path":
            numbers = [float(n) for n in re.findall(r"-?[\d.]+", patch.get("d", ""))]
            return min(numbers[::2]), max(numbers[::2]), min(numbers[1::2])
    return 0.0, float("inf"), 0.0


def _height(group: ET.Element) -> float:
    """Where the baseline of a text is."""
    for element in group.iter():
        shift = re.search(r"translate\(\S+ ([-\d.]+)\)", element.get("transform", ""))
        if shift:
            return float(shift[1])
        if "y" in element.attrib:
            return float(element.attrib["y"].split()[0])
    return float("inf")
