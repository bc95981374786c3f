"""Ratios, shares and growth of a table whose answers are known."""

import itertools

import numpy as np
import pandas as pd
import pytest
from matplotlib.text import Text

from analysis import throughput
from analysis.bands import Absent
from analysis.figures import compose, draw
from analysis.races import networks_and_kernels, ratios, scaling, shares
from analysis.style import house_style
from analysis.throughput import summary


def _rows(task, contestant, seconds, gflop=np.nan, cold=1.0, again=1.0):
    return pd.DataFrame(
        {
            "task": task,
            "contestant": contestant,
            "round": range(len(seconds)),
            "warm_s": seconds,
            "cold_s": cold,
            "again_s": again,
            "peak_gb": 1.0,
            "device_peak_gb": np.nan,
            "gflop": gflop,
            "device": "cpu",
        }
    )


@pytest.fixture
def table():
    return pd.concat(
        [
            _rows("job", "initjax", [1.0, 2.0, 4.0], 100, cold=5.0, again=2.0),
            _rows("job", "torch_eager", [30.0, 40.0, 100.0], 100, cold=20.0, again=20.0),
            _rows("job", "matmul_jax", [1.0, 1.0, 1.0], 80),
            _rows("job", "matmul_torch", [1.0, 1.0, 9.0], 90),
            _rows("normal_4096", "initjax_sample", [1.0, 1.0, 1.0]),
            _rows("normal_4096", "jax_sample", [3.0, 2.0, 1.0]),
            *(
                _rows(f"seeds_{by}x", "initjax", [t])
                for by, t in ((1, 2), (10, 11), (100, 100))
            ),
        ],
        ignore_index=True,
    )


def test_ratios_are_of_paired_rounds(table):
    found = ratios(table).set_index("contestant")
    eager = found.loc["torch_eager"]
    assert (eager["ratio"], eager["low"], eager["high"]) == (25, 20, 30)
    assert (eager["cold"], eager["again"]) == (4, 10)
    assert found.loc["jax_sample", "ratio"] == 2
    assert found.loc["jax_sample", "label"] == "normal, 4096²: JAX"
    assert list(found.index) == ["torch_eager", "jax_sample"], "no ceiling competes"


def test_the_ceiling_is_the_better_one(table):
    found = shares(table).set_index("contestant")
    assert found["ceiling"].unique() == [90]
    # Rates of 100, 50 and 25 over ceilings of 90, 90 and 80.
    assert found.loc["initjax", "share"] == pytest.approx(50 / 90)
    assert "matmul_jax" not in found.index


def test_growth_is_relative_to_the_largest(table):
    found = scaling(table)
    assert found["relative"].tolist() == pytest.approx([2, 1.1, 1])
    both = _rows("seeds_1x", "initjax", [1, 2, 6]), _rows("seeds_2x", "initjax", [4, 2, 6])
    found = scaling(pd.concat(both))
    assert found["relative"].tolist() == [1, 1]
    assert found["low"].tolist() == [0.5, 0.5]
    assert found["high"].tolist() == [3, 1.5]


@pytest.mark.parametrize("figure", throughput.FIGURES, ids=lambda f: f.name)
def test_no_title_or_name_leaves_the_figure(table, figure):
    wide = _rows("wide", "torch_ghost", [1.0, 1.0, 1.0], 100)
    ours = _rows("wide", "initjax", [1.0, 1.0, 1.0], 100)
    with house_style():
        rows = figure.data(pd.concat([table, wide, ours], ignore_index=True))
        canvas = compose(figure, rows)
        canvas.draw_without_rendering()
        for ax in canvas.axes:
            for text in [t for t in ax.findobj(Text) if t.get_text()]:
                box = text.get_window_extent()
                assert box.x0 >= 0, text
                assert box.x1 <= canvas.bbox.x1, text


def test_ratios_are_points_with_the_range_of_rounds(table):
    """A bar would start at a zero that its axis does not have."""
    rows = networks_and_kernels(table)
    ax = throughput.plot_ratios(rows[rows["panel"] == "networks"])
    assert not ax.patches
    (points,) = [bars for bars in ax.containers if len(bars.lines[0].get_xdata())]
    assert points.lines[0].get_xdata().tolist() == [25]
    assert points.lines[2][0].get_segments()[0][:, 0].tolist() == [20, 30]


def test_names_of_contestants_do_not_cover_each_other(table):
    figure = throughput.FIGURES[0]
    names = [f"truncated_normal_{size}" for size in ("100x256", "4096")]
    parts = [table]
    for name in names:
        parts += [_rows(name, f"{who}_sample", [1.0] * 3) for who in ("initjax", "jax")]
    with house_style():
        canvas = compose(figure, figure.data(pd.concat(parts)))
        canvas.draw_without_rendering()
        for ax in canvas.axes:
            boxes = [tick.get_window_extent() for tick in ax.get_yticklabels()]
            for one, two in itertools.pairwise(sorted(boxes, key=lambda box: box.y0)):
                assert not one.overlaps(two)


@pytest.mark.parametrize("rows", [ratios, shares, scaling])
def test_what_is_absent(rows):
    with pytest.raises(Absent):
        rows(_rows("other", "initjax", [1.0]))


def test_figures_and_summary(table, tmp_path):
    assert len(draw(throughput, table, tmp_path)) == 9
    assert summary(table).renderables[0].row_count == 14
