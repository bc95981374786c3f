"""T-Fixup, DeepNorm and Sub-LN: which kernels, and what the network then does."""

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
import pytest

from initjax.recipes import deepnorm, deepnorm_constants, scale, sub_ln, t_fixup
from initjax.recipes.rules import apply_rules
from tests.recipes.networks import (
    GAUSSIAN,
    XAVIER,
    Pair,
    Transformer,
    assert_only,
    draw,
    on_one_token,
    second_moment,
    stack_of,
    stacked,
    z_score,
)

TOKENS = jnp.arange(6)[None] % 7
ROLES = ("fc1", "fc2", "attn/value", "attn/out")
STACKED = r"(fc1|fc2|attn/(value|out))/kernel"
KERNELS = rf"blocks_\d+/{STACKED}"
ALONE = {"encoder": KERNELS, "decoder": (), "decoder_layers": None}
STACKED_ALONE = ALONE | {"encoder": STACKED}


def _both(encoder_layers, decoder_layers):
    return {
        "encoder_layers": encoder_layers,
        "decoder_layers": decoder_layers,
        "encoder": f"encoder/{KERNELS}",
        "decoder": f"decoder/{KERNELS}",
    }


def _stack(name, blocks, factor):
    prefix = f"{name}/" if name else ""
    return {f"{prefix}blocks_{i}/{r}/kernel": factor for i in range(blocks) for r in ROLES}


@pytest.fixture(scope="module")
def pair():
    return draw(Pair((2, 3)), TOKENS)


@pytest.fixture(scope="module")
def single():
    return draw(Transformer(2), jnp.ones((1, 1, 32)))


def test_t_fixup(pair):
    applied = t_fixup(
        pair,
        **_both(2, 3),
        encoder_embedding="encoder_embed/embedding",
        decoder_embedding="decoder_embed/embedding",
    )
    expected = {
        "encoder_embed/embedding": 18**-0.25,
        "decoder_embed/embedding": 27**-0.25,
        **_stack("encoder", 2, 0.67 * 2**-0.25),
        **_stack("decoder", 3, 27**-0.25),
    }
    assert_only(pair, applied, expected)


def test_t_fixup_without_a_decoder(single):
    none = {"encoder_embedding": (), "decoder_embedding": ()}
    applied = t_fixup(single, encoder_layers=2, **ALONE, **none)
    assert_only(single, applied, _stack("", 2, 0.67 * 2**-0.25))
    with pytest.raises(
        ValueError, match="decoder_embedding='x' belongs to a stack without"
    ):
        t_fixup(single, encoder_layers=2, **ALONE, **(none | {"decoder_embedding": "x"}))


def test_t_fixup_bounds_the_growth_without_normalization(blocks=12):
    """E|x|² grows by 1 + f⁴ per attention and 1 + 0.32 f⁴ per MLP, f⁴ = 0.67⁴/N.

    Xavier's variance is 1/d for square kernels and 2/(5d) for an MLP of width 4d:
    2/5 · 1/2 after the relu, times 4d · 2/(5d), is 0.32. Together (1 + O(1/N))^N.
    """
    run = on_one_token(stacked(Transformer(blocks, norm="none", kernel_init=XAVIER)), 32)
    f = 0.67 * blocks**-0.25
    expected = ((1 + f**4) * (1 + 0.32 * f**4)) ** blocks

    def growth(x, out):
        return second_moment(out) / second_moment(x)

    def recipe(params):
        none = {"encoder_embedding": (), "decoder_embedding": ()}
        return t_fixup(params, encoder_layers=blocks, **STACKED_ALONE, **none).params

    assert expected < 1.31
    assert z_score(run(recipe, growth), expected) < 5
    for wrong in (1.0, 0.67 * blocks**-0.5, 2**0.5 * f):  # raw, other power, fairseq's √2

        def rescale(params, factor=wrong):
            return apply_rules(params, [(STACKED, scale(factor))]).params

        assert z_score(run(rescale, growth), expected) > 5


def test_deepnorm(pair, single):
    applied = deepnorm(single, encoder_layers=2, **ALONE)
    assert_only(single, applied, _stack("", 2, 0.5))
    joint = (2**4 * 3) ** (1 / 16)
    expected = _stack("encoder", 2, 0.87 / joint) | _stack("decoder", 3, 36**-0.25)
    assert_only(pair, deepnorm(pair, **_both(2, 3)), expected)


def test_deepnorm_constants():
    for name in ("encoder", "decoder"):
        layers = {"encoder_layers": None, "decoder_layers": None, f"{name}_layers": 18}
        found = deepnorm_constants(**layers)
        constant = getattr(found, name)
        assert constant.alpha == pytest.approx(36**0.25, rel=1e-12)
        assert constant.beta == pytest.approx(144**-0.25, rel=1e-12)
        assert [getattr(found, n) for n in ("encoder", "decoder") if n != name] == [None]
    both = deepnorm_constants(encoder_layers=18, decoder_layers=6)
    joint = 18 ** (1 / 4) * 6 ** (1 / 16)
    assert both.encoder == pytest.approx((0.81 * joint, 0.87 / joint), rel=1e-12)
    assert both.decoder == pytest.approx((18**0.25, 72**-0.25), rel=1e-12)


def _overlap(x, out):
    return jnp.sum(x * out) / (jnp.linalg.norm(x) * jnp.linalg.norm(out))


def test_deepnorm_preserves_the_stream_through_post_ln(blocks=8):
    """Each LN(α x + F) keeps 1/√(1 + g/α²) of x, g = β⁴ for attention, 0.32 β⁴ for MLP.

    2N sublayers of g/α² = O(N^(−3/2)) turn the stream less, the deeper it is.
    """
    alpha, beta = deepnorm_constants(encoder_layers=blocks, decoder_layers=None).encoder
    share = beta**4 / alpha**2 * (1 - 1 / 32)  # LN takes the mean away
    expected = ((1 + share) * (1 + 0.32 * share)) ** (-blocks / 2)

    def recipe(params):
        return deepnorm(params, encoder_layers=blocks, **STACKED_ALONE).params

    def post_ln(gain):
        return stacked(Transformer(blocks, norm="post", alpha=gain, kernel_init=XAVIER))

    run = on_one_token(post_ln(alpha), 32)

    def far(sample):
        return abs(sample.mean() - expected) > 5 * sample.std() / 8 + 1e-3

    assert not far(run(recipe, _overlap))
    assert far(run(recipe, _overlap, stack=post_ln(1.0)))
    assert far(run(lambda params: params, _overlap))


def test_sub_ln(pair, single):
    applied = sub_ln(single, encoder_layers=2, **ALONE)
    assert_only(single, applied, _stack("", 2, np.log(4) ** 0.5))
    alone = {"decoder": KERNELS, "decoder_layers": 2, "encoder": (), "encoder_layers": None}
    assert_only(single, sub_ln(single, **alone), _stack("", 2, np.log(4) ** 0.5))
    encoder = np.sqrt(np.log(9) * np.log(4) / 3)
    expected = _stack("encoder", 2, encoder) | _stack("decoder", 3, np.log(9) ** 0.5)
    assert_only(pair, sub_ln(pair, **_both(2, 3)), expected)


class SubLN(nn.Module):
    """A linear branch, with a LayerNorm before its last layer or without."""

    width: int = 32
    inner_norm: bool = True

    @nn.compact
    def __call__(self, x, _):
        h = nn.Dense(self.width, kernel_init=GAUSSIAN, name="fc1")(nn.LayerNorm()(x))
        h = nn.LayerNorm()(h) if self.inner_norm else h
        return x + nn.Dense(self.width, kernel_init=GAUSSIAN, name="fc2")(h), None


def test_sub_ln_gives_each_branch_its_factor_once(blocks=8):
    """The inner norm undoes the first layer's γ: 2N branches add 2N γ² = 2N log 2N."""
    expected = 2 * blocks * np.log(2 * blocks)

    def recipe(params):
        kernels = {"encoder": "fc[12]/kernel", "decoder": ()}
        return sub_ln(params, encoder_layers=blocks, decoder_layers=None, **kernels).params

    def added(x, out):
        return second_moment(out) - second_moment(x)

    run = on_one_token(stack_of(SubLN, 2 * blocks), 32)
    assert z_score(run(recipe, added), expected) < 5
    assert z_score(run(lambda p: p, added), expected) > 5
    plain = on_one_token(stack_of(SubLN, 2 * blocks, inner_norm=False), 32)
    assert z_score(plain(recipe, added), expected) > 5  # γ⁴, from both layers


@pytest.mark.parametrize("recipe", [deepnorm, sub_ln])
def test_layers_and_kernels_come_together(single, recipe):
    for settings, match in (
        ({"encoder_layers": None} | ALONE, r"encoder_layers=None; give the number"),
        (
            {"encoder_layers": 2} | ALONE | {"encoder": ()},
            r"encoder_layers=2 but encoder=\(\)",
        ),
        ({"encoder_layers": 2} | ALONE | {"decoder_layers": 2}, "decoder_layers=2 but"),
        ({"encoder_layers": 0} | ALONE, "encoder_layers=0"),
        ({"encoder_layers": None} | ALONE | {"encoder": ()}, "number of layers of one"),
        ({"encoder_layers": 2} | ALONE | {"encoder": "fc1"}, "encoder='fc1' matches no"),
    ):
        with pytest.raises(ValueError, match=match):
            recipe(single, **settings)
    with pytest.raises(ValueError, match="number of layers of one"):
        deepnorm_constants(encoder_layers=None, decoder_layers=None)
