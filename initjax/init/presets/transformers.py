"""The initialization of two transformers that others start from: ViT and GPT-2."""

import math
from typing import NamedTuple

from initjax.init.plain import normal, zeros
from initjax.init.presets.records import LayerInit
from initjax.init.presets.sizes import check_positive
from initjax.init.presets.torch_layers import torch_conv
from initjax.init.sampled import Lawful
from initjax.init.truncated import trunc_normal


class ViTInit(NamedTuple):
    """Of a vision transformer.

    Attributes:
        linear: Of every linear layer: attention, MLP and head.
        patch_embed: Of the convolution that cuts the patches.
        pos_embed: Of the position embeddings.
        cls_token: Of the class token.
    """

    linear: LayerInit
    patch_embed: LayerInit
    pos_embed: Lawful
    cls_token: Lawful


class GPT2Init(NamedTuple):
    """Of GPT-2.

    Attributes:
        linear: Of every linear layer but those that write to the residual stream.
        residual: Of those: the last projection of attention and of MLP.
        wte: Of the token embeddings, which are the output layer too.
        wpe: Of the position embeddings.
    """

    linear: LayerInit
    residual: LayerInit
    wte: Lawful
    wpe: Lawful


def timm_vit(patch_size: int = 16, in_channels: int = 3) -> ViTInit:
    """Timm's VisionTransformer: N(0, 0.02²) cut at ±2, that is hardly ever; biases 0.

    The patch embedding keeps torch's default, the class token is N(0, 1e-12).

    Args:
        patch_size: Side of a patch, a window of the patch embedding.
        in_channels: Of the image.

    Raises:
        ValueError: if a size is not positive.

    Example:
        >>> round(timm_vit().linear.kernel_init.law((64, 64)).variance ** 0.5, 9)
        0.02

    References:
        timm 1.0, ``VisionTransformer.init_weights``, mode ''.
    """
    check_positive("patch_size", patch_size)
    small = trunc_normal(std=0.02)
    return ViTInit(
        LayerInit(small, zeros()),
        torch_conv(in_channels, (patch_size, patch_size)),
        small,
        normal(1e-6),
    )


def gpt2(blocks: int) -> GPT2Init:
    """GPT-2: N(0, 0.02²), residual projections N(0, 0.02² / 2N), biases 0.

    As the transformers library draws it, position embeddings too.

    Args:
        blocks: N, the number of transformer blocks.

    Raises:
        ValueError: if it is not positive.

    Example:
        >>> law = gpt2(blocks=12).residual.kernel_init.law((768, 768))
        >>> round(law.variance**0.5 * 24**0.5, 9)
        0.02

    References:
        Radford et al. (2019), section 2.3; transformers, ``GPT2PreTrainedModel``.
    """
    check_positive("blocks", blocks)
    plain = LayerInit(normal(0.02), zeros())
    residual = LayerInit(normal(0.02 / math.sqrt(2 * blocks)), zeros())
    return GPT2Init(plain, residual, normal(0.02), normal(0.02))
