"""Transformers and mixers with a known state."""

from functools import partial

import flax.linen as nn
import jax.numpy as jnp
import numpy as np
from flax import nnx

from initjax import init
from tests.checkup.zoo_specimen import HEALTHY, Specimen, normal, tokens
from tests.recipes.networks import NnxTransformer, Transformer

SEQUENCES = normal(4, 16, 64)
TOKENS = tokens(4, 16)
GPT_2 = init.normal(0.02)


def _causal(q, k, v):
    """Attention [B, T, H, D] to what came before."""
    scores = jnp.einsum("bqhd,bkhd->bhqk", q, k) / np.sqrt(q.shape[-1])
    mask = jnp.tril(jnp.ones(scores.shape[-2:], bool))
    weights = nn.softmax(jnp.where(mask, scores, -1e9))
    return jnp.einsum("bhqk,bkhd->bqhd", weights, v)


def _heads(x, heads):
    return x.reshape(*x.shape[:2], heads, -1)


class Gpt(nn.Module):
    """GPT-2 (Radford et al. 2019): tied readout, N(0, 0.02²), scaled residuals."""

    blocks: int = 6
    width: int = 64
    vocabulary: int = 97
    scaled: bool = True
    dtype: object = None

    @nn.compact
    def __call__(self, tokens):
        embed = partial(nn.Embed, features=self.width, embedding_init=GPT_2)
        table = embed(self.vocabulary, dtype=self.dtype, name="wte")
        x = table(tokens) + embed(64, dtype=self.dtype, name="wpe")(jnp.arange(16))
        std = 0.02 / np.sqrt(2 * self.blocks) if self.scaled else 0.02
        for i in range(self.blocks):
            x = GptBlock(self.width, std, self.dtype, name=f"h_{i}")(x)
        return table.attend(nn.LayerNorm(dtype=self.dtype, name="ln_f")(x))


class GptBlock(nn.Module):
    width: int
    std: float
    dtype: object

    @nn.compact
    def __call__(self, x):
        dense = partial(nn.Dense, kernel_init=GPT_2, dtype=self.dtype)
        project = partial(dense, self.width, kernel_init=init.normal(self.std))
        h = dense(3 * self.width, name="qkv")(nn.LayerNorm(dtype=self.dtype)(x))
        h = _causal(*(_heads(part, 4) for part in jnp.split(h, 3, -1)))
        x = x + project(name="attn_out")(h.reshape(x.shape))
        h = nn.gelu(dense(4 * self.width, name="up")(nn.LayerNorm(dtype=self.dtype)(x)))
        return x + project(name="down")(h)


class NnxGpt(nnx.Module):
    """Twin of ``Gpt`` with scaled residuals."""

    def __init__(self, blocks=6, width=64, *, rngs):
        embed = partial(nnx.Embed, features=width, embedding_init=GPT_2, rngs=rngs)
        self.wte, self.wpe = embed(97), embed(64)
        std = 0.02 / np.sqrt(2 * blocks)
        self.h = nnx.List([NnxGptBlock(width, std, rngs=rngs) for _ in range(blocks)])
        self.ln_f = nnx.LayerNorm(width, rngs=rngs)

    def __call__(self, tokens):
        x = self.wte(tokens) + self.wpe(jnp.arange(16))
        for block in self.h:
            x = block(x)
        return self.wte.attend(self.ln_f(x))


class NnxGptBlock(nnx.Module):
    def __init__(self, width, std, *, rngs):
        dense = partial(nnx.Linear, kernel_init=GPT_2, rngs=rngs)
        self.ln_1, self.ln_2 = (nnx.LayerNorm(width, rngs=rngs) for _ in range(2))
        self.qkv, self.up = dense(width, 3 * width), dense(width, 4 * width)
        self.attn_out = dense(width, width, kernel_init=init.normal(std))
        self.down = dense(4 * width, width, kernel_init=init.normal(std))

    def __call__(self, x):
        h = self.qkv(self.ln_1(x))
        h = _causal(*(_heads(part, 4) for part in jnp.split(h, 3, -1)))
        x = x + self.attn_out(h.reshape(x.shape))
        return x + self.down(nnx.gelu(self.up(self.ln_2(x))))


class Mixer(nn.Module):
    """MLP-mixer (Tolstikhin et al. 2021) on images."""

    blocks: int = 4

    @nn.compact
    def __call__(self, images):
        x = nn.Conv(64, (4, 4), strides=4, name="stem")(images)
        x = x.reshape(x.shape[0], -1, 64)
        for _ in range(self.blocks):
            h = jnp.swapaxes(nn.LayerNorm()(x), 1, 2)
            h = nn.Dense(x.shape[1])(nn.gelu(nn.Dense(32)(h)))
            x = x + jnp.swapaxes(h, 1, 2)
            h = nn.LayerNorm()(x)
            x = x + nn.Dense(64)(nn.gelu(nn.Dense(128)(h)))
        return nn.Dense(10)(nn.LayerNorm()(x).mean(1))


class SwiGlu(nn.Module):
    """Blocks of RMSNorm and W₃ (silu(W₁ x) ∘ W₂ x), as in Llama."""

    blocks: int = 6
    width: int = 64

    @nn.compact
    def __call__(self, x):
        for _ in range(self.blocks):
            h = nn.RMSNorm()(x)
            gate = nn.silu(nn.Dense(2 * self.width, use_bias=False)(h))
            h = gate * nn.Dense(2 * self.width, use_bias=False)(h)
            x = x + nn.Dense(self.width, use_bias=False)(h)
        return nn.Dense(10)(nn.RMSNorm()(x))


class AttentionOnly(nn.Module):
    """Attention without skip and without MLP."""

    blocks: int = 12

    @nn.compact
    def __call__(self, x):
        for _ in range(self.blocks):
            x = nn.MultiHeadDotProductAttention(4, deterministic=True)(x)
        return nn.Dense(10)(x)


class ScannedBlock(nn.Module):
    """A pre-LN MLP block as nn.scan takes it."""

    width: int

    @nn.compact
    def __call__(self, x, _):
        h = nn.Dense(2 * self.width, name="up")(nn.LayerNorm(name="norm")(x))
        return x + nn.Dense(self.width, name="down")(nn.gelu(h)), None


class Scanned(nn.Module):
    """48 pre-LN blocks in one nn.scan, rematerialized if asked."""

    remat: bool = False
    length: int = 48

    @nn.compact
    def __call__(self, x):
        block = nn.remat(ScannedBlock, prevent_cse=False) if self.remat else ScannedBlock
        stack = nn.scan(
            block,
            variable_axes={"params": 0},
            split_rngs={"params": True},
            length=self.length,
        )
        x, _ = stack(x.shape[-1], name="stack")(x, None)
        return nn.Dense(10)(nn.LayerNorm()(x))


class NnxMlpBlock(nnx.Module):
    def __init__(self, width, *, rngs):
        self.norm = nnx.LayerNorm(width, rngs=rngs)
        self.up = nnx.Linear(width, 2 * width, rngs=rngs)
        self.down = nnx.Linear(2 * width, width, rngs=rngs)

    def __call__(self, x):
        return x + self.down(nnx.gelu(self.up(self.norm(x))))


class NnxScanned(nnx.Module):
    """Twin of ``Scanned`` of width 64, by nnx.vmap and nnx.scan."""

    def __init__(self, length=48, *, rngs):
        @nnx.split_rngs(splits=length)
        @nnx.vmap
        def stack(rngs):
            return NnxMlpBlock(64, rngs=rngs)

        self.stack = stack(rngs)
        self.norm = nnx.LayerNorm(64, rngs=rngs)
        self.readout = nnx.Linear(64, 10, rngs=rngs)

    def __call__(self, x):
        @nnx.scan
        def step(x, block):
            return block(x), None

        return self.readout(self.norm(step(x, self.stack)[0]))


class Shared(nn.Module):
    """One pre-LN block used six times, as in ALBERT (Lan et al. 2020)."""

    times: int = 6

    @nn.compact
    def __call__(self, x):
        block = ScannedBlock(x.shape[-1], name="block")
        for _ in range(self.times):
            x, _ = block(x, None)
        return nn.Dense(10)(nn.LayerNorm()(x))


class LayerScaled(nn.Module):
    """Branches times γ = 1e-5 per channel: LayerScale (Touvron et al. 2021)."""

    blocks: int = 6

    @nn.compact
    def __call__(self, x):
        width = x.shape[-1]
        small = nn.initializers.constant(1e-5)
        for i in range(self.blocks):
            h = nn.gelu(nn.Dense(2 * width)(nn.LayerNorm()(x)))
            x = x + self.param(f"gamma_{i}", small, (width,)) * nn.Dense(width)(h)
        return nn.Dense(10)(nn.LayerNorm()(x))


class Translator(nn.Module):
    """Encoder of images, decoder of tokens with cross-attention, two outputs."""

    @nn.compact
    def __call__(self, images, tokens, *, temperature=1.0):
        memory = nn.Conv(64, (4, 4), strides=4, name="stem")(images)
        memory = memory.reshape(memory.shape[0], -1, 64)
        x = nn.Embed(97, 64, name="embed")(tokens)
        for i in range(2):
            attend = partial(nn.MultiHeadDotProductAttention, 4, deterministic=True)
            memory = memory + attend(name=f"encode_{i}")(nn.LayerNorm()(memory))
            x = x + attend(name=f"self_{i}")(nn.LayerNorm()(x))
            x = x + attend(name=f"cross_{i}")(nn.LayerNorm()(x), memory)
            h = nn.gelu(nn.Dense(128)(nn.LayerNorm()(x)))
            x = x + nn.Dense(64)(h)
        label = nn.Dense(10, name="label")(memory.mean(1))
        return {"words": nn.Dense(97, name="words")(x) / temperature, "label": label}


TRANSFORMERS = {
    "pre_ln": Specimen(
        HEALTHY,
        "Xiong et al. (2020): the stream grows like the depth, gradients stay",
        *(SEQUENCES, Transformer(6, 64), lambda rngs: NnxTransformer(6, 64, rngs=rngs)),
    ),
    "post_ln": Specimen(
        HEALTHY,
        "every sum is normalized; 6 blocks lose less than a decade of gradient",
        *(SEQUENCES, Transformer(6, 64, norm="post")),
    ),
    "no_ln": Specimen(
        ("nonfinite", "residual_blowup"),
        "each MLP multiplies the second moment by 2, as He's branches: 2²⁴; scores grow "
        "like its square, and the gradients of late blocks leave float32",
        *(SEQUENCES, Transformer(24, 64, norm="none", kernel_init=init.kaiming_normal())),
    ),
    "gpt2": Specimen(HEALTHY, "residuals / √2N", TOKENS, Gpt(), NnxGpt),
    "gpt2_unscaled": Specimen(
        HEALTHY,
        "pre-LN: the stream grows by what scaling would take, √2N = 3.5, and trains",
        *(TOKENS, Gpt(scaled=False)),
    ),
    "gpt2_bfloat16": Specimen(
        HEALTHY,
        "computes in bfloat16, parameters in float32",
        TOKENS,
        Gpt(dtype="bfloat16"),
    ),
    "mixer": Specimen(HEALTHY, "pre-LN", normal(8, 16, 16, 3), Mixer()),
    "swiglu": Specimen(HEALTHY, "pre-norm; a gate is a product", SEQUENCES, SwiGlu()),
    "attention_only": Specimen(
        ("rank_collapse",),
        "Dong et al. (2021): all tokens of a sequence become one",
        *(normal(1, 32, 64), AttentionOnly()),
    ),
    "attention_only_batch": Specimen(
        ("rank_collapse",),
        "the same with four sequences, which remain distinct from one another",
        *(SEQUENCES, AttentionOnly()),
    ),
    "scanned_48": Specimen(HEALTHY, "pre-LN, deep", SEQUENCES, Scanned(), NnxScanned),
    "scanned_48_remat": Specimen(HEALTHY, "as above", SEQUENCES, Scanned(remat=True)),
    "shared_block": Specimen(HEALTHY, "pre-LN, one block", SEQUENCES, Shared()),
    "layer_scale": Specimen(
        HEALTHY, "blocks that start as almost the identity", SEQUENCES, LayerScaled()
    ),
    "translator": Specimen(
        HEALTHY,
        "pre-LN encoder and decoder; dict in, dict out",
        {"images": normal(4, 16, 16, 3), "tokens": TOKENS, "temperature": 1.0},
        Translator(),
    ),
}
