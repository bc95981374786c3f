"""How deep can a LeNet be and still be trained, and what does that depend on?

conv 1→6, pool, conv 6→16, pool, N modules of two convolutions 16→16, dense 784-120-84-10,
on MNIST: 2N + 5 layers.

Expected (folklore of single runs, given without reference): sigmoid trains to 6 modules and
not 7; ReLU fails from about 10; U(-0.5, 0.5) explodes; clipping cures explosion, not
vanishing; a floor under small gradients makes it untrainable; batch normalization helps to
about 60 modules; with shortcuts 1,000 train, 2,005 layers; of 40 modules with shortcuts
some layers' gradients are near 0 after training, while no weights are.

What is varied where: part start, networks before training: activation, cure,
initialization and N. Part train, by study: map, cure and N, of ReLUs from torch's default,
of sigmoids, which need more steps, from Xavier's law; plain, N module by module without
cure; epsilon, Adam's ε; rates, learning rate, and SGD; schemes, initialization; patience,
steps; clipping, by norm and by value, from U(-0.5, 0.5) and torch's; floor. Part layers:
every layer before training (study profile), and through training with shortcuts (study
layers).

Measured, medians of 3 seeds (2 from 20 modules on), Adam with a rate of 1e-3, 160 steps of
16 images.
Plain ReLUs from torch's default reach 0.67 with 2 modules and 0.10 with 5; ε = 1e-16 lifts
those to 0.38, and with a rate of 3e-3 even 2 stay at 0.10. From Xavier's 0.54 with 5, from
Kaiming's 0.79 with 7, delta-orthogonal 0.82 with 10, the most that was tried: where ReLUs
fail is a matter of the start.
Sigmoids (Xavier, 3e-3) reach 0.89 without a module in 400 steps and stay at chance with
one; in 3,000 steps one of 2 seeds gets there, with 0.91.
U(-0.5, 0.5) lets signals of ReLUs grow by 0.53 decades a convolution, up and back,
weights' gradients only by 0.01, and those of 40 modules leave float32; sigmoids' do not
grow. Clipping by value takes two such modules to 0.38, by norm to 0.10, as without; from
torch's start, where gradients vanish, clipping does nothing and a floor of 1e-3 lifts them
to 0.34: no hindrance here.
Batch norm: 0.84 with 5 modules, 0.46 with 10, 0.11 with 40, as its gradient grows by 0.065
decades a convolution going back. By shortcuts 0.71 with 20 and 0.35 with 40, with both
0.84 and Fixup 0.86 with 40. A thousand modules were not trained; their first gradients are
10^4.3 with shortcuts, 10^2.3 with both, and leave float32 without. After ten epochs 40
modules with shortcuts get 0.965 of the images right, and all gradients, which are 0.06 to
1.1, are alive.

Cost on two CPU cores: the default takes 15 minutes (898 seconds).
"""

from collections.abc import Hashable, Mapping
from typing import Any

from sweeps.harness.cost import Cost
from sweeps.harness.grid import Cell
from sweeps.harness.table import Column, Schema
from sweeps.lenet import price, studies
from sweeps.lenet.checks import check
from sweeps.lenet.config import CURES as CURES
from sweeps.lenet.config import SCHEMES, Config

SCHEMA = Schema(
    version=1,
    columns=(
        Column("part", "str", "start, train or layers"),
        Column("study", "str", "the first question that asks for this network"),
        Column("data", "str", "mnist, or mnist#<hash> of a person's files"),
        Column("activation", "str", "nonlinearity φ: sigmoid or relu"),
        Column("cure", "str", "of the modules: plain, shortcut, batch_norm or both"),
        Column("scheme", "str", "initialization: torch, fixup, kaiming_normal, ..."),
        Column("modules", "int", "N; the network has 2N + 5 layers"),
        Column("optimizer", "str", "sgd, with momentum 0.9, or adam; - if not trained"),
        Column("rate", "float", "learning rate; 0 if not trained"),
        Column("epsilon", "float", "Adam's; 0 of others"),
        Column(
            "transform", "str", "of gradients: none, clip_by_norm, clip_by_value, floor"
        ),
        Column("threshold", "float", "its number; 0 of none"),
        Column("steps", "int", "that training has, with a minibatch each; 0 without it"),
        Column("seed", "int", "of weights and order of images"),
        Column("step", "int", "steps done when signals and test were measured"),
        Column("layer", "int", "1 to 2N + 5 in part layers; 0 is the whole network"),
        Column("act", "float", "log10 of the rms of a layer's outputs", decimals=3),
        Column("delta", "float", "log10 of the rms of ∂L/∂z of a layer", decimals=3),
        Column("weight_grad", "float", "log10 of |∂L/∂W| of a layer", decimals=3),
        Column("weight", "float", "log10 of |W| of a layer", decimals=3),
        Column("first_grad", "float", "log10 of |∂L/∂W| of layer 1 at step 0", decimals=3),
        Column(
            "act_slope", "float", "decades that act grows by per convolution", decimals=4
        ),
        Column(
            "delta_slope", "float", "decades that delta grows by, going back", decimals=4
        ),
        Column("grad_slope", "float", "likewise weight_grad, going back", decimals=4),
        Column("act_lost", "int", "first layer whose act is not finite or 0, 0 if none"),
        Column("delta_lost", "int", "last layer whose delta is, 0 if none"),
        Column("loss", "float", "mean cross entropy of the last minibatches, nats"),
        Column("test_loss", "float", "cross entropy of the test images, nats"),
        Column(
            "accuracy", "float", "share of the test images right at the end", decimals=4
        ),
        Column("best_accuracy", "float", "the best of the records", decimals=4),
        Column("diverged", "int", "first step whose loss is not finite, -1 if none"),
    ),
    order=(
        *("part", "data", "activation", "cure", "scheme", "modules", "optimizer", "rate"),
        *("epsilon", "transform", "threshold", "steps", "seed", "step", "layer"),
    ),
)
TRAINED = 0.5
"""Test accuracy from which on a network counts as trained; guessing has 0.1."""

PRESETS: Mapping[str, Config] = {
    "smoke": Config(
        activations=("relu",),
        cures=("plain", "both"),
        starts=("torch",),
        start_modules=(2,),
        deep_modules=(),
        start_seeds=2,
        profiles=(1,),
        studies=("map",),
        modules=(1,),
        steps=4,
        seeds=1,
    ),
    "default": Config(),
    "paper": Config(
        start_modules=(0, 2, 5, 10, 20, 40, 60, 100, 200, 500),
        deep_starts=SCHEMES,
        deep_modules=(1000,),
        start_batch=64,
        modules=(0, 2, 5, 10, 20, 40, 60, 80, 100, 300, 1000),
        relu_modules=(*range(1, 13), 15, 20, 30, 40),
        sigmoid_modules=(*range(13), 15, 20),
        steps=2500,
        sigmoid_map=(0, 2, 5, 10, 20, 40),
        sigmoid_steps=10_000,
        patient_modules=(1, 2, 3, 6),
        patient_steps=50_000,
        batch=64,
        rates=(1e-4, 3e-4, 3e-3),
        epsilons=(1e-10, 1e-12, 1e-14, 1e-16),
        floors=(1e-6, 1e-4, 1e-2),
        seeds=5,
        deep=10**6,
        clip_modules=(2, 5, 10, 20),
        layer_seeds=5,
    ),
}


def cells(config: Config) -> list[Cell]:
    """One cell per network."""
    check(config)
    return studies.networks(config)


def unit(cell: Cell) -> Hashable:
    """Networks of one question are measured together; a deep one takes much room."""
    return cell["study"], cell["seed"] // (4 if cell["study"] == "deep" else 10)


def program(cell: Cell) -> Hashable:
    """Networks of one architecture, optimizer and room share one program."""
    return price.program(cell)


def measure(cells: list[Cell], config: Config) -> Mapping[str, Any]:
    """Signals before training, or what training leaves."""
    from sweeps.data.mnist import mnist_split
    from sweeps.lenet.rows import rows  # JAX, which drawing does without

    return rows(cells, mnist_split(config.data_dir), studies.batch(cells[0], config))


def cost(cells: list[Cell], config: Config) -> Cost:
    """Programs, memory and rows of one call of ``measure``."""
    import jax

    from initjax.engine.cores import cores

    images = (60_000, 10_000) if config.data_dir else (4000, 1000)
    at_once = cores() if jax.default_backend() == "cpu" else 0
    return price.price(
        cells, batch=studies.batch(cells[0], config), images=images, at_once=at_once
    )


if __name__ == "__main__":
    from sweeps.harness.cli import main

    raise SystemExit(main("lenet_depth"))
