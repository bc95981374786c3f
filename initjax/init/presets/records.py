"""What a preset holds: initializers under the names of Flax's own arguments.

So that one unpacks it: ``nn.Dense(10, **presets.torch_linear(784)._asdict())``.
"""

from typing import NamedTuple

from initjax.init.sampled import Lawful


class LayerInit(NamedTuple):
    """Of a Dense, Linear or Conv layer, and of their transposes.

    Attributes:
        kernel_init: Of the kernel.
        bias_init: Of the bias.
    """

    kernel_init: Lawful
    bias_init: Lawful


class AttentionInit(NamedTuple):
    """Of MultiHeadDotProductAttention (linen) and MultiHeadAttention (nnx).

    Attributes:
        kernel_init: Of the query, key and value kernels.
        bias_init: Of their biases.
        out_kernel_init: Of the output projection.
        out_bias_init: Of its bias.
    """

    kernel_init: Lawful
    bias_init: Lawful
    out_kernel_init: Lawful
    out_bias_init: Lawful


class RecurrentInit(NamedTuple):
    """Of a recurrent cell: LSTMCell, GRUCell or SimpleCell.

    Attributes:
        kernel_init: Of the kernels that read the input.
        recurrent_kernel_init: Of the kernels that read the state.
        bias_init: Of the biases.
    """

    kernel_init: Lawful
    recurrent_kernel_init: Lawful
    bias_init: Lawful


class EmbedInit(NamedTuple):
    """Of an Embed layer.

    Attributes:
        embedding_init: Of the table.
    """

    embedding_init: Lawful
