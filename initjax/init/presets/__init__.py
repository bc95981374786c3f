"""Where other frameworks start: the default law of their layers, weight and bias.

A ported model that starts where the original did is initialized by these. They
reproduce, quirks included; they do not recommend.
"""

from initjax.init.presets.jax_libraries import equinox_conv as equinox_conv
from initjax.init.presets.jax_libraries import equinox_embedding as equinox_embedding
from initjax.init.presets.jax_libraries import equinox_linear as equinox_linear
from initjax.init.presets.jax_libraries import equinox_rnn as equinox_rnn
from initjax.init.presets.jax_libraries import haiku_embed as haiku_embed
from initjax.init.presets.jax_libraries import haiku_linear as haiku_linear
from initjax.init.presets.jax_libraries import haiku_lstm as haiku_lstm
from initjax.init.presets.keras_layers import keras_dense as keras_dense
from initjax.init.presets.keras_layers import keras_depthwise_conv as keras_depthwise_conv
from initjax.init.presets.keras_layers import keras_embedding as keras_embedding
from initjax.init.presets.keras_layers import keras_gru as keras_gru
from initjax.init.presets.keras_layers import keras_lstm as keras_lstm
from initjax.init.presets.keras_layers import keras_mha as keras_mha
from initjax.init.presets.records import AttentionInit as AttentionInit
from initjax.init.presets.records import EmbedInit as EmbedInit
from initjax.init.presets.records import LayerInit as LayerInit
from initjax.init.presets.records import RecurrentInit as RecurrentInit
from initjax.init.presets.torch_layers import torch_conv as torch_conv
from initjax.init.presets.torch_layers import torch_conv_transpose as torch_conv_transpose
from initjax.init.presets.torch_layers import torch_embedding as torch_embedding
from initjax.init.presets.torch_layers import torch_linear as torch_linear
from initjax.init.presets.torch_layers import torch_mha as torch_mha
from initjax.init.presets.torch_layers import torch_rnn as torch_rnn
from initjax.init.presets.transformers import GPT2Init as GPT2Init
from initjax.init.presets.transformers import ViTInit as ViTInit
from initjax.init.presets.transformers import gpt2 as gpt2
from initjax.init.presets.transformers import timm_vit as timm_vit
