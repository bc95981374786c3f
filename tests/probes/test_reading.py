"""Which sites a model has, whatever it is written in."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import nnx

from initjax.activations import ACTIVATIONS
from tests.probes.reading import kinds, named, read

IMAGES = np.zeros((4, 8, 8, 3), np.float32)
ROWS = np.zeros((4, 3), np.float32)
TOKENS = np.arange(12).reshape(2, 6)


class Function(nn.Module):
    """A module of a function of itself and its input."""

    call: object

    @nn.compact
    def __call__(self, x):
        return self.call(self, x)


@pytest.mark.parametrize("name", sorted(set(ACTIVATIONS) - {"identity"}))
def test_every_named_activation_is_known(name):
    sites, _ = read(Function(lambda _, x: ACTIVATIONS[name](nn.Dense(3)(x))), ROWS)
    assert [site.activation for site in sites] == [None, name]
    assert sites[1].path == f"Dense_0/{name}"
    assert sites[1].parents == (0,)


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("relu", lambda x: jnp.maximum(x, 0)),
        ("relu", lambda x: jnp.where(x > 0, x, 0)),
        ("relu", lambda x: x * (x > 0)),
        ("relu", lambda x: (x + abs(x)) / 2),
        ("gelu", lambda x: 0.5 * x * (1 + jax.scipy.special.erf(x / np.sqrt(2)))),
        ("silu", lambda x: x / (1 + jnp.exp(-x))),
        ("silu", lambda x: x * jax.nn.sigmoid(x)),
        ("softplus", lambda x: jnp.logaddexp(x, 0)),
        ("tanh", lambda x: 2 * jax.nn.sigmoid(2 * x) - 1),
        ("tanh", lambda x: jnp.tanh(x.astype(jnp.bfloat16).astype(jnp.float32))),
        ("hard_tanh", lambda x: jnp.clip(x, -1, 1)),
        ("squared_relu", lambda x: jax.nn.relu(x) ** 2),
        ("custom", lambda x: jnp.sin(x) * jnp.exp(-x * x)),
    ],
)
def test_an_activation_is_known_by_its_values(name, written):
    sites, _ = read(nn.Sequential([nn.Dense(3), written, nn.Dense(2)]), ROWS)
    (found,) = [site for site in sites if site.kind == "activation"]
    assert found.activation == name
    assert [site.path for site in sites] == ["layers_0", f"layers_0/{name}", "layers_2"]
    z = np.linspace(-2, 2, 9).astype(np.float32)
    np.testing.assert_allclose(found.function(z), written(jnp.asarray(z)), atol=1e-2)


@pytest.mark.parametrize("scale", [0.5, 1.05, -2.0])
def test_a_multiple_of_an_activation_is_the_activation(scale):
    def dropped(_, x):
        return scale * nn.relu(nn.Dense(3)(x)) + 1

    sites, reader = read(Function(dropped), ROWS)
    assert [site.path for site in sites] == ["Dense_0", "Dense_0/relu", "Dense_0/output"]
    assert not reader.unseen


def test_a_function_five_percent_off_has_not_the_name():
    sites, _ = read(Function(lambda _, x: jnp.tanh(1.05 * nn.Dense(3)(x))), ROWS)
    assert [site.activation for site in sites] == [None, "custom"]


@pytest.mark.parametrize("mantissa_bits", [2, 23])
def test_functions_that_differ_in_a_setting_are_not_taken_for_each_other(mantissa_bits):
    def rounded(x):
        return jnp.sin(jax.lax.reduce_precision(x, 8, mantissa_bits))

    sites, _ = read(Function(lambda _, x: rounded(nn.Dense(3)(x))), ROWS)
    z = np.linspace(0.3, 1.9, 9).astype(np.float32)  # no multiples of what 2 bits hold
    np.testing.assert_array_equal(sites[1].function(z), rounded(z))


def test_a_function_that_uses_its_steps_twice_is_read_once_a_step():
    def logistic_map(_, x):
        x = nn.sigmoid(nn.Dense(3)(x))
        for _ in range(40):  # written as a tree, 2⁴⁰ operations
            x = 3.5 * x * (1 - x)
        return jax.nn.silu(x)

    sites, _ = read(Function(logistic_map), ROWS)
    assert [site.kind for site in sites] == ["dense", "activation"]


def test_the_steepest_slope_is_that_of_the_function():
    _, reader = read(Function(lambda _, x: nn.sigmoid(3 * nn.Dense(3)(x))), ROWS)
    ((_, found),) = reader.activations.values()
    assert found.steepest == pytest.approx(0.75, rel=1e-4)
    assert found.name == "custom"


def test_a_residual_network_of_convolutions():
    def call(_, x):
        x = nn.relu(nn.BatchNorm(use_running_average=False)(nn.Conv(8, (3, 3))(x)))
        h = nn.Conv(16, (3, 3), strides=2, feature_group_count=4)(x)
        h = nn.GroupNorm(4)(nn.Conv(16, (1, 1))(nn.relu(h)))
        short = nn.Conv(16, (1, 1), strides=2, use_bias=False)(x)
        x = nn.relu(h + nn.BatchNorm(use_running_average=True)(short))
        x = nn.ConvTranspose(8, (4, 4), strides=(2, 2))(nn.max_pool(x, (2, 2)))
        return nn.log_softmax(nn.Dense(10)(x.mean((1, 2))))

    sites, reader = read(Function(call), IMAGES)
    assert [(site.path, site.kind, site.depth, site.fan_in) for site in sites] == [
        ("Conv_0", "conv", 1, 27),
        ("BatchNorm_0", "normalization", 1, None),
        ("BatchNorm_0/relu", "activation", 1, None),
        ("Conv_1", "conv", 2, 18),
        ("Conv_1/relu", "activation", 2, None),
        ("Conv_2", "conv", 3, 16),
        ("GroupNorm_0", "normalization", 3, None),
        ("Conv_3", "conv", 2, 8),
        ("BatchNorm_1", "normalization", 2, None),
        ("GroupNorm_0/add", "residual", 3, None),
        ("GroupNorm_0/relu", "activation", 3, None),
        ("ConvTranspose_0", "conv", 4, 64),
        ("Dense_0", "dense", 5, 8),
        ("Dense_0/output", "output", 5, None),
    ]
    by_path = named(sites)
    add = by_path["GroupNorm_0/add"]
    assert [sites[i].path for i in (*add.skip, *add.branch)] == [
        "BatchNorm_1",
        "GroupNorm_0",
    ]
    assert by_path["Conv_0"].weights == ("Conv_0/kernel", "Conv_0/bias")
    assert by_path["BatchNorm_1"].weights == ("BatchNorm_1/scale", "BatchNorm_1/bias")
    assert not reader.unseen


def test_squeeze_and_excitation_is_a_gate():
    def call(_, x):
        x = nn.Conv(8, (3, 3))(x)
        gate = nn.sigmoid(nn.Dense(8)(nn.relu(nn.Dense(2)(x.mean((1, 2))))))
        return x * gate[:, None, None]

    found = kinds(Function(call), IMAGES)
    assert "gate" in found.values()
    assert "normalization" not in found.values()


class Block(nn.Module):
    @nn.compact
    def __call__(self, x, _=None):
        h = nn.LayerNorm()(x)
        x = x + nn.MultiHeadDotProductAttention(2)(h)
        h = nn.Dense(32)(nn.RMSNorm()(x))
        scale = self.param("scale_of_branch", nn.initializers.ones, (16,))
        return x + scale * nn.Dense(16)(nn.silu(h) * nn.Dense(32)(x)), None


class Decoder(nn.Module):
    lift: str = "none"

    @nn.compact
    def __call__(self, tokens):
        place = self.param("place", nn.initializers.normal(0.02), (6, 16))
        embed = nn.Embed(20, 16)
        x = embed(tokens) + place
        if self.lift == "none":
            for i in range(2):
                x, _ = Block(name=f"block_{i}")(x)
        else:
            lifted = nn.remat(Block) if self.lift == "remat" else Block
            x, _ = nn.scan(
                lifted, variable_axes={"params": 0}, split_rngs={"params": True}, length=2
            )(name="blocks")(x, None)
        return embed.attend(nn.LayerNorm()(x))


def test_a_decoder():
    sites, reader = read(Decoder(), TOKENS)
    by_path = named(sites)
    assert not reader.unseen
    assert {path: by_path[path].kind for path in list(by_path)[:18]} == {
        "Embed_0": "embedding",
        "place": "scale",
        "block_0/LayerNorm_0": "normalization",
        "block_0/MultiHeadDotProductAttention_0/query": "dense",
        "block_0/MultiHeadDotProductAttention_0/key": "dense",
        "block_0/MultiHeadDotProductAttention_0/value": "dense",
        "block_0/MultiHeadDotProductAttention_0/key/mix": "mixing",
        "block_0/MultiHeadDotProductAttention_0/key/softmax": "softmax",
        "block_0/MultiHeadDotProductAttention_0/key/mix#2": "mixing",
        "block_0/MultiHeadDotProductAttention_0/out": "dense",
        "block_0/MultiHeadDotProductAttention_0/out/add": "residual",
        "block_0/RMSNorm_0": "normalization",
        "block_0/Dense_0": "dense",
        "block_0/Dense_0/silu": "activation",
        "block_0/Dense_1": "dense",
        "block_0/Dense_2/mul": "gate",
        "block_0/Dense_2": "dense",
        "block_0/scale_of_branch": "scale",
    }
    assert sites[-1].path == "Embed_0#2"
    assert sites[-1].kind == "dense"
    first = by_path["block_0/MultiHeadDotProductAttention_0/out/add"]
    assert [sites[i].path for i in first.skip] == ["place"]


@pytest.mark.parametrize("lift", ["scan", "remat"])
def test_a_scanned_model_reads_as_one_written_out(lift):
    plain, _ = read(Decoder(), TOKENS)
    lifted, _ = read(Decoder(lift), TOKENS)
    written = [
        site.path.replace("block_", "blocks[").replace("/", "]/", 1) for site in plain
    ]
    assert [
        path if path.startswith("blocks") else site.path
        for path, site in zip(written, plain, strict=True)
    ] == [site.path for site in lifted]
    for one, other in zip(plain, lifted, strict=True):
        for name in ("kind", "depth", "parents", "shape", "fan_in", "skip", "branch"):
            assert getattr(one, name) == getattr(other, name), one.path


@pytest.mark.parametrize("cell", [nn.SimpleCell, nn.LSTMCell, nn.GRUCell])
def test_each_step_of_a_recurrent_network_is_a_use_of_its_layers(cell):
    def call(_, x):
        return nn.Dense(2)(nn.RNN(cell(5))(x)[:, -1])

    sites, reader = read(Function(call), np.zeros((4, 3, 2), np.float32))
    assert not reader.unseen
    layers = [site for site in sites if site.kind == "dense"]
    uses = {
        path: sum(s.path.split("#")[0] == path for s in layers)
        for path in {s.path.split("#")[0] for s in layers}
    }
    assert uses.pop("Dense_0") == 1
    assert set(uses.values()) == {3}
    assert layers[-1].depth == 4


def test_two_heads_of_one_body_are_no_residual():
    def call(_, x):
        h = nn.relu(nn.Dense(8)(x))
        mean, spread = nn.Dense(4)(h), nn.Dense(4)(h)
        return nn.Dense(3)(mean + 0.1 * jnp.exp(spread))

    assert set(kinds(Function(call), ROWS).values()) == {"dense", "activation", "sum"}


def test_a_recurrent_network_over_embedded_tokens_has_no_projected_shortcut():
    def call(_, tokens):
        return nn.RNN(nn.SimpleCell(5))(nn.Embed(20, 4)(tokens))

    found = kinds(Function(call), TOKENS)
    assert "residual" not in found.values()
    assert list(found.values()).count("sum") == 6


class Gated(nnx.Module):
    def __init__(self, rngs):
        self.up, self.gate = nnx.Linear(3, 8, rngs=rngs), nnx.Linear(3, 8, rngs=rngs)
        self.norm, self.drop = nnx.RMSNorm(8, rngs=rngs), nnx.Dropout(0.5, rngs=rngs)
        self.layers = nnx.List([nnx.Linear(8, 8, rngs=rngs) for _ in range(2)])

    def __call__(self, x):
        h = self.norm(nnx.silu(self.gate(x)) * self.up(x))
        for layer in self.layers:
            h = h + self.drop(nnx.relu(layer(h)))
        return h


@pytest.mark.parametrize("model", [Gated, lambda rngs: Gated(rngs)])
def test_an_nnx_module(model):
    sites, reader = read(model, ROWS)
    assert not reader.unseen
    assert [(site.path, site.kind) for site in sites] == [
        ("gate", "dense"),
        ("gate/silu", "activation"),
        ("up", "dense"),
        ("up/mul", "gate"),
        ("norm", "normalization"),
        ("layers/0", "dense"),
        ("layers/0/relu", "activation"),
        ("layers/0/add", "residual"),
        ("layers/1", "dense"),
        ("layers/1/relu", "activation"),
        ("layers/1/add", "residual"),
    ]


def test_an_ensemble_is_one_layer_of_more_axes():
    def call(_, x):
        lifted = nn.vmap(
            nn.Dense,
            variable_axes={"params": 0},
            split_rngs={"params": True},
            in_axes=None,
            axis_size=5,
        )
        return lifted(7)(x)

    (site,), _ = read(Function(call), ROWS)
    assert (site.kind, site.fan_in, sorted(site.shape)) == ("dense", 3, [4, 5, 7])


def test_what_cannot_be_seen_is_listed():
    @jax.custom_vjp
    def closed(x, w):
        return x @ w

    closed.defvjp(lambda x, w: (x @ w, (x, w)), lambda r, g: (g @ r[1].T, r[0].T @ g))

    def call(module, x):
        module.param("unused", nn.initializers.ones, (3,))
        x = closed(x, module.param("inside", nn.initializers.ones, (3, 3)))
        other = module.param("branch", nn.initializers.ones, (3, 3))
        return jax.lax.cond(x.sum() > 0, lambda x: x @ other, lambda x: x, x)

    _, reader = read(Function(call), ROWS)
    assert {unseen.path: unseen.reason for unseen in reader.unseen} == {
        "inside": "custom_vjp_call is not looked into",
        "branch": "cond is not looked into",
    }
