"""Draws, angles, lengths and spectra of random matrices against plain computations."""

import jax
import numpy as np
import pytest
from scipy import stats

from initjax.gains import gain
from sweeps.angles import laws, matrices, networks
from sweeps.angles.sizes import ANGLE_BINS, BLOCK, Size, size, value_bins
from sweeps.harness.grid import group
from sweeps.near_orthogonality import (
    ANGLE_BIN,
    KURTOSIS,
    LAWS,
    PRESETS,
    SCHEMA,
    Config,
    cells,
    cost,
    measure,
    unit,
)

SMOKE = PRESETS["smoke"]
TALL = Size(outputs=8, inputs=5, columns=5, matrices=6, decomposed=3)
KEYS = jax.vmap(jax.random.key)(np.arange(2))


def _compiled():
    jitted = (laws._entries, laws._orthogonal, matrices._seen)
    jitted += (networks._lengths, networks._powers)
    return sum(function._cache_size() for function in jitted)


@pytest.fixture(scope="module")
def run():
    """The table at the smoke preset, programs compiled for it, and those forecast."""
    before, programs, frames = _compiled(), set(), []
    calls = group(cells(SMOKE), unit)
    for call in calls:
        frames.append(SCHEMA.conform(measure(call, SMOKE)))
        priced = cost(call, SMOKE)
        programs |= priced.programs
        assert priced.rows == len(frames[-1])
    return frames, _compiled() - before, programs


def test_programs_are_those_that_are_forecast(run, compilations):
    """Laws of independent entries share their draws over all shapes; seeds add none."""
    _, compiled, programs = run
    assert compiled == len(programs) == 2 + 2 + 2 + 1 + 1
    some = [c for c in cells(Config(**{**vars(SMOKE), "seeds": 6})) if c["seed"] > 2]
    with compilations() as count:
        for call in group(some, unit):
            measure(call, SMOKE)
    assert count.value == 0, "as many seeds, but others"


def test_rows_do_not_depend_on_what_else_is_measured(run):
    """Seed 1 again, beside two others."""
    more = [
        c for c in cells(Config(**{**vars(SMOKE), "seeds": 9})) if c["seed"] in (1, 7, 8)
    ]
    frames = [SCHEMA.conform(measure(call, SMOKE)) for call in group(more, unit)]
    for before, after in zip(run[0], frames, strict=True):
        same = [rows[rows["seed"] == 1].reset_index(drop=True) for rows in (before, after)]
        numbers = same[0].select_dtypes("number").columns
        assert len(same[0]) > 0
        np.testing.assert_allclose(*(rows[numbers] for rows in same), rtol=2e-4, atol=1e-4)


def test_counts_are_those_of_pairs_and_of_singular_values(run):
    for frame in run[0]:
        if frame["part"].iloc[0] == "matrices":
            total = frame.groupby(["record", "seed"])["count"].sum().unstack(0)
            assert (total["angles"] == total["moments"]).all()
            assert (total["spectrum"] == total["extremes"]).all()


@pytest.mark.parametrize("law", KURTOSIS)
def test_entries_have_their_law(law):
    """Variance and kurtosis within six standard errors, and not of a gain 5 % off."""
    x = np.asarray(laws.entries(jax.random.key(3), law, (BLOCK,)), np.float64)
    for power, expected in ((1, 0), (2, 1), (4, KURTOSIS[law])):
        error = (x**power).std() / np.sqrt(len(x)) + 1e-6
        assert abs((x**power).mean() - expected) < 6 * error, power
        if power > 1:
            assert abs((1.05**power - 1) * expected) > 6 * error
    if law == "student_t":
        t = x[:200_000] / np.sqrt(1 - 2 / 9)
        assert stats.kstest(t, stats.t(9).cdf).pvalue > 1e-5
        assert stats.kstest(1.05 * t, stats.t(9).cdf).pvalue < 1e-5
    if law == "sparse":
        assert abs((x != 0).mean() - 0.1) < 6 * np.sqrt(0.09 / len(x))


def test_orthogonal_matrices_have_variance_one_over_m():
    wide = TALL._replace(outputs=5, inputs=8, columns=8)
    for of, scale in ((TALL, 1), (wide, 8 / 5)):
        w = laws.draw(KEYS, "orthogonal", of)
        assert w.shape == (2, 6, of.outputs, of.columns)
        values = np.linalg.svd(w, compute_uv=False)
        np.testing.assert_allclose(values**2, scale, rtol=1e-5)
        flat = w.reshape(12, -1)
        assert len(np.unique(flat[:, 0])) == 12, "each is another one"


def test_what_is_seen_is_what_a_plain_computation_finds():
    seen, values = matrices.look(KEYS, "sparse", TALL)
    halves = jax.vmap(jax.random.split)(KEYS)
    w = laws.draw(halves[:, 0], "sparse", TALL).astype(np.float64)
    errors = np.swapaxes(w, -1, -2) @ w - np.eye(5)
    on_it = errors[..., np.eye(5, dtype=bool)]
    np.testing.assert_allclose(seen.mean_square, (errors**2).mean((1, 2, 3)), rtol=1e-5)
    np.testing.assert_allclose(seen.diagonal, (on_it**2).mean((1, 2)), rtol=1e-5)
    off = errors[..., ~np.eye(5, dtype=bool)]
    np.testing.assert_allclose(seen.off_diagonal, (off**2).mean((1, 2)), rtol=1e-5)
    expected = np.linalg.svd(w[:, :3], compute_uv=False)
    np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-6)
    for seed in range(2):
        cosines, bins = [], np.zeros(ANGLE_BINS, int)
        for one in w[seed]:
            for first, second in ((0, 1), (2, 3)):
                x, y = one[:, first], one[:, second]
                if np.any(x) and np.any(y):
                    cosines.append(x @ y / np.linalg.norm(x) / np.linalg.norm(y))
                    theta = np.arccos(np.clip(cosines[-1], -1, 1)) - np.pi / 2
                    at = round(np.sqrt(5) * theta / ANGLE_BIN)
                    bins[np.clip(at + ANGLE_BINS // 2, 0, ANGLE_BINS - 1)] += 1
        assert seen.pairs[seed] == len(cosines) < 12, "some columns are 0"
        np.testing.assert_array_equal(seen.angles[seed], bins)
        mean = np.mean(np.square(cosines))
        np.testing.assert_allclose(seen.cosine_square[seed], mean, rtol=1e-5)


@pytest.mark.parametrize("shape", [(7, 4), (4, 7), (5, 5)])
def test_singular_values_of_any_shape_and_rank(shape):
    w = np.random.default_rng(0).standard_normal((2, *shape))
    w[1, :, 0] = w[1, :, 1]
    w[1, 0] = w[1, 1]
    found = matrices.singular_values(w.astype(np.float32))
    expected = np.linalg.svd(w.astype(np.float32).astype(float), compute_uv=False)
    np.testing.assert_allclose(found, expected, atol=1e-7)
    assert (found[1] == 0).sum() == (expected[1] < 1e-6).sum() > 0


def test_columns_that_are_drawn_of_a_wide_matrix_stand_for_all():
    """All n columns count, of which the block shows some."""
    few = TALL._replace(inputs=500)
    w = laws.draw(KEYS, "gaussian", few)
    seen = matrices._seen(KEYS, w, np.float32(500))
    mean = seen.diagonal / 500 + seen.off_diagonal * 499 / 500
    np.testing.assert_allclose(seen.mean_square, mean, rtol=1e-5)
    assert size(4096, 4096).columns == 256


def test_lengths_are_those_of_a_plain_network():
    told = networks.lengths(KEYS, "relu", ("none", "gain", "layer_norm"), width=16, depth=4)
    first, second = networks._halves(KEYS)
    kernels = laws.draw(first, "gaussian", Size(16, 16, 16, 4, 0)).astype(np.float64)
    from initjax import init

    x = np.asarray(init.normal(1.0)(second[1], (64, 16)), np.float64)
    x /= np.sqrt((x**2).mean(-1, keepdims=True))
    for at, factor in enumerate((1.0, gain("relu"), 1.0)):
        h = x
        for layer, kernel in enumerate(kernels[1]):
            h = factor * np.maximum(h @ kernel.T, 0)
            if at == 2:
                h = (h - h.mean(-1, keepdims=True)) / np.sqrt(h.var(-1) + 1e-6)[:, None]
            r = np.linalg.norm(h, axis=-1) / np.linalg.norm(x, axis=-1)
            expected = r.mean(), r.std(), ((r**2 - 1) ** 2).mean()
            np.testing.assert_allclose(told[1, at, layer], expected, rtol=1e-4, atol=1e-5)


def test_powers_are_those_of_a_plain_product():
    told = networks.powers(KEYS, "gaussian", width=16, depth=6)
    from initjax import init

    first, second = networks._halves(KEYS)
    kernels = laws.draw(first, "gaussian", Size(16, 16, 16, 48, 0)).astype(np.float64)
    x, y = np.asarray(init.normal(1.0)(second[1], (2, 8, 16)), np.float64)
    y -= x * (x * y).sum(-1, keepdims=True) / (x * x).sum(-1, keepdims=True)
    start = np.linalg.norm(x, axis=-1)
    for layer, kernel in enumerate(kernels[1].reshape(6, 8, 16, 16)):
        x, y = (np.einsum("kij,kj->ki", kernel, v) for v in (x, y))
        lengths = np.linalg.norm(x, axis=-1), np.linalg.norm(y, axis=-1)
        cosine = (x * y).sum(-1) / lengths[0] / lengths[1]
        expected = np.log(lengths[0] / start), np.log(1 - cosine**2) / 2
        np.testing.assert_allclose(told[1, :, layer].T, expected, atol=2e-5)


def test_cells_are_the_grid():
    found = cells(PRESETS["default"])
    by_part = {
        part: [c for c in found if c["part"] == part] for part in ("layers", "depth")
    }
    assert len(by_part["layers"]) == 6 * 3 * 20
    assert len(by_part["depth"]) == len(LAWS) * 20
    assert len(found) == (6 * 3 + len(LAWS) * (6 + 4 + 1)) * 20
    one = [c for c in found if (c["law"], c["outputs"]) == ("gaussian", 1024)][:20]
    assert 16e6 < cost(one, PRESETS["default"]).memory < 400e6
    assert value_bins(64, 256) * 0.05 > 3


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"laws": ("cauchy",)}, "--laws must be of gaussian, uniform"),
        ({"widths": (1,)}, "--widths must be >= 2; got 1"),
        ({"outputs": ()}, "--outputs needs at least one value"),
        ({"layers": 0}, "--layers must be >= 1; got 0"),
        ({"seeds": 0}, "--seeds must be >= 1; got 0"),
        ({"activations": ("nonsense",)}, "unknown"),
    ],
)
def test_bad_settings(settings, words):
    with pytest.raises(ValueError, match=words):
        cells(Config(**settings))
