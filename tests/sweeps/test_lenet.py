"""The deep LeNet against the same network layer by layer in NumPy, and how it starts."""

import itertools
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from initjax.recipes import fixup
from sweeps.lenet import signals, starts
from sweeps.lenet.blocks import Architecture
from sweeps.lenet.networks import HEAD, MODULE, STEM, capacity, logits
from sweeps.lenet.starts import initialize
from sweeps.training.networks import stack

IMAGES, STACK = 3, 4
ARCHITECTURES = [
    Architecture(*settings)
    for settings in itertools.product(("sigmoid", "relu"), (False, True), (False, True))
]
PHI = {
    "relu": lambda xp, z: xp.maximum(z, 0),
    "sigmoid": lambda xp, z: 1 / (1 + xp.exp(-z)),
}


def plain(xp, network, images, modules, architecture, probes=None):
    """Outputs, and what every layer hands on; probes are added to pre-activations."""
    handed = []
    probes = iter(probes or itertools.repeat(0.0))

    def conv(x, kernel):
        if xp is jnp:  # which compiles faster
            numbers = ("NHWC", "HWIO", "NHWC")
            return jax.lax.conv_general_dilated(
                x, kernel, (1, 1), "SAME", dimension_numbers=numbers
            )
        padded = xp.pad(x, ((0, 0), (2, 2), (2, 2), (0, 0)))
        rows, columns = x.shape[1:3]
        return sum(
            padded[:, i : i + rows, j : j + columns] @ kernel[i, j]
            for i, j in itertools.product(range(5), range(5))
        )

    def pool(x):
        return sum(x[:, i::2, j::2] for i in range(2) for j in range(2)) / 4

    def pass_on(z):
        z = z + next(probes)
        handed.append(PHI[architecture.activation](xp, z))
        return handed[-1]

    h = images.reshape(-1, 28, 28, 1)
    for kernel, bias in network.stem:
        h = pool(pass_on(conv(h, kernel) + bias))
    for m in range(modules):
        x = h
        for index in range(2):
            z = conv(h, network.modules.kernel[m, index])
            if architecture.batch_norm:
                z = (z - z.mean((0, 1, 2))) / xp.sqrt(z.var((0, 1, 2)) + 1e-5)
                z = z * network.modules.scale[m, index]
            z = z + network.modules.bias[m, index]
            h = pass_on(z + x if architecture.shortcut and index else z)
    h = h.reshape(len(h), -1)
    for kernel, bias in network.head[:-1]:
        h = pass_on(h @ kernel + bias)
    handed.append(h @ network.head[-1].kernel + network.head[-1].bias + next(probes))
    return handed[-1], handed


def plain_loss(xp, outputs, labels):
    top = outputs.max(-1, keepdims=True)
    sums = xp.log(xp.exp(outputs - top).sum(-1)) + top[:, 0]
    return (sums - outputs[xp.arange(len(labels)), labels]).mean()


@pytest.fixture(scope="module")
def batch():
    random = np.random.default_rng(0)
    images = random.standard_normal((IMAGES, 784)).astype(np.float32)
    return images, np.array([3, 1, 7], np.int32)


def _network(architecture, modules, room=STACK):
    """Kaiming's kernels, and biases and scales that are not 0 and 1."""
    key = jax.random.key(1)
    network = initialize(key, "kaiming_normal", architecture, modules=modules, stack=room)

    def moved(a):
        if a.ndim >= 4 or a.shape in HEAD:
            return a
        noise = np.random.default_rng(a.shape[-1]).standard_normal(a.shape)
        return (a + 0.2 * noise).astype(np.float32)

    return jax.tree.map(moved, network)


@partial(jax.jit, static_argnames="architecture")
def _measured(network, images, labels, modules, *, architecture):
    """Outputs and gradient."""

    def loss(network):
        outputs = logits(network, images, modules, architecture)
        return signals.cross_entropy(outputs, labels), outputs

    gradient, outputs = jax.grad(loss, has_aux=True)(network)
    return outputs, gradient


# Of each two settings every pair is among those that are not slow.
@pytest.mark.parametrize(
    "architecture",
    [
        pytest.param(
            one, marks=[pytest.mark.slow] if odd else [], id="-".join(map(str, one))
        )
        for one in ARCHITECTURES
        for odd in [(one.activation == "relu") ^ one.shortcut ^ one.batch_norm]
    ],
)
def test_outputs_and_gradients_of_every_architecture(batch, architecture):
    """Each gradient along a random direction, against differences in float64.

    The weights of modules that are passed by are nan: nothing of them is read.
    """
    images, labels = batch
    random = np.random.default_rng(3)
    # A unit of ReLU may be on the other side of 0 in float32, one of some thousands.
    step, off = (1e-4, 1e-3) if architecture.activation == "sigmoid" else (1e-8, 0.02)
    for modules in (0, 1, 3):
        network = _network(architecture, modules)
        lost = jax.tree.map(np.copy, network.modules)
        for leaf in jax.tree.leaves(lost):
            leaf[modules:] = np.nan
        outputs, gradient = _measured(
            network._replace(modules=lost),
            images,
            labels,
            modules,
            architecture=architecture,
        )
        wide = jax.tree.map(np.float64, network)
        expected, _ = plain(np, wide, images, modules, architecture)
        np.testing.assert_allclose(outputs, expected, rtol=1e-4, atol=1e-5)
        leaves, shape = jax.tree.flatten(wide)
        for n, (slope, leaf) in enumerate(
            zip(jax.tree.leaves(gradient), leaves, strict=True)
        ):
            direction = random.standard_normal(leaf.shape)
            if leaf.shape[0] == STACK and leaf.ndim > 2:
                direction[modules:] = 0
                np.testing.assert_array_equal(slope[modules:], 0)
            sides = []
            for sign in (1, -1):
                moved = [*leaves[:n], leaf + sign * step * direction, *leaves[n + 1 :]]
                there = plain(np, shape.unflatten(moved), images, modules, architecture)
                sides.append(plain_loss(np, there[0], labels))
            found = (np.asarray(slope, np.float64) * direction).sum()
            size = np.sqrt((np.asarray(slope, np.float64) ** 2).sum())
            assert abs(found - (sides[0] - sides[1]) / (2 * step)) <= off * size + 1e-7
    assert _measured._cache_size() <= len(ARCHITECTURES), "one for all depths of a stack"


def test_what_an_architecture_has_makes_a_difference(batch):
    images, _ = batch
    found = []
    for architecture in ARCHITECTURES:
        wide = jax.tree.map(np.float64, _network(architecture, 3))
        found.append(plain(np, wide, images, 3, architecture)[0])
    for one, other in itertools.combinations(found, 2):
        assert abs(one - other).max() > 0.01


def test_signals(batch):
    """Against probes added to every pre-activation, whose gradients are kept."""
    images, labels = batch
    architecture = Architecture("relu", shortcut=True, batch_norm=True)
    network = _network(architecture, 2)
    handed = plain(np, network, images, 2, architecture)[1]
    probes = [jnp.zeros(h.shape) for h in handed]

    @jax.jit
    def slopes(network, probes):
        def loss(network, probes):
            outputs, _ = plain(jnp, network, images, 2, architecture, probes)
            return plain_loss(jnp, outputs, labels)

        return jax.grad(loss, argnums=(0, 1))(network, probes)

    gradient, back = jax.device_get(slopes(network, probes))
    # A second network, whose kernels' squares underflow.
    tiny = jax.tree.map(lambda a: a * np.float32(1e-25), network)
    found = signals.measure(
        stack([network, tiny]),
        np.array([2, 2]),
        *map(stack, ([images] * 2, [labels] * 2)),
        architecture,
    )
    there = np.asarray(signals.present(2, STACK))
    assert there.sum() == len(handed) == 9
    for part in found:
        assert part.shape == (2, 5 + 2 * STACK)
        assert np.isnan(part[:, ~there]).all()
        assert not np.isnan(part[:, there]).any()
    mine = [part[0, there] for part in found]
    rms = [
        [np.log10(np.sqrt((a.astype(float) ** 2).mean())) for a in p]
        for p in (handed, back)
    ]
    np.testing.assert_allclose(mine[0], rms[0], atol=1e-4)
    np.testing.assert_allclose(mine[1], rms[1], atol=1e-4)
    for tree, got in ((gradient, mine[2]), (network, mine[3])):
        kernels = [layer.kernel for layer in tree.stem]
        kernels += list(tree.modules.kernel[:2].reshape(4, *MODULE))
        kernels += [layer.kernel for layer in tree.head]
        norms = [np.log10(np.linalg.norm(k.astype(float).ravel())) for k in kernels]
        np.testing.assert_allclose(got, norms, atol=1e-4)
    np.testing.assert_allclose(found.weight[1, there], mine[3] - 25, atol=1e-4)


def test_a_stack_has_room():
    for modules in range(300):
        room = capacity(modules)
        assert room >= max(modules, 1)
        assert room < 2 * max(modules, 1)
        assert room & (room - 1) == 0


RESNET = Architecture("relu", shortcut=True)
VARIANCES = {
    "torch": lambda fan_in, _: 1 / (3 * fan_in),
    "xavier_uniform": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "kaiming_normal": lambda fan_in, _: 2 / fan_in,
    "uniform(-0.5, 0.5)": lambda *_: 1 / 12,
}


@pytest.mark.parametrize("scheme", VARIANCES)
def test_kernels_have_the_variance_of_their_law(scheme):
    """Mean squares within six standard errors, of which a normal law has the largest."""
    assert starts.canonical(scheme) == scheme
    network = initialize(jax.random.key(0), scheme, RESNET, modules=8)
    layers = (*network.stem, *network.head)
    kernels = [*(layer.kernel for layer in layers), network.modules.kernel]
    shapes = [*STEM, *HEAD, MODULE]
    for kernel, shape in zip(kernels, shapes, strict=True):
        assert kernel.shape[-len(shape) :] == shape
        window = np.prod(shape[:-2])
        variance = VARIANCES[scheme](shape[-2] * window, shape[-1] * window)
        ratio = (kernel.astype(float) ** 2).mean() / variance
        assert abs(ratio - 1) < 6 * np.sqrt(2 / kernel.size)
    assert 6 * np.sqrt(2 / network.modules.kernel.size) < 1.05**2 - 1, "5 % would be found"
    biases = [*(layer.bias for layer in layers), network.modules.bias]
    if scheme != "torch":
        assert not any(bias.any() for bias in biases)
        return
    for bias, shape in zip(biases, shapes, strict=True):
        bound = 1 / np.sqrt(np.prod(shape[:-1]))
        # The largest of n is below 0.4 of the bound with probability 0.4ⁿ < 0.5 %.
        assert 0.4 * bound < abs(bias).max() <= bound


@pytest.mark.parametrize(("activation", "gain"), [("relu", np.sqrt(2)), ("sigmoid", 1.0)])
def test_delta_orthogonal_is_an_isometry_of_every_pixel(activation, gain):
    def kernel(shape):
        laws = starts._laws("delta_orthogonal", activation, shape)
        drawn = np.asarray(laws.kernel_init(jax.random.key(0), shape))
        assert not laws.bias_init(jax.random.key(0), shape[-1:]).any()
        return drawn

    module, wider, dense = (kernel(shape) for shape in (MODULE, STEM[1], HEAD[2]))
    assert np.count_nonzero(module) == 16**2, "only the central tap"
    for matrix, size in ((module[2, 2], 16), (dense, 10)):
        square = matrix.T @ matrix
        np.testing.assert_allclose(square, gain**2 * np.eye(size), atol=1e-5)
    # From 6 channels to 16 units keep their mean square.
    square = wider[2, 2] @ wider[2, 2].T
    np.testing.assert_allclose(square, 16 / 6 * gain**2 * np.eye(6), atol=1e-5)


def test_fixup_is_the_recipe():
    key = jax.random.key(0)
    found = initialize(key, "fixup", RESNET, modules=3, stack=STACK)
    drawn = initialize(key, "kaiming_normal", RESNET, modules=3, stack=STACK)
    tree = {
        "first": drawn.modules.kernel[:, 0],
        "second": drawn.modules.kernel[:, 1],
        "readout": drawn.head[-1].kernel,
    }
    expected, _ = fixup(
        tree, branches=3, layers_per_branch=2, inner="first", last="second", head="readout"
    )
    np.testing.assert_allclose(found.modules.kernel[:, 0], expected["first"], rtol=1e-6)
    np.testing.assert_array_equal(found.modules.kernel[:, 1], expected["second"])
    np.testing.assert_array_equal(found.head[-1].kernel, expected["readout"])
    np.testing.assert_array_equal(found.stem[0].kernel, drawn.stem[0].kernel)


def test_networks_of_one_key_share_their_draws():
    shallow, deep = (
        initialize(jax.random.key(5), "torch", RESNET, modules=n) for n in (2, 5)
    )
    assert len(shallow.modules.kernel), len(deep.modules.kernel) == (2, 8)
    for part in ("stem", "head"):
        jax.tree.map(
            np.testing.assert_array_equal, *(getattr(n, part) for n in (shallow, deep))
        )
    np.testing.assert_array_equal(shallow.modules.kernel, deep.modules.kernel[:2])
    assert not deep.modules.kernel[5:].any()
    drawn = np.concatenate([leaf.ravel() for leaf in jax.tree.leaves(shallow)])
    assert len(np.unique(drawn)) > 0.99 * drawn.size, "no two layers are the same"
    normalized = initialize(
        jax.random.key(5), "torch", Architecture("relu", batch_norm=True), modules=2
    )
    np.testing.assert_array_equal(normalized.modules.kernel, shallow.modules.kernel)
    assert not normalized.modules.bias.any()
    assert (normalized.modules.scale == 1).all()


@pytest.mark.parametrize(
    ("scheme", "architecture", "sizes", "words"),
    [
        (
            "torch",
            RESNET,
            {"modules": 5, "stack": 4},
            "modules must be from 0 to the stack's 4",
        ),
        ("torch", RESNET, {"modules": -1}, "modules must be from 0"),
        (
            "fixup",
            Architecture("relu"),
            {"modules": 1},
            "fixup is for networks with shortcuts",
        ),
        ("fixup", Architecture("relu", True, True), {"modules": 1}, "without batch_norm"),
        ("nromal", RESNET, {"modules": 1}, "scheme"),
    ],
)
def test_starts_that_make_no_sense(scheme, architecture, sizes, words):
    with pytest.raises(ValueError, match=words):
        initialize(jax.random.key(0), starts.canonical(scheme), architecture, **sizes)
