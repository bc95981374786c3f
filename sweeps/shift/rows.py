"""Rows of the table for the cells of one part, and what they cost."""

from collections.abc import Mapping, Sequence
from typing import Any

from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell, group
from sweeps.shift import concept, covariate, label
from sweeps.shift.images import COARSE, FINE, features
from sweeps.shift.settings import Settings

_PARTS = {"covariate": covariate.rows, "label": label.rows, "concept": concept.rows}
_FLOAT = 4  # bytes
_ABSENT: dict[str, Any] = {
    "step": 0,
    **dict.fromkeys(
        ("accuracy", "weight_error", "expected_error", "effective_share"), float("nan")
    ),
}


def rows(cells: Sequence[Cell], settings: Settings) -> Mapping[str, Any]:
    """Measure the cells, one seed after the other."""
    measure = _PARTS[cells[0]["part"]]
    found = [
        _ABSENT | row
        for same in group(cells, lambda cell: cell["seed"])
        for row in measure(same, settings)
    ]
    return {name: [row[name] for row in found] for name in found[0]}


def price(cells: Sequence[Cell], settings: Settings) -> Cost:
    """Cost of one call; of the seeds one is held at a time."""
    part = cells[0]["part"]
    seeds = len(group(cells, lambda cell: cell["seed"]))
    strengths = len(cells) // seeds
    if part == "covariate":
        problems = strengths * settings.images * (5 + 2 * 2) * features(COARSE)
        made = sum(5 if cell["strength"] < 1 else 4 for cell in cells)
        programs = [(part, "domains"), (part, "digits")]
    elif part == "label":
        problems = 2 * strengths * settings.label_images * features(FINE)
        made = len(cells) * (4 + len(label.sizes(settings.label_images)))
        programs = [(part, "digits")]
    else:
        times, kept = len(concept.TIMES), concept.WINDOW * concept.BATCH
        arriving = concept.TIMES[-1] * concept.BATCH
        problems = strengths * features(FINE) * (2 * times * kept + arriving)
        made = len(cells) * times * 4
        programs = [(part, "digits"), (part, "online")]
    # Problems are held as a list and as a stack; images of 784 pixels in some views.
    pixels = 5000 * 784 * (6 if part == "covariate" else 2)
    return Cost(frozenset(programs), _FLOAT * (2 * problems + pixels), made)
