"""Figures of deep LeNets, by the data of their artists, on a table made up."""

import io

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import QuadMesh
from rich.console import Console

from analysis import (
    lenet_answers,
    lenet_depth,
    lenet_maps,
    lenet_signals,
    lenet_theory,
    lenet_trained,
)
from analysis.bands import Absent
from analysis.figures import compose, draw
from sweeps.lenet_depth import SCHEMA, TRAINED

NAN = float("nan")
SEEDS = 3
WILD = "uniform(-0.5, 0.5)"
_EMPTY = {
    **{"data": "mnist", "optimizer": "-", "rate": 0.0, "epsilon": 0.0},
    **{"transform": "none", "threshold": 0.0, "steps": 0, "step": 0, "layer": 0},
    **{"act_lost": 0, "delta_lost": 0, "diverged": -1},
    **dict.fromkeys(("act", "delta", "weight_grad", "weight", "first_grad"), NAN),
    **dict.fromkeys(("act_slope", "delta_slope", "grad_slope", "loss"), NAN),
    **dict.fromkeys(("test_loss", "accuracy", "best_accuracy"), NAN),
}
_NAMES = ("part", "study", "activation", "cure", "scheme", "modules")


def _row(*network, seed=0, **more):
    return _EMPTY | dict(zip(_NAMES, network, strict=True)) | {"seed": seed} | more


def _trains(study, activation, cure, depths, upto, scheme="torch", **more):
    """Networks that train up to some depth, one of three seeds always fails."""
    way = {"optimizer": "adam", "rate": 1e-3, "epsilon": 1e-8, "steps": 250} | more
    return [
        _row("train", study, activation, cure, scheme, depth, seed=seed)
        | {"best_accuracy": 0.9 if depth <= upto and seed else 0.1, "accuracy": 0.1}
        | {"first_grad": -1.0 - depth, "step": 250}
        | way
        for depth in depths
        for seed in range(SEEDS)
    ]


def _table():
    rows = [
        *_trains("map", "sigmoid", "plain", (0, 2, 8), 2),
        *_trains("map", "relu", "plain", (0, 2, 8), 8),
        *_trains("map", "relu", "shortcut", (0, 2), 2),
        *_trains("epsilon", "sigmoid", "plain", (6, 7), 6, epsilon=1e-16),
        *_trains("rates", "relu", "plain", (2, 8), 2, rate=3e-3),
    ]
    sgd = {"optimizer": "sgd", "rate": 0.05, "epsilon": 0.0}
    clip = sgd | {"transform": "clip_by_norm", "threshold": 1.0}
    floor = sgd | {"transform": "floor", "threshold": 1e-4}
    for scheme, upto, then in ((WILD, 2, 8), ("torch", 2, 2)):
        rows += _trains("clipping", "relu", "plain", (2, 8), upto, scheme, **sgd)
        rows += _trains("clipping", "relu", "plain", (2, 8), then, scheme, **clip)
    rows += _trains("floor", "relu", "plain", (2, 8), -1, **floor)
    for kind, slope in (
        (("sigmoid", "plain", "torch"), -0.9),
        (("relu", "plain", "torch"), -0.45),
        (("relu", "shortcut", "torch"), 0.0),
        (("relu", "plain", WILD), 0.55),
    ):
        for depth in (0, 2, 1000):
            for seed in range(20):
                rows.append(_started(kind, depth, slope + 0.001 * (seed - 9.5), seed))
        rows += [_layer("profile", kind, layer, slope, 0) for layer in range(1, 10)]
    way = {"optimizer": "adam", "rate": 1e-3, "epsilon": 1e-8, "steps": 20}
    kind = ("relu", "shortcut", "torch")
    rows += [
        _layer("layers", kind, layer, 0.0, step) | way
        for layer in range(1, 10)
        for step in (0, 10, 20)
    ]
    return SCHEMA.conform(pd.DataFrame(rows))


def _started(kind, depth, slope, seed):
    first = -1 + slope * 2 * depth
    lost = 3 if abs(first) > 45 else 0
    slopes = {f"{k}_slope": slope if depth else NAN for k in ("act", "delta", "grad")}
    first = first if abs(first) < 45 else -np.inf if first < 0 else NAN
    return _row("start", "ladder", *kind, depth, seed=seed) | {
        **{"first_grad": first, "act_lost": lost, "delta_lost": lost},
        **slopes,
    }


def _layer(study, kind, layer, slope, step):
    """Layer 4 leaves float32; after training layer 5 has no gradient."""
    norm = -5.0 if step == 20 and layer == 5 else -1.0
    act = np.inf if study == "profile" and layer == 4 else slope * layer
    return _row("layers", study, *kind, 2, step=step, layer=layer) | {
        **{"act": act, "delta": slope, "weight_grad": norm, "weight": 0.3},
    }


@pytest.fixture(scope="module")
def table():
    return _table()


def _lines(ax):
    return {line.get_label(): line for line in ax.get_lines()}


def _meshes(ax):
    return [mesh for mesh in ax.collections if isinstance(mesh, QuadMesh)]


def test_map_shows_accuracy_beside_first_gradients(table):
    before = table.copy()
    rows = lenet_trained.depth_map(table, TRAINED)
    pd.testing.assert_frame_equal(table, before)
    ax = plt.figure().add_subplot()
    assert lenet_depth.plot_map(rows, ax=ax) is ax
    words = [text.get_text() for text in ax.get_yticklabels()]
    assert words == ["relu, plain", "relu, shortcut", "sigmoid, plain"]
    right, gradient = (np.ma.filled(mesh.get_array(), NAN) for mesh in _meshes(ax))
    # Of depths 0, 2, 8 and 1000; the last one is measured before training only.
    expected = [[0.9, 0.9, 0.9, NAN], [0.9, 0.9, NAN, NAN], [0.9, 0.9, 0.1, NAN]]
    np.testing.assert_allclose(right, expected, atol=1e-6)
    np.testing.assert_allclose(gradient[:, 1], [-2.802, -1.002, -4.602], atol=2e-3)
    np.testing.assert_allclose(gradient[:, 2], [-9, NAN, -9], atol=2e-3)
    assert gradient[1, 3] == pytest.approx(-2, abs=1e-3)
    assert (gradient[[0, 2], 3] < -20).all(), "0 has the last color"
    ticks = [text.get_text() for text in ax.get_xticklabels()]
    assert ticks == ["0", "2", "8", "1,000"] * 2


def test_cells_that_are_not_measured_are_hatched_and_have_no_number(table):
    rows = lenet_trained.depth_map(table, TRAINED)
    ax = lenet_depth.plot_map(rows)
    empty = {patch.get_xy() for patch in ax.patches if patch.get_hatch()}
    # Accuracy at 1000, and of shortcuts at 8; first gradients at 8 are those in training.
    assert {(3, 0), (3, 1), (3, 2), (2, 1)} <= empty
    filled = 8 + 11
    assert len(ax.texts) == filled
    assert len(empty) == 2 * 12 - filled
    shown = [text.get_text() for text in ax.texts]
    assert shown.count("-∞") == 2, "of plain ones at 1,000"
    assert shown.count("0.90") == 7
    assert shown.count("0.10") == 1


def test_scales_of_the_map_name_chance(table):
    ax = lenet_depth.plot_map(lenet_trained.depth_map(table, TRAINED))
    bars = ax.child_axes
    assert [bar.get_xlabel() for bar in bars] == [
        "test accuracy after training",
        "log10 of |∂L/∂W| of layer 1 before training",
    ]
    marks = {
        t.get_text(): x
        for t, x in zip(bars[0].get_xticklabels(), bars[0].get_xticks(), strict=True)
    }
    assert marks["chance 0.1"] == pytest.approx(lenet_maps.CHANCE)
    assert bars[0].get_xlim() == (0, 1)


def test_rare_depths_are_left_out_of_the_map(table):
    more = [*_trains("plain", "sigmoid", "plain", (3,), 2)]
    wider = pd.concat([table, SCHEMA.conform(pd.DataFrame(more))])
    rows = lenet_trained.depth_map(wider, TRAINED)
    assert 3 not in set(rows["modules"]), "one kind of three"


def test_frontiers_are_those_of_the_median_network(table):
    found = lenet_trained.limits(lenet_trained.accuracies(table, TRAINED))
    plain = found[(found["cure"] == "plain") & (found["transform"] == "none")]
    adam = plain[plain["optimizer"] == "adam"].set_index(["activation", "rate", "epsilon"])
    keys = ["frontier", "fails", "deepest"]
    found = {
        tuple(np.round(np.log10(k[1:]), 1)) + k[:1]: v
        for k, v in zip(adam.index, adam[keys].to_numpy().tolist(), strict=True)
    }
    assert found == {
        (-3.0, -8.0, "sigmoid"): [2, 8, 8],
        (-3.0, -16.0, "sigmoid"): [6, 7, 7],
        (-3.0, -8.0, "relu"): [8, -1, 8],
        (-2.5, -8.0, "relu"): [2, 8, 8],
    }


def test_two_of_three_seeds_are_enough_and_one_is_not(table):
    train = table[(table["part"] == "train") & (table["study"] == "map")]
    two = lenet_trained.accuracies(train, TRAINED)
    np.testing.assert_allclose(two.loc[two["median"] > 0.5, "share"], 2 / 3)
    one = train.assign(best_accuracy=train["best_accuracy"].where(train["seed"] == 1, 0.1))
    ends = lenet_trained.limits(lenet_trained.accuracies(one, TRAINED))
    assert (ends["frontier"] == -1).all()


def test_the_level_itself_is_trained():
    rows = SCHEMA.conform(pd.DataFrame(_trains("map", "relu", "plain", (2,), 2)))
    rows["best_accuracy"] = np.float32(TRAINED)
    assert lenet_trained.accuracies(rows, TRAINED)["share"].tolist() == [1]
    rows["best_accuracy"] = np.float32(TRAINED - 1e-3)
    assert lenet_trained.accuracies(rows, TRAINED)["share"].tolist() == [0]


def test_frontier_is_a_line_through_the_map(table):
    rows = lenet_trained.frontiers(table, TRAINED)
    some = rows[rows["activation"] == "sigmoid"]
    ax = lenet_depth.plot_frontier(some)
    words = [text.get_text() for text in ax.get_yticklabels()]
    assert words == ["Adam 0.001, ε 1e-8", "Adam 0.001, ε 1e-16"]
    # Depths 0, 2, 6, 7, 8: the line is right of 2, then of 6.
    assert ax.get_lines()[0].get_xydata().tolist() == [[2, 0], [2, 1], [3, 1], [3, 2]]
    assert ax.get_title(loc="left") == "sigmoid"


def test_starts_show_medians_bands_theory_and_what_is_lost(table):
    rows = lenet_signals.starts(table)
    assert rows["panel"].nunique() == 4
    panel = rows[rows["statistic"] == "delta_slope"]
    ax = lenet_depth.plot_starts(panel)
    lines = _lines(ax)
    line = lines["relu, plain"]
    np.testing.assert_allclose(
        line.get_xydata(), [[2, -0.4505], [1000, -0.4505]], atol=1e-3
    )
    at = panel[(panel["activation"] == "relu") & (panel["cure"] == "shortcut")].iloc[0]
    assert (at["low"], at["high"]) == pytest.approx((-0.0095, 0.0085), abs=2e-4)
    dotted = [drawn for drawn in ax.get_lines() if drawn.get_linestyle() == ":"]
    law = lenet_theory.slopes("relu", "torch").delta
    assert any(np.allclose(d.get_ydata(), law) and len(d.get_xdata()) for d in dotted)
    white = [drawn for drawn in ax.get_lines() if drawn.get_markerfacecolor() == "w"]
    hollow = [tuple(drawn.get_xdata()) for drawn in white if len(drawn.get_xdata())]
    assert hollow == [(1000,)] * 3, "all but those with shortcuts"


def test_a_first_gradient_of_zero_or_infinity_ends_the_curve(table):
    rows = lenet_signals.starts(table)
    panel = rows[rows["panel"] == lenet_signals.FIRST]
    medians = panel[panel["modules"] == 1000].set_index(["activation", "cure", "scheme"])
    assert medians.loc[("relu", "plain", "torch"), "median"] == -np.inf
    assert medians.loc[("relu", "plain", WILD), "median"] == np.inf
    lines = _lines(lenet_depth.plot_starts(panel))
    assert lines["relu, plain"].get_xdata().tolist() == [0, 2]
    assert lines["relu, shortcut"].get_xdata().tolist() == [0, 2, 1000]


def test_profiles_mark_where_float32_is_left(table):
    rows = lenet_signals.profiles(table)
    assert set(rows["modules"]) == {2}
    ax = lenet_depth.plot_profiles(rows[rows["panel"] == "outputs, rms, N = 2"])
    line = _lines(ax)[f"relu, plain, {WILD}"]
    expected = 0.55 * np.arange(1.0, 10)
    expected[3] = NAN
    np.testing.assert_allclose(line.get_ydata(), expected, atol=1e-3)
    stars = [drawn for drawn in ax.get_lines() if drawn.get_marker() == "*"]
    ends = {tuple(star.get_xdata()) for star in stars if len(star.get_xdata())}
    assert ends == {(3, 5)}, "the layers around it"


def test_layers_before_and_after_training(table):
    rows = lenet_signals.in_training(table)
    assert rows["panel"].unique().tolist() == [
        "|W|: relu, shortcut",
        "|∂L/∂W|: relu, shortcut",
    ]
    ax = lenet_depth.plot_layers(rows[rows["panel"].str.startswith("|∂")])
    lines = _lines(ax)
    np.testing.assert_allclose(lines["step 0"].get_ydata(), -1, atol=1e-6)
    after = lines["step 20"].get_ydata()
    assert after[4] == -5
    np.testing.assert_allclose(np.delete(after, 4), -1)


def test_cures_stand_beside_gradients_as_they_are(table):
    rows = lenet_trained.transformed(table, TRAINED)
    assert set(rows["panel"]) == {f"relu, plain, {WILD}", "relu, plain, torch"}
    assert set(rows["optimizer"]) == {"sgd"}
    ax = lenet_depth.plot_transformed(rows[rows["scheme"] == WILD])
    lines = _lines(ax)
    np.testing.assert_allclose(
        lines["as they are"].get_xydata(), [[2, 0.9], [8, 0.1]], atol=1e-6
    )
    np.testing.assert_allclose(lines["clipped by norm 1"].get_ydata(), 0.9, atol=1e-6)
    assert lines["chance"].get_ydata()[0] == lenet_maps.CHANCE
    assert "floor 0.0001" not in lines


def test_what_is_not_there_is_not_drawn(table, tmp_path):
    only = table[table["part"] == "start"]
    assert {path.stem for path in draw(lenet_depth, only, tmp_path)} == {"start"}
    for data in (lenet_signals.profiles, lenet_signals.in_training):
        with pytest.raises(Absent):
            data(only)
    for data in (
        lenet_trained.depth_map,
        lenet_trained.frontiers,
        lenet_trained.transformed,
    ):
        with pytest.raises(Absent):
            data(only, TRAINED)
        with pytest.raises(Absent):
            data(SCHEMA.empty(), TRAINED)
    assert len(lenet_answers.answers(only, TRAINED)) == 1, "of what explodes"
    lenet_depth.summary(SCHEMA.empty())


def _said(table):
    return {answer.told: answer for answer in lenet_answers.answers(table, TRAINED)}


def test_every_claim_is_answered_from_the_table(table):
    said = _said(table)
    assert len(said) == 7, "no batch norm in this table"
    told = "sigmoid trains to 6 modules and not 7"
    assert said[told].verdict == "yes", "where 6 and 7 are measured"
    assert said[told].measured == "deepest that train: torch 6"
    told = "ReLU fails from about 10"
    assert said[told].verdict == "no"
    assert said["U(-0.5, 0.5) explodes"].verdict == "relu: yes"
    assert "+0.55" in said["U(-0.5, 0.5) explodes"].measured
    assert "float32 left from N = 1000" in said["U(-0.5, 0.5) explodes"].measured
    told = "clipping cures explosion, not vanishing"
    assert f"{WILD}: yes" in said[told].verdict
    assert "torch: no" in said[told].verdict
    told = "a floor under small gradients makes it untrainable"
    assert said[told].verdict == "torch: yes"
    assert said[told].measured.endswith(": torch 2 (0.90), floor 0.0001: none (0.10)")
    told = "with shortcuts 1,000 modules train"
    assert said[told].verdict == "relu, torch: as far as measured"
    assert "relu, torch 2+" in said[told].measured
    layers = next(answer for answer in said.values() if "none has weights" in answer.told)
    assert layers.verdict == "yes"
    assert layers.measured.startswith("1 of 9 gradients below 1e-3, the least 1.0e-05")


def test_answers_turn_with_the_table(table):
    """Weights near 0, gradients that are not, and a floor that harms nothing."""
    last = (table["part"] == "layers") & (table["steps"] > 0)
    for column, value in (("weight", -4.0), ("weight_grad", -1.0)):
        other = table.assign(**{column: table[column].where(~last, np.float32(value))})
        layers = [a for a in _said(other).values() if "none has weights" in a.told]
        assert [a.verdict for a in layers] == ["no"]
    floor = table["transform"] == "floor"
    best = table["best_accuracy"].where(~floor, np.float32(0.9))
    said = _said(table.assign(best_accuracy=best))
    assert said["a floor under small gradients makes it untrainable"].verdict == "torch: no"


def test_theory_is_that_of_zero_padded_convolutions():
    """Without padding's loss the slopes are those of dense layers; with it, counted."""
    from initjax.meanfield import chi, q_star

    critical = lenet_theory.slopes("relu", "delta_orthogonal")
    np.testing.assert_allclose(critical, 0, atol=1e-12)
    # The largest eigenvalue of the 7 x 7 band matrix, by powers, in both directions.
    band = np.array([[float(abs(i - j) <= 2) for i in range(7)] for j in range(7)])
    x = np.ones(7)
    for _ in range(100):
        x = band @ x / np.linalg.norm(x)
    share = (np.linalg.norm(band @ x) / np.linalg.norm(x) / 5) ** 2
    found = lenet_theory.slopes("relu", "kaiming_normal")
    assert found.act == pytest.approx(np.log10(share) / 2, abs=1e-9)
    assert found.delta == pytest.approx(found.act, abs=1e-9)
    assert found.grad == pytest.approx(0, abs=1e-9)
    wild = lenet_theory.slopes("relu", WILD)
    assert wild.act - found.act == pytest.approx(np.log10(400 / 12 / 2) / 2, abs=1e-9)
    # Sigmoid per pixel: the dense one at its fixed point.
    dense = lenet_theory.slopes("sigmoid", "delta_orthogonal")
    q = q_star("sigmoid", sigma_w=1.0, sigma_b=0.0)
    law = np.log10(float(chi("sigmoid", q=q, sigma_w=1.0))) / 2
    assert dense.delta == pytest.approx(law, abs=1e-6)
    assert lenet_theory.slopes("relu", "fixup") is None


def test_summary_tells_each_claim(table):
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(lenet_depth.summary(table))
    assert "ReLU fails from about 10" in console.export_text()


@pytest.mark.parametrize("figure", lenet_depth.FIGURES, ids=lambda figure: figure.name)
def test_titles_and_legends_fit_the_page_and_say_things_once(table, figure):
    canvas = compose(figure, figure.data(table))
    canvas.draw_without_rendering()
    for legend in canvas.legends:
        words = [text.get_text() for text in legend.get_texts()]
        assert len(words) == len(set(words))
    for part in (canvas._suptitle, *canvas.legends):
        box = part.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= canvas.bbox.width
