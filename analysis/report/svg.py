"""Matplotlib's SVG made small enough to stand in a page beside sixty others.

Coordinates are rounded to 1/100 of a point and made relative, groups and identifiers
that nothing refers to are dropped, and those that stay are given a prefix, since
identifiers are shared by all drawings of a page.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

_SPACE = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_DRAWN = {
    *("svg", "g", "defs", "clipPath", "rect", "path", "use", "text", "tspan", "image"),
    *("pattern",),
}
_KEPT = {
    *("id", "d", "x", "y", "width", "height", "style", "transform", "clip-path", "href"),
    *("patternUnits", "preserveAspectRatio", "fill", "stroke", "opacity"),
}
_NUMBER = re.compile(r"-?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?")
_LINK = re.compile(r"url\(#([^)]+)\)")
_WORDS = {"text", "tspan"}


@dataclass(frozen=True)
class Drawing:
    """A figure for a page.

    Attributes:
        body: Elements of the SVG, as text.
        box: Left, top, width and height of what is shown, in points.
    """

    body: str
    box: tuple[float, float, float, float]


def tag(element: ET.Element) -> str:
    """Name of an element without its namespace."""
    return str(element.tag).removeprefix(_SPACE)


def words(element: ET.Element) -> str:
    """All text of an element, as one line."""
    return " ".join("".join(element.itertext()).split())


def parse(content: bytes) -> ET.Element:
    """The root of a figure that Matplotlib has drawn.

    Raises:
        ValueError: if it is no such figure.
    """
    root = ET.fromstring(content)
    if tag(root) != "svg" or root.find(f"{_SPACE}g[@id='figure_1']") is None:
        raise ValueError("not an SVG figure of Matplotlib")
    return root


def shrink(root: ET.Element, prefix: str, title: Sequence[str] = ()) -> Drawing:
    """The figure as a page needs it; ``root`` is consumed.

    Args:
        root: From ``parse``.
        prefix: Begins every identifier in the drawing.
        title: Lines above the figure that the page prints itself: cut off.

    Raises:
        ValueError: for an element that is no drawing, such as a script.
    """
    left, top, width, height = (float(x) for x in root.attrib["viewBox"].split())
    cut = _cut_title(root, " ".join(title)) if title else 0.0
    for child in list(root):
        if tag(child).endswith("metadata"):
            root.remove(child)
        for style in child.findall(f"{_SPACE}style"):
            child.remove(style)
    linked = [link for element in root.iter() for link in _links(element)]
    names = {old: f"{prefix}{n}" for n, old in enumerate(dict.fromkeys(linked))}
    for element in root.iter():
        _clean(element, names)
    body = "".join(_write(child) for child in root)
    return Drawing(body, (left, top + cut, width, height - cut))


def _cut_title(root: ET.Element, title: str) -> float:
    """Remove the title; by how many points the figure is lower without it."""
    figure = root.find(f"{_SPACE}g[@id='figure_1']")
    assert figure is not None
    for group in figure:
        found = group.get("id", "").startswith("text_")
        if found and words(group).replace(" ", "") == title.replace(" ", ""):
            figure.remove(group)
            return max(_baselines(group), default=-3.0) + 3.0
    return 0.0


def _baselines(group: ET.Element) -> Iterator[float]:
    for element in group.iter():
        shift = re.search(r"translate\(\S+ ([-\d.]+)\)", element.get("transform", ""))
        if shift:
            yield float(shift[1])
        elif tag(element) in _WORDS and "y" in element.attrib:
            yield float(element.attrib["y"].split()[0])


def _links(element: ET.Element) -> Iterator[str]:
    target = element.get(_HREF, "")
    if target.startswith("#"):
        yield target[1:]
    for value in element.attrib.values():
        yield from _LINK.findall(value)


def _clean(element: ET.Element, names: dict[str, str]) -> None:
    """Keep of the attributes what shows, as short as it can be."""
    name = tag(element)
    if name not in _DRAWN:
        raise ValueError(f"a figure has the element {name!r}, which draws nothing")
    kept = {}
    for key, value in element.attrib.items():
        key = "href" if key == _HREF else key
        if key in _KEPT:
            kept[key] = _LINK.sub(lambda m: f"url(#{names[m[1]]})", value)
    if kept.get("id") in names:
        kept["id"] = names[kept["id"]]
    else:
        kept.pop("id", None)
    target = kept.get("href", "#")
    if target.startswith("#") and "href" in kept:
        kept["href"] = f"#{names[target[1:]]}"
    elif not target.startswith(("#", "data:image/png;base64,")):
        raise ValueError(f"a figure refers to {target[:40]!r}")
    if "d" in kept:
        kept["d"] = path(kept["d"])
    for key in {"x", "y", "width", "height"} & set(kept):
        kept[key] = _NUMBER.sub(lambda m: _short(round(float(m[0]), 2)), kept[key])
    if kept.get("transform", "").startswith("rotate(-0 "):
        del kept["transform"]
    if "transform" in kept:
        moved = _NUMBER.sub(lambda m: _short(round(float(m[0]), 4)), kept["transform"])
        kept["transform"] = moved
    if "style" in kept:
        kept["style"] = re.sub(r"([:;]) +", r"\1", kept["style"]).rstrip("; ")
    element.attrib.clear()
    element.attrib.update(kept)


def path(d: str) -> str:
    """A path of M, L, C, Q and z in relative coordinates of two decimals.

    Example:
        >>> path("M 10 20 L 10 25.126 L 13 25.126 z")
        'm10 20v5.13h3z'
    """
    done, at, start, last = "", (0, 0), (0, 0), ""
    for command, rest in re.findall(r"([MLCQzZ])([^MLCQzZ]*)", d):
        points = [round(100 * float(x)) for x in _NUMBER.findall(rest)]
        pairs = list(zip(points[::2], points[1::2], strict=True))
        if command in "zZ":
            done, at, last = f"{done}z", start, "z"
            continue
        steps = [(x - at[0], y - at[1]) for x, y in pairs]
        letter, values = command.lower(), [x for step in steps for x in step]
        if command == "L":
            (across, down) = steps[0]
            if down == 0:
                letter, values = "h", [across]
            elif across == 0:
                letter, values = "v", [down]
        at = pairs[-1]
        start = at if command == "M" else start
        done += _joined("" if letter == last else letter, [_short(v / 100) for v in values])
        last = letter
    return done


def _joined(letter: str, numbers: Sequence[str]) -> str:
    """Numbers behind a letter, apart where they would run into one another."""
    text = letter
    for n, number in enumerate(numbers):
        gap = "" if number.startswith("-") or (n == 0 and letter) else " "
        text += gap + number
    return text


def _short(value: float) -> str:
    text = f"{value:.4f}".rstrip("0").rstrip(".")
    text = "0" if text in ("-0", "") else text
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def _write(element: ET.Element) -> str:
    """An element and what is in it; groups that say nothing are left out."""
    name = tag(element)
    verbatim = name in _WORDS
    inner = escape(element.text or "") if verbatim else ""
    for child in element:
        inner += _write(child) + (escape(child.tail or "") if verbatim else "")
    if name == "g" and not element.attrib:
        return inner
    if name in ("g", "defs", *_WORDS) and not inner.strip():
        return ""
    start = name + "".join(f' {k}="{escape(v)}"' for k, v in element.attrib.items())
    return f"<{start}>{inner}</{name}>" if inner else f"<{start}/>"


def escape(text: str) -> str:
    """Text for an element or an attribute in double quotes.

    Example:
        >>> escape('a < "b"')
        'a &lt; &quot;b&quot;'
    """
    for character, name in (("&", "amp"), ("<", "lt"), (">", "gt"), ('"', "quot")):
        text = text.replace(character, f"&{name};")
    return text
