"""initjax: know before you train.

    init         initializers for Flax layers, right in law, fan and precision
    gains        gain of any activation and gated unit: forward, backward, centered
    fans         fan-in and fan-out of a kernel by the role of its axes
    activations  named nonlinearities with their kinks
    meanfield    how signals and gradients move through depth, in theory
    recipes      depth-aware rules as transforms of a parameter tree, matched by path
    models       the networks that the sweeps measure, in linen and nnx
    engine       many networks at once: forward, backward, per-layer statistics
    probes       what any network does, measured: every layer, and the whole Jacobian
    checkup      is the signal alive? a verdict, its evidence and a remedy

    probe        (model, batch): what goes forward and comes back, layer by layer
    diagnose     (model, batch): the check-up

``meanfield`` and what follows it are loaded when first used; ``recipes``, ``models``,
``engine``, ``probes`` and ``checkup`` need flax.
"""

import importlib
from typing import Any

from initjax import activations as activations
from initjax import fans as fans
from initjax import gains as gains
from initjax import init as init

__version__ = "0.1.0"

_ON_USE = ("meanfield", "recipes", "models", "engine", "probes", "checkup")
_CALLS = {"probe": "probes", "diagnose": "checkup"}


def __getattr__(name: str) -> Any:
    if name in _ON_USE:
        return importlib.import_module(f"initjax.{name}")
    if name in _CALLS:
        return getattr(importlib.import_module(f"initjax.{_CALLS[name]}"), name)
    raise AttributeError(f"module 'initjax' has no attribute {name!r}")
