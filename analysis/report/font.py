"""The letters of the figures, so that a page looks alike where DejaVu is not installed."""

import base64
import io
from collections.abc import Iterable
from pathlib import Path

import matplotlib
from fontTools import subset
from fontTools.ttLib import TTFont

_PATH = Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"


def letters(texts: Iterable[str]) -> str:
    """DejaVu Sans with the characters of the texts alone, as a data URI.

    Drawn without hints or kerning, as Matplotlib's SVGs are.
    """
    options = subset.Options(flavor="woff", hinting=False, layout_features=[])
    options.drop_tables += ["FFTM"]  # which says when the font was made
    with TTFont(_PATH, recalcTimestamp=False) as font:
        cut = subset.Subsetter(options)
        cut.populate(text="".join(sorted(set().union(*map(set, texts)))))
        cut.subset(font)
        buffer = io.BytesIO()
        font.flavor = "woff"
        font.save(buffer)
    return "data:font/woff;base64," + base64.b64encode(buffer.getvalue()).decode()
