import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from initjax import init
from initjax.engine import draw_networks, measure_chains
from initjax.models import MLP, NnxMLP

SETTINGS = {"width": 24, "depth": 6, "activation": "tanh", "bias_init": init.normal(0.1)}


@pytest.fixture(scope="module")
def linen():
    model = MLP(**SETTINGS, kernel_init=init.kaiming_normal())
    x = jax.random.normal(jax.random.key(1), (5, 9))
    return model, model.init(jax.random.key(0), x), x


def _layers(params):
    """(W, b) of every layer, the scanned ones unstacked."""
    p = params["params"]
    hidden = p["hidden"]["dense"]
    stacked = zip(hidden["kernel"], hidden["bias"], strict=True)
    first, last = p["first"]["dense"], p["readout"]
    return [
        (first["kernel"], first["bias"]),
        *stacked,
        (last["kernel"], last["bias"]),
    ]


def test_scanned_equals_written_out(linen):
    model, params, x = linen
    *hidden, (v, c) = _layers(params)
    assert len(hidden) == 6
    h = x
    for w, b in hidden:
        h = jnp.tanh(h @ w + b)
    np.testing.assert_allclose(model.apply(params, x), h @ v + c, rtol=1e-5, atol=1e-6)


def test_every_scanned_layer_is_drawn_by_itself(linen):
    """Fan of one layer, not of the stack; no two layers alike."""
    _, params, _ = linen
    stack = np.asarray(params["params"]["hidden"]["dense"]["kernel"])
    assert stack.shape == (5, 24, 24)
    assert len({layer.tobytes() for layer in stack}) == 5
    z = (np.mean(stack**2) * 24 / 2 - 1) / np.sqrt(2 / stack.size)
    assert abs(z) < 6


def test_nnx_twin_has_the_same_values_and_gradients(linen):
    model, params, x = linen
    twin = NnxMLP(9, **SETTINGS, rngs=nnx.Rngs(0))
    p = params["params"]
    state = nnx.state(twin, nnx.Param)
    nnx.replace_by_pure_dict(
        state,
        {
            "first": p["first"]["dense"],
            "hidden": p["hidden"]["dense"],
            "readout": p["readout"],
        },
    )
    nnx.update(twin, state)
    np.testing.assert_allclose(twin(x), model.apply(params, x), rtol=1e-6)
    ours = nnx.to_pure_dict(nnx.grad(lambda m: jnp.sum(m(x) ** 2))(twin))
    theirs = jax.grad(lambda p: jnp.sum(model.apply(p, x) ** 2))(params)["params"]
    np.testing.assert_allclose(
        ours["hidden"]["kernel"], theirs["hidden"]["dense"]["kernel"], rtol=1e-4, atol=1e-6
    )


def test_nnx_twin_has_the_same_law():
    twin = NnxMLP(9, width=24, depth=6, kernel_init=init.kaiming_normal(), rngs=nnx.Rngs(3))
    stack = np.asarray(twin.hidden.kernel[...])
    assert stack.shape == (5, 24, 24)
    assert len({layer.tobytes() for layer in stack}) == 5
    assert abs((np.mean(stack**2) * 24 / 2 - 1) / np.sqrt(2 / stack.size)) < 6


def test_depth_one_has_no_scan():
    x = jnp.ones((2, 3))
    model = MLP(width=4, depth=1)
    params = model.init(jax.random.key(0), x)
    assert set(params["params"]) == {"first", "readout"}
    assert NnxMLP(3, width=4, depth=1, rngs=nnx.Rngs(0))(x).shape == (2, 10)


def test_images_are_flattened():
    x = jnp.ones((2, 4, 4, 1))
    model = MLP(width=8, depth=2, features=3)
    assert model.apply(model.init(jax.random.key(0), x), x).shape == (2, 3)


def test_bad_depth():
    with pytest.raises(ValueError, match="depth=0"):
        MLP(width=4, depth=0).init(jax.random.key(0), jnp.ones((1, 2)))
    with pytest.raises(ValueError, match="depth=0"):
        NnxMLP(2, width=4, depth=0, rngs=nnx.Rngs(0))


def test_engine_measures_what_the_model_computes():
    """The engine's gradient norms are those of jax.grad on the linen model."""
    width, depth, key = 20, 4, jax.random.key(5)
    x = jax.random.normal(jax.random.key(6), (1, 7, 11))
    labels = jax.random.randint(jax.random.key(7), (1, 7), 0, 10)
    scheme = init.kaiming_normal()
    draws = draw_networks(
        ("normal",), key[None], depth=depth, width=width, fan_ins=(11,), classes=10
    )
    seen = measure_chains([scheme], "relu", draws, x, labels, depths=[depth])
    scaled = {
        "first": draws.first[11]["normal"][0, 0] * np.sqrt(2 / 11),
        "hidden": draws.hidden["normal"][0] * np.sqrt(2 / width),
        "readout": draws.readout["normal"][0, 0] * np.sqrt(2 / width),
    }
    model = MLP(width=width, depth=depth, use_bias=False)
    params = {
        "params": {
            "first": {"dense": {"kernel": scaled["first"]}},
            "hidden": {"dense": {"kernel": scaled["hidden"]}},
            "readout": {"kernel": scaled["readout"]},
        }
    }

    def loss(params):
        logits = jax.nn.log_softmax(model.apply(params, x[0]))
        return -jnp.mean(logits[jnp.arange(7), labels[0]])

    grads = jax.grad(loss)(params)["params"]
    kernels = [grads["first"]["dense"]["kernel"], *grads["hidden"]["dense"]["kernel"]]
    norms = [float(jnp.linalg.norm(kernel)) for kernel in kernels]
    ours = 10 ** seen.backward.weight_grad_log10_norm[0, 0, :, 0].astype(float)
    np.testing.assert_allclose(ours, norms, rtol=1e-4)


def test_partitioned_initializers():
    import flax.linen as nn

    x = jnp.ones((2, 3))
    spread = nn.with_partitioning(init.he_normal(), ("in", "out"))
    boxed = MLP(width=4, depth=3, kernel_init=spread).init(jax.random.key(0), x)
    kernel = boxed["params"]["hidden"]["dense"]["kernel"]
    assert kernel.names == (None, "in", "out")
    assert kernel.value.shape == (2, 4, 4)
