"""Columns of tables that hold one row per network and layer."""

from sweeps.harness.table import Column

NETWORK: tuple[Column, ...] = (
    Column("inputs", "str", "what it reads: a name such as mnist, or <file>.npz#<hash>"),
    Column("activation", "str", "nonlinearity φ after each hidden layer"),
    Column("scheme", "str", "initializer of every kernel"),
    Column("width", "int", "units of every hidden layer"),
    Column("depth", "int", "hidden layers"),
    Column("batch", "int", "inputs in the batch"),
    Column("seed", "int", "seed of weights and inputs"),
    Column("layer", "int", "hidden layer, from 0"),
)

STATISTICS: tuple[Column, ...] = (
    Column("sigma_w", "float", "std of √fan_in · W of this layer, by the scheme's law"),
    Column("preact_mean", "float", "mean of the pre-activations z"),
    Column("preact_log10_std", "float", "log10 of the std of z", decimals=4),
    Column("act_mean", "float", "mean of the activations h = φ(z)"),
    Column("act_log10_std", "float", "log10 of the std of h", decimals=4),
    Column(
        "act_log10_rms",
        "float",
        "log10 of the root of the second moment of h; -inf if all are 0",
        decimals=4,
    ),
    Column("zero_fraction", "float", "share of entries of h exactly 0", decimals=4),
    Column(
        "saturated_fraction",
        "float",
        "share of units with |φ′(z)| < 0.02 sup |φ′|",
        decimals=4,
    ),
    Column("cosine", "float", "cosine similarity of h, mean over pairs", decimals=4),
    Column("delta_log10_rms", "float", "log10 of the RMS of ∂L/∂z", decimals=4),
    Column("weight_grad_log10_norm", "float", "log10 of the L2 norm of ∂L/∂W", decimals=4),
    Column(
        "first_nonfinite",
        "int",
        "first layer of the network with a value that is not finite, -1 if none",
    ),
    Column(
        "first_flushed",
        "int",
        "first layer of the network whose z are all 0 because they fell below "
        "the smallest normal float, -1 if none",
    ),
    Column(
        "delta_flushed",
        "int",
        "last layer of the network in which the gradient became all 0 because it "
        "fell below the smallest normal float, -1 if none",
    ),
)
