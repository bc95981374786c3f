"""Same laws as the libraries whose names or layers are borrowed.

Their samples stand in oracles.json as moments, extremes and quantiles (see
make_oracles.py). Ours enter as exact laws: a sample of n leaves its law nowhere by
more than √(ln(2/α) / 2n), with probability 1 - α (Dvoretzky, Kiefer & Wolfowitz).
"""

import json
from pathlib import Path

import jax
import numpy as np
import pytest
from scipy import stats

from initjax import init
from initjax.gains import calculate_gain
from initjax.init import presets

ORACLES = json.loads(Path(__file__).with_name("oracles.json").read_text())
RECORDS = ORACLES["records"]
LEVEL = 1e-4 / len(RECORDS)
MOMENTS = 6.0  # standard errors
LAWS = {"untruncated_normal": "normal"}  # Keras' word: ours


def flax_shape(library, shape):
    """Torch's (out, in, *window) as (*window, in, out); Keras has Flax' layout."""
    if library in ("keras", "haiku") or len(shape) < 2:
        return tuple(shape)
    return (*shape[2:], shape[1], shape[0])


def given(factory, **renamed):
    """A factory of ours, with the arguments of the record, some by another name."""
    return lambda a: factory(**{renamed.get(k, k): v for k, v in a.items()})


def keras_variance_scaling(a):
    law = a.get("distribution", "truncated_normal")
    return init.variance_scaling(
        a.get("scale", 1.0), a.get("mode", "fan_in"), LAWS.get(law, law)
    )


INITIALIZERS = {
    ("torch", "uniform"): given(init.uniform, a="low", b="high"),
    ("torch", "normal"): given(init.normal, std="stddev"),
    ("torch", "trunc_normal"): given(init.trunc_normal),
    ("torch", "xavier_uniform"): given(init.xavier_uniform),
    ("torch", "xavier_normal"): given(init.xavier_normal),
    ("torch", "kaiming_uniform"): given(init.kaiming_uniform),
    ("torch", "kaiming_normal"): given(init.kaiming_normal),
    ("torch", "orthogonal"): given(init.orthogonal),
    ("torch", "sparse"): given(init.sparse, std="stddev"),
    ("keras", "RandomNormal"): lambda a: init.normal(0.05),
    ("keras", "RandomUniform"): lambda a: init.uniform(-0.05, 0.05),
    ("keras", "TruncatedNormal"): lambda a: init.truncated_normal(0.05),
    ("keras", "VarianceScaling"): keras_variance_scaling,
    ("keras", "GlorotUniform"): given(init.glorot_uniform),
    ("keras", "GlorotNormal"): given(init.glorot_normal),
    ("keras", "HeUniform"): given(init.he_uniform),
    ("keras", "HeNormal"): given(init.he_normal),
    ("keras", "LecunUniform"): given(init.lecun_uniform),
    ("keras", "LecunNormal"): given(init.lecun_normal),
    ("keras", "Orthogonal"): given(init.orthogonal),
}


def torch_mha(a):
    return presets.torch_mha(a["embed_dim"], a.get("kdim"), a.get("vdim"))


def window(a):
    size = a.get("kernel_size", a.get("kernel_shape"))
    return (size, size)


# Of each library's layer: the preset, whose fields are told apart by the parameter.
LAYERS = {
    ("torch", "Linear"): lambda a: presets.torch_linear(a["in_features"]),
    ("torch", "Bilinear"): lambda a: presets.torch_linear(a["in1_features"]),
    ("torch", "Conv2d"): lambda a: presets.torch_conv(
        a["in_channels"], window(a), a["groups"]
    ),
    ("torch", "ConvTranspose2d"): lambda a: presets.torch_conv_transpose(
        a["out_channels"], window(a), a["groups"]
    ),
    ("torch", "MultiheadAttention"): torch_mha,
    ("torch", "Embedding"): lambda a: presets.torch_embedding(),
    **{
        ("torch", cell): lambda a: presets.torch_rnn(a["hidden_size"])
        for cell in ("LSTM", "GRU", "RNN")
    },
    ("keras", "Dense"): lambda a: presets.keras_dense(),
    ("keras", "Conv2D"): lambda a: presets.keras_dense(),
    ("keras", "Conv2DTranspose"): lambda a: presets.keras_dense(),
    ("keras", "DepthwiseConv2D"): lambda a: presets.keras_depthwise_conv(
        a["depth_multiplier"]
    ),
    ("keras", "EinsumDense"): lambda a: presets.LayerInit(
        init.for_layer(
            "einsum", mode="fan_avg", distribution="uniform", equation=a["equation"]
        ),
        init.zeros(),
    ),
    ("keras", "Embedding"): lambda a: presets.keras_embedding(),
    ("keras", "MultiHeadAttention"): lambda a: presets.keras_mha(),
    ("keras", "LSTM"): lambda a: presets.keras_lstm(),
    ("keras", "GRU"): lambda a: presets.keras_gru(),
    ("haiku", "Linear"): lambda a: presets.haiku_linear(),
    ("haiku", "Conv2D"): lambda a: presets.haiku_linear(),
    ("haiku", "Conv2DTranspose"): lambda a: presets.haiku_linear(),
    ("haiku", "Embed"): lambda a: presets.haiku_embed(),
    ("haiku", "LSTM"): lambda a: presets.haiku_lstm(24, a["hidden_size"]),
    ("equinox", "Linear"): lambda a: presets.equinox_linear(a["in_features"]),
    **{
        ("equinox", kind): lambda a: presets.equinox_conv(
            a["in_channels"], window(a), a["groups"]
        )
        for kind in ("Conv2d", "ConvTranspose2d")
    },
    ("equinox", "Embedding"): lambda a: presets.equinox_embedding(),
    **{
        ("equinox", cell): lambda a: presets.equinox_rnn(a["hidden_size"])
        for cell in ("LSTMCell", "GRUCell")
    },
    ("timm", "VisionTransformer"): lambda a: presets.timm_vit(a["patch_size"]),
    ("transformers", "GPT2LMHeadModel"): lambda a: presets.gpt2(a["n_layer"]),
}


def field_of(preset, parameter):
    """The initializer of a preset that a parameter of the other library has."""
    name = parameter.lower()
    if isinstance(preset, presets.ViTInit):
        layer = preset.patch_embed if "patch_embed" in name else preset.linear
        whole = {"pos_embed": preset.pos_embed, "cls_token": preset.cls_token}
        if name in whole:
            return whole[name]
        return layer.bias_init if "bias" in name else layer.kernel_init
    if isinstance(preset, presets.GPT2Init):
        if "wte" in name or "wpe" in name:
            return preset.wte if "wte" in name else preset.wpe
        layer = preset.residual if "c_proj" in name else preset.linear
        return layer.bias_init if "bias" in name else layer.kernel_init
    if isinstance(preset, presets.EmbedInit):
        return preset.embedding_init
    if isinstance(preset, presets.AttentionInit) and "out" in name:
        return preset.out_bias_init if "bias" in name else preset.out_kernel_init
    if "bias" in name or name == "b":
        return preset.bias_init
    if isinstance(preset, presets.RecurrentInit) and ("hh" in name or "recurrent" in name):
        return preset.recurrent_kernel_init
    return preset.kernel_init


def shape_in_flax(record):
    """Of the kernel that Flax would have, one gate or one projection at a time."""
    library, name, shape = record["library"], record["name"], record["shape"]
    shape = flax_shape(library, shape)
    if name == "DepthwiseConv2D" and len(shape) == 4:
        return (*shape[:2], 1, shape[2] * shape[3])
    if name == "Conv2DTranspose" and len(shape) == 4:
        return (*shape[:2], shape[3], shape[2])
    if library == "keras" and name in ("LSTM", "GRU") and len(shape) == 2:
        return (shape[0], shape[1] // (4 if name == "LSTM" else 3))
    if library == "keras" and name == "MultiHeadAttention" and len(shape) == 3:
        out = "output" in record["parameter"]
        return (shape[0] * shape[1], shape[2]) if out else (shape[0], shape[1] * shape[2])
    return shape


def law_of(record):
    key = record["library"], record["name"]
    if record["kind"] == "initializer":
        return INITIALIZERS[key](record["arguments"]).law(shape_in_flax(record))
    preset = LAYERS[key](record["arguments"])
    return field_of(preset, record["parameter"]).law(shape_in_flax(record))


def one_of_two_biases(record):
    """Torch adds two biases where Flax has one, which has the law of the sum."""
    parameter = record.get("parameter") or ""
    return record["name"] in ("LSTM", "GRU", "RNN") and parameter in (
        *("bias_ih_l0", "bias_hh_l0"),
    )


def other_mode(record):
    """timm's mode 'jax' is not that of the preset."""
    return record["arguments"].get("weight_init") == "jax"


def title(record):
    words = ",".join(f"{k}={v}" for k, v in record["arguments"].items())
    return f"{record['library']}.{record['name']}({words}).{record.get('parameter', '')}"


RANDOM = [
    r for r in RECORDS if not (r.get("fixed") or one_of_two_biases(r) or other_mode(r))
]


def distance(record, law):
    """Largest known gap between their distribution function and ours, over its bound."""
    at, levels = np.array(record["quantiles"]), np.array(ORACLES["levels"])
    bound = np.sqrt(np.log(2 / LEVEL) / 2 / record["count"])
    step = 1e-9 * law.variance**0.5
    above, below = law.cdf(at + step), law.cdf(at - step)
    # Where zeros make a step, any level within the step is right.
    return np.maximum(below - levels, levels - above).max() / bound


@pytest.mark.parametrize("record", RANDOM, ids=title)
def test_quantiles_moments_and_support(record):
    law = law_of(record)
    assert distance(record, law) < 1
    n, spread = record["count"], law.variance**0.5
    assert abs(record["mean"] - law.mean) < MOMENTS * spread / n**0.5
    error = ((max(law.kurtosis, 1) - 1) / 4 / n) ** 0.5  # of the relative deviation
    assert record["std"] == pytest.approx(spread, rel=MOMENTS * error + 1e-6)
    rounding = 2e-7 * max(map(abs, (record["min"], record["max"])))
    assert law.support[0] <= record["min"] + rounding
    assert record["max"] - rounding <= law.support[1]


@pytest.mark.parametrize("record", RANDOM, ids=title)
def test_a_law_off_by_five_percent_fails(record):
    law = law_of(record)
    wide = law._replace(cdf=lambda x: law.cdf(law.mean + (x - law.mean) / 1.05))
    assert distance(record, wide) > 1


@pytest.mark.parametrize(
    "record", [r for r in RECORDS if r.get("fixed") and not other_mode(r)], ids=title
)
def test_fixed_parameters(record):
    """Biases that are 0; those of Keras' forget gates are 1, as its preset says."""
    law = law_of(record)
    assert law.variance == 0
    if record["library"] == "keras" and record["name"] == "LSTM":
        assert record["mean"] == 0.25
    else:
        assert (record["min"], record["max"]) == law.support


def test_torch_adds_two_biases():
    pairs = [r for r in RECORDS if one_of_two_biases(r)]
    assert len(pairs) == 6
    for record in pairs:
        law = init.bias_uniform(record["arguments"]["hidden_size"]).law((96,))
        assert distance(record, law) < 1


@pytest.mark.parametrize("record", ORACLES["exact"], ids=title)
def test_exact_entries(record):
    factory = {"Identity": init.identity, "eye": init.eye, "dirac": init.dirac}
    theirs = np.array(record["values"])
    if theirs.ndim > 2:
        theirs = np.moveaxis(theirs, (0, 1), (-1, -2))
    ours = factory[record["name"]](**record["arguments"])(None, theirs.shape)
    np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("name", ORACLES["gains"])
def test_calculate_gain(name):
    word, _, slope = name.partition("(")
    ours = calculate_gain(word, float(slope[:-1]) if slope else None)
    assert ours == pytest.approx(ORACLES["gains"][name], rel=1e-15)


@pytest.mark.parametrize("slope", [0, 0.01, 0.2, 5**0.5, 1])
@pytest.mark.parametrize("factory", [init.kaiming_normal, init.kaiming_uniform])
def test_kaiming_with_a_slope(factory, slope):
    law = factory(a=slope).law((300, 200))
    assert law.variance**0.5 == pytest.approx(
        (2 / ((1 + slope**2) * 300)) ** 0.5, rel=1e-14
    )


@pytest.mark.parametrize(
    "name",
    [f"{who}_{law}" for who in ("glorot", "he", "lecun") for law in ("normal", "uniform")],
)
def test_last_names_are_those_of_jax(name):
    """Two samples of one law: Kolmogorov-Smirnov at a level of 1e-6."""
    ours = getattr(init, name)()(jax.random.key(0), (120, 90))
    theirs = getattr(jax.nn.initializers, name)()(jax.random.key(1), (120, 90))
    assert stats.ks_2samp(np.ravel(ours), np.ravel(theirs)).pvalue > 1e-6


@pytest.mark.parametrize(
    ("ours", "theirs", "shape"),
    [
        (init.truncated_normal(0.1), jax.nn.initializers.truncated_normal(0.1), (120, 90)),
        (
            init.orthogonal(1.5, -2),
            jax.nn.initializers.orthogonal(1.5, -2),
            (6, 5, 40, 3),
        ),
        (
            init.delta_orthogonal(1.5),
            jax.nn.initializers.delta_orthogonal(1.5),
            (3, 3, 20, 90),
        ),
    ],
    ids=["truncated_normal", "orthogonal", "delta_orthogonal"],
)
def test_others_of_jax(ours, theirs, shape):
    a, b = (np.ravel(f(jax.random.key(i), shape)) for i, f in enumerate((ours, theirs)))
    assert np.sum(a == 0) == np.sum(b == 0)
    assert stats.ks_2samp(a[a != 0], b[b != 0]).pvalue > 1e-6
