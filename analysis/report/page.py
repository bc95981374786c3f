"""The page and its Markdown, from the facts of every sweep."""

import base64
import gzip
import re
from collections.abc import Iterable, Mapping, Sequence
from html import unescape

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from analysis.report.facts import Missing, Shown, Sweep
from analysis.report.font import letters
from analysis.style import printable

_PLAIN = 16_000
"""Bytes of a CSV up to which it stands in the page as it is, and beyond compressed."""
_STYLE = re.compile(r' style="([^"]*)"')


def html(sweeps: Sequence[Sweep]) -> str:
    """The report as one page that asks for nothing else."""
    drawn = [f for sweep in sweeps for f in sweep.figures if isinstance(f, Shown)]
    styles = {
        style: f"s{n:x}"
        for n, style in enumerate(
            dict.fromkeys(s for f in drawn for s in _STYLE.findall(f.drawing.body))
        )
    }
    rules = "".join(f".{name}{{{unescape(style)}}}" for style, name in styles.items())
    shown = re.findall(r">([^<]+)<", "".join(f.drawing.body for f in drawn))
    return (
        _templates(autoescape=True)
        .get_template("index.html.j2")
        .render(
            sweeps=sweeps,
            numbers=_numbers(sweeps),
            rules=Markup(rules),
            font=letters(unescape(text) for text in shown),
            drawing=lambda figure: _drawing(figure, styles),
            download=_download,
        )
    )


def markdown(sweeps: Sequence[Sweep]) -> str:
    """The report for reading on a code host, beside the folders of results."""
    # Not HTML: what stands for something in Markdown is escaped by its own filter.
    templates = _templates(autoescape=False)
    text = templates.get_template("report.md.j2").render(
        sweeps=sweeps, numbers=_numbers(sweeps)
    )
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def marked(text: str) -> str:
    r"""Text for Markdown in which nothing stands for anything but itself.

    Example:
        >>> print(marked("a_b <i> | c*\n# d"))
        a\_b \<i\> \| c\* \# d
    """
    line = " ".join(printable(" ".join(str(text).split())).split())
    return re.sub(r"([\\`*_{}\[\]<>#|~$!&])", r"\\\1", line)


def _templates(*, autoescape: bool) -> Environment:
    environment = Environment(
        loader=PackageLoader("analysis.report", "."),
        autoescape=autoescape,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["seen"] = lambda text: printable(str(text))
    environment.filters["marked"] = marked
    environment.tests["missing"] = lambda figure: isinstance(figure, Missing)
    return environment


def _numbers(sweeps: Iterable[Sweep]) -> dict[tuple[str, str], int]:
    """Figures numbered through the whole report."""
    every = [(sweep.name, f.name) for sweep in sweeps for f in sweep.figures]
    return {key: n for n, key in enumerate(every, 1)}


def _drawing(figure: Shown, styles: Mapping[str, str]) -> Markup:
    """The SVG, which ``svg.shrink`` has made of known elements and escaped text."""
    body = _STYLE.sub(lambda m: f' class="{styles[m[1]]}"', figure.drawing.body)
    return Markup(body)


def _download(sweep: Sweep, figure: Shown) -> dict[str, str]:
    """Link, name and words of the CSV of a figure."""
    name, content, words = f"{sweep.name}-{figure.name}.csv", figure.csv, "CSV"
    kind = "text/csv;charset=utf-8"
    if len(content) > _PLAIN:
        name, content = f"{name}.gz", gzip.compress(content, 9, mtime=0)
        kind, words = "application/gzip", "CSV, gzip"
    link = f"data:{kind};base64,{base64.b64encode(content).decode()}"
    return {"link": link, "name": name, "words": f"{words}, {_kilobytes(len(content))}"}


def _kilobytes(size: int) -> str:
    return f"{size / 1000:.1f} kB" if size < 10_000 else f"{size / 1000:.0f} kB"
