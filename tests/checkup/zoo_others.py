"""Recurrent networks, ensembles and models of unusual shape, with a known state."""

import flax.linen as nn
import jax
import jax.numpy as jnp
from flax import nnx

from initjax import init
from tests.checkup.zoo_mlps import Handwritten
from tests.checkup.zoo_specimen import HEALTHY, Specimen, normal, tokens

SERIES = normal(16, 24, 16)
X = normal(32, 48)


class Recurrent(nn.Module):
    """A cell along time, read out at every step or at the last."""

    cell: nn.Module
    last: bool = False

    @nn.compact
    def __call__(self, x):
        h = nn.RNN(self.cell)(x)
        return nn.Dense(10)(h[:, -1] if self.last else h)


class NnxRecurrent(nnx.Module):
    def __init__(self, cell, *, rngs):
        self.rnn = nnx.RNN(cell(16, 64, rngs=rngs))
        self.readout = nnx.Linear(64, 10, rngs=rngs)

    def __call__(self, x):
        return self.readout(self.rnn(x))


class Ensemble(nn.Module):
    """Five networks side by side by nn.vmap, their mean."""

    kernel_init: object

    @nn.compact
    def __call__(self, x):
        members = nn.vmap(
            Handwritten,
            variable_axes={"params": 0},
            split_rngs={"params": True},
            in_axes=None,
            axis_size=5,
        )
        settings = {"depth": 6, "kernel_init": self.kernel_init}
        return members(**settings, name="members")(x).mean(0)


class TextClassifier(nn.Module):
    """A mean of embeddings, dropout, and a small network."""

    @nn.compact
    def __call__(self, tokens, train):
        x = nn.Embed(97, 32)(tokens).mean(1)
        x = nn.relu(nn.Dense(64)(x))
        x = nn.Dropout(0.5, deterministic=not train)(x)
        return nn.Dense(5)(x)


class TwoTowers(nn.Module):
    """Two inputs of different widths, three outputs."""

    @nn.compact
    def __call__(self, user, item):
        sides = []
        for x, name in ((user, "user"), (item, "item")):
            x = nn.relu(nn.Dense(64, name=f"{name}_1")(x))
            sides.append(nn.Dense(32, name=f"{name}_2")(x))
        return jnp.sum(sides[0] * sides[1], -1), *sides


class Gcn(nn.Module):
    """Graph convolutions: a mean over the neighbours on a ring, then a layer."""

    depth: int = 4

    @nn.compact
    def __call__(self, x):
        for _ in range(self.depth):
            x = (jnp.roll(x, 1, 0) + x + jnp.roll(x, -1, 0)) / 3**0.5
            x = nn.relu(nn.Dense(64, kernel_init=init.kaiming_normal())(x))
        return nn.Dense(10)(x)


class Vae(nn.Module):
    """A latent that is drawn: μ + σ ε, with its own stream of random numbers."""

    @nn.compact
    def __call__(self, x):
        h = nn.gelu(nn.Dense(64, name="encode")(x))
        mean, log_std = nn.Dense(8, name="mean")(h), nn.Dense(8, name="log_std")(h)
        noise = jax.random.normal(self.make_rng("noise"), mean.shape)
        z = mean + jnp.exp(log_std) * noise
        h = nn.gelu(nn.Dense(64, name="decode")(z))
        return nn.Dense(48, name="out")(h), mean, log_std


_small = init.normal(0.01)

OTHERS = {
    "rnn_simple": Specimen(
        HEALTHY,
        "orthogonal recurrence, tanh, a loss at every step",
        *(SERIES, Recurrent(nn.SimpleCell(64))),
        lambda rngs: NnxRecurrent(nnx.SimpleCell, rngs=rngs),
    ),
    "rnn_lstm": Specimen(
        HEALTHY, "gates, a loss at every step", SERIES, Recurrent(nn.LSTMCell(64))
    ),
    "rnn_gru": Specimen(
        HEALTHY, "gates, a loss at every step", SERIES, Recurrent(nn.GRUCell(64))
    ),
    "rnn_forgets": Specimen(
        ("vanishing",),
        "the gradient of the last step loses a factor 0.01 √64 = 0.08 a step",
        *(SERIES, Recurrent(nn.SimpleCell(64, recurrent_kernel_init=_small), last=True)),
    ),
    "rnn_chaotic": Specimen(
        ("saturated", "exploding"),
        "recurrent weights N(0, 1): z ~ N(0, 8²), and gradients grow by √4.5 a step",
        *(SERIES,),
        Recurrent(nn.SimpleCell(64, recurrent_kernel_init=init.normal(1.0)), last=True),
    ),
    "ensemble": Specimen(
        HEALTHY, "five networks by He's law", X, Ensemble(init.kaiming_normal())
    ),
    "ensemble_gaussian_1": Specimen(
        ("exploding",),
        "every member multiplies the rms by 5.7 a layer",
        *(X, Ensemble(init.normal(1.0))),
    ),
    "text_classifier": Specimen(
        HEALTHY,
        "dropout with train=True, token ids, a static keyword",
        *({"tokens": tokens(16, 12), "train": True}, TextClassifier()),
    ),
    "two_towers": Specimen(
        HEALTHY,
        "two layers a side; a tuple of inputs, a tuple of outputs",
        *((normal(16, 24), normal(16, 40, seed=1)), TwoTowers()),
    ),
    "gcn": Specimen(HEALTHY, "four layers mix 9 of 32 neighbours", X, Gcn()),
    "vae": Specimen(HEALTHY, "noise inside the model, three outputs", X, Vae()),
}
