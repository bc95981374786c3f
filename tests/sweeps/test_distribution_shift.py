"""Shifts are what their names say, and models are what a plain loop makes of them."""

import numpy as np
import pytest

from sweeps.data.mnist import mnist_split
from sweeps.distribution_shift import (
    PRESETS,
    SCHEMA,
    Config,
    cells,
    cost,
    measure,
    program,
)
from sweeps.shift import concept, covariate, images, label
from sweeps.shift.softmax import Linear, Rule, examples, fit, follow, scores

TINY = Config(
    changes=("inverted", "thickened"),
    gaps=(0.8, 1.0),
    images=60,
    tilts=(0.0, 3.0),
    label_images=80,
    drifts=(0.03,),
    steps=15,
    seeds=1,
)


def _rows(part, config=TINY):
    some = [cell for cell in cells(config) if cell["part"] == part]
    return SCHEMA.conform(measure(some, config))


@pytest.fixture(scope="module")
def covariate_rows():
    return _rows("covariate")


def _problem(seed, count=12, features=5, classes=3):
    random = np.random.default_rng(seed)
    inputs = random.standard_normal((count, features))
    return examples(inputs, random.integers(0, classes, count), random.random(count))


def _gradient(kernel, bias, problem, l2):
    """Image by image, of the weighted cross entropy and the penalty."""
    to_kernel, to_bias = l2 * kernel, np.zeros_like(bias)
    for x, y, w in zip(*(np.asarray(a, np.float64) for a in problem), strict=True):
        z = x @ kernel + bias
        p = np.exp(z - z.max()) / np.exp(z - z.max()).sum()
        p[int(y)] -= 1
        to_kernel = to_kernel + w * np.outer(x, p) / len(problem.labels)
        to_bias = to_bias + w * p / len(problem.labels)
    return to_kernel, to_bias


def _by_adam(problem, rule):
    """Adam (Kingma & Ba 2015, algorithm 1) from 0, in float64."""
    now = [np.zeros((problem.inputs.shape[1], rule.classes)), np.zeros(rule.classes)]
    first, second = [0 * a for a in now], [0 * a for a in now]
    for step in range(1, rule.steps + 1):
        for i, g in enumerate(_gradient(*now, problem, rule.l2)):
            first[i] = 0.9 * first[i] + 0.1 * g
            second[i] = 0.999 * second[i] + 0.001 * g**2
        for i in range(2):
            size = np.sqrt(second[i] / (1 - 0.999**step)) + 1e-8
            now[i] = now[i] - rule.rate * first[i] / (1 - 0.9**step) / size
    return now


def test_regressions_are_those_of_a_plain_loop(compilations):
    rule = Rule(3, 25, 0.03, 0.01)
    problems = [_problem(seed) for seed in range(3)]
    with compilations() as count:
        found = fit(problems, rule)
    assert count.value == 1
    with compilations() as count:
        fit(problems[:2], rule)
    assert count.value == 0, "on a CPU a program is of one problem"
    for i, problem in enumerate(problems):
        kernel, bias = _by_adam(problem, rule)
        np.testing.assert_allclose(found.kernel[i], kernel, rtol=1e-3, atol=1e-5)
        np.testing.assert_allclose(found.bias[i], bias, rtol=1e-3, atol=1e-5)
    unweighted = examples(problems[0].inputs, problems[0].labels)
    other = _by_adam(unweighted, rule)[0]
    assert abs(found.kernel[0] - other).max() > 0.01, "the weights matter"


def test_a_regression_that_follows_is_that_of_a_plain_loop():
    rule = Rule(3, 4, 0.5, 0.01)
    batches = [_problem(seed) for seed in range(3)]
    start = Linear(np.ones((1, 5, 3), np.float32), np.zeros((1, 3), np.float32))
    found = follow(start, [batches], (1, 3), rule)
    assert found.kernel.shape == (1, 2, 5, 3)
    kernel, bias = np.ones((5, 3)), np.zeros(3)
    for n, batch in enumerate(batches):
        for _ in range(4):
            to_kernel, to_bias = _gradient(kernel, bias, batch, 0.01)
            kernel, bias = kernel - 0.5 * to_kernel, bias - 0.5 * to_bias
        if n != 1:
            np.testing.assert_allclose(
                found.kernel[0, n // 2], kernel, rtol=1e-4, atol=1e-5
            )
            np.testing.assert_allclose(found.bias[0, n // 2], bias, rtol=1e-4, atol=1e-5)


def test_digits_drawn_otherwise():
    some = mnist_split().train[0][:20]
    other = images.inverted(some)
    assert other.min() == pytest.approx(some.min(), abs=1e-5)
    np.testing.assert_allclose(images.inverted(other), some, atol=1e-5)
    assert np.corrcoef(some.ravel(), other.ravel())[0, 1] == pytest.approx(-1)
    point = np.zeros((1, 28, 28), np.float32)
    point[0, 10, 12] = point[0, 0, 0] = 1
    thick = images.thickened(point.reshape(1, -1)).reshape(28, 28)
    expected = np.zeros((28, 28))
    expected[7:14, 9:16] = expected[:4, :4] = 1
    np.testing.assert_array_equal(thick, expected)
    noise = images.noisy(some, 2.0, np.random.default_rng(0)) - some
    assert noise.std() == pytest.approx(2, abs=5 * 2 / np.sqrt(2 * noise.size))


def test_features_are_means_of_blocks():
    ramp = np.arange(784.0)[None]
    found = images.block_means(ramp, images.FINE).reshape(7, 7)
    assert found[2, 3] == ramp.reshape(28, 28)[8:12, 12:16].mean()


def test_true_weights_carry_the_source_into_the_target():
    """Mean 1, and the share of the changed images becomes the target's."""
    source, target = covariate.shares(0.8)
    for changed, share in ((True, source), (False, 1 - source)):
        assert covariate.true_weights(np.array([changed]), 0.8) * share == pytest.approx(
            target if changed else 1 - target
        )
    assert not covariate.true_weights(np.array([True, False]), 1.0).any()


def test_a_classifier_of_domains_finds_a_known_ratio():
    """Of N(-1/2, 1) and N(1/2, 1) the ratio is exp(x)."""
    x = np.linspace(-2, 2, 9)[:, None]
    judge = Linear(np.array([[-0.5, 0.5]]), np.zeros(2))
    np.testing.assert_allclose(covariate.ratio(judge, x), np.exp(x[:, 0]))
    assert covariate.ratio(judge, np.array([[99.0]])) == pytest.approx(covariate.LARGEST)


def test_rows_of_covariate_shift(covariate_rows):
    methods = covariate_rows.groupby(["change", "strength"])["method"].agg(set)
    for (_, gap), found in methods.items():
        true = {"true_weights"} if gap < 1 else set()
        assert found == {"source", "weighted", "flattened", "target"} | true, (
            "no overlap, no weights"
        )
    assert covariate_rows["accuracy"].between(0, 1).all()
    s, t = covariate.shares(0.8)
    rows = covariate_rows[covariate_rows["method"] == "true_weights"]
    expected = 1 / (t**2 / s + s**2 / t)
    assert (rows["effective_share"] / expected).between(0.4, 2.5).all()


def test_a_cell_is_the_same_whatever_else_is_measured(covariate_rows):
    (cell,) = [c for c in cells(TINY) if (c["change"], c["strength"]) == ("thickened", 0.8)]
    alone = SCHEMA.conform(measure([cell], TINY))
    same = covariate_rows.merge(alone[["change", "strength", "method"]])
    assert len(same) == 5
    for column in ("accuracy", "weight_error"):
        np.testing.assert_array_equal(same[column], alone[column])


def test_estimates_recover_the_weights_of_a_known_confusion():
    """With proportions that are exactly C w."""
    confusion = 0.7 * np.eye(10) + 0.03
    held = np.repeat(np.arange(10), 100)
    said = np.concatenate(
        [np.repeat(range(10), np.rint(100 * c).astype(int)) for c in confusion.T]
    )
    target = np.array([10, 1, 1, 1, 1, 1, 1, 1, 1, 2]) / 20
    counts = np.rint(2000 * confusion @ target).astype(int)
    found = label.estimate(said, held, np.repeat(np.arange(10), counts))
    np.testing.assert_allclose(found, 10 * target, atol=1e-9)
    ignored = np.bincount(np.repeat(np.arange(10), counts)) / counts.sum() * 10
    assert abs(ignored - 10 * target).max() > 0.5, "without the matrix it is not so"


def test_expected_errors_are_those_of_many_draws():
    """Of a made-up classifier; 400 draws know a root mean square to 5 %."""
    random = np.random.default_rng(0)
    rates, target = 0.7 * np.eye(10) + 0.03, label.tilted(2.0, np.arange(10))
    errors = []
    for _ in range(400):
        held, here = random.choice(10, 1000), random.choice(10, 1000, p=target)
        said = [
            np.where(random.random(1000) < 0.7, true, random.choice(10, 1000))
            for true in (held, here)
        ]
        found = label.estimate(said[0], held, said[1])
        errors.append(np.square(found - 10 * target).sum())
    expected = label.expected_error(rates, target, 1000)
    assert np.sqrt(np.mean(errors)) == pytest.approx(expected, rel=0.1)
    assert np.sqrt(np.mean(errors)) != pytest.approx(np.sqrt(2) * expected, rel=0.1)


def test_proportions_are_tilted():
    order = np.array([3, 1, 4, 0, 5, 9, 2, 6, 8, 7])
    found = label.tilted(4.0, order)
    assert found.sum() == pytest.approx(1)
    assert np.log(found[3] / found[7]) == pytest.approx(4)
    assert (np.diff(found[order]) < 0).all()


def test_sets_of_label_shift_share_no_image():
    cell = {"strength": 4.0, "seed": 0}
    parts = label._sets(cell, 600)
    assert len(np.unique(np.concatenate(parts))) == 1800
    shares = np.bincount(mnist_split().train[1][parts.target], minlength=10) / 600
    wanted = label.tilted(4.0, label._order(0))
    assert (abs(shares - wanted) < 5 * np.sqrt(wanted / 600)).all()


def test_rows_of_label_shift():
    rows = _rows("label")
    assert len(rows) == 2 * (4 + 3)
    estimates = rows[rows["method"] == "estimate"]
    assert estimates["images"].tolist() == 2 * [20, 40, 80]
    assert rows["accuracy"].isna().sum() == len(estimates)
    same = rows[rows["strength"] == 0].set_index("method")["accuracy"]
    assert same.drop("estimate").between(0.3, 1).all()


def test_digits_are_renamed_one_after_the_other():
    digits = np.arange(10)
    for phase in (0.0, 0.04, 0.3, 0.96, 1.3):
        moved = (concept.called(digits, phase, 0) - digits) % 10
        assert moved.sum() == np.floor(10 * phase + 0.5 + 1e-9)
        assert moved.max() - moved.min() <= 1
    orders = {tuple(concept.called(digits, 0.5, seed)) for seed in range(5)}
    assert len(orders) > 1


def test_rows_of_concept_shift():
    rows = _rows("concept")
    assert len(rows) == 5 * 4
    last = rows[rows["step"] == 30].set_index("method")["accuracy"]
    assert last["static"] < 0.2, "nine of ten digits have moved"
    assert last[["online", "window"]].min() > last["static"] + 0.2
    assert last["target"] > 0.5


def test_a_window_has_every_batch_as_it_was_called():
    batches = np.arange(500).reshape(5, 100)
    labels = concept._window(batches, 7, 0.03, 0).labels.reshape(5, 100)
    digits = mnist_split().train[1][batches]
    for age, t in enumerate((3, 4, 5, 6, 7)):
        np.testing.assert_array_equal(labels[age], concept.called(digits[age], 0.03 * t, 0))


def test_scores_of_a_stack_are_those_of_each():
    random = np.random.default_rng(1)
    stack = Linear(random.standard_normal((2, 4, 3)), random.standard_normal((2, 3)))
    inputs = random.standard_normal((5, 4))
    for i in range(2):
        one = scores(Linear(stack.kernel[i], stack.bias[i]), inputs)
        np.testing.assert_allclose(scores(stack, inputs)[i], one)


@pytest.mark.parametrize("part", ["covariate", "label", "concept"])
def test_a_part_compiles_what_its_cost_says(part, compilations):
    """Whatever the strengths; two seeds need no more than one."""
    new = {"images": 30, "label_images": 50, "steps": 3, "l2": 0.02, "seeds": 2}
    few = Config(**(vars(TINY) | new))
    some = [cell for cell in cells(few) if cell["part"] == part]
    with compilations() as count:
        measure(some, few)
    assert count.value == len(cost(some, few).programs)


def test_cells_are_the_grid():
    config = PRESETS["default"]
    found = cells(config)
    assert len(found) == 40 * (3 * 5 + 5 + 4)
    assert {program(cell) for cell in found} == {"covariate", "label", "concept"}
    priced = {
        part: cost([c for c in found if c["part"] == part], config)
        for part in ("covariate", "label", "concept")
    }
    assert priced["covariate"].rows == 40 * 3 * (4 * 5 + 4)
    assert priced["label"].rows == 40 * 5 * 7
    assert priced["concept"].rows == 40 * 4 * 5 * 4
    assert [len(p.programs) for p in priced.values()] == [2, 1, 2]
    one = [c for c in found if c["part"] == "covariate" and c["seed"] == 0]
    assert cost(one, config).memory == priced["covariate"].memory, "a seed at a time"


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"changes": ("rotated",)}, "--changes must be of inverted, thickened, noisy"),
        ({"gaps": (1.5,)}, "--gaps must be numbers from 0 to 1; got"),
        ({"tilts": ()}, "--tilts must be numbers from 0 to 4"),
        ({"drifts": (-0.1,)}, "--drifts must be numbers from 0 to 1"),
        ({"images": 2001}, "--images must be <= 2000; got 2001"),
        ({"noise": 0.0}, "--noise must be numbers > 0"),
    ],
)
def test_bad_settings(settings, words):
    with pytest.raises(ValueError, match=words):
        cells(Config(**settings))
