"""initjax: know before you train.

    init         initializers for Flax layers, right in law, fan and precision
    gains        gain of any activation and gated unit: forward, backward, centered
    fans         fan-in and fan-out of a kernel by the role of its axes
    activations  named nonlinearities with their kinks
    meanfield    how signals and gradients move through depth, in theory
    recipes      depth-aware rules as transforms of a parameter tree, matched by path
    models       the networks that the sweeps measure, in linen and nnx
    engine       many networks at once: forward, backward, per-layer statistics
    probes       what any network does, measured: its Jacobian, exactly and matrix-free

``meanfield`` and what follows it are loaded when first used; ``recipes``, ``models`` and
``engine`` need flax.
"""

import importlib
from types import ModuleType

from initjax import activations as activations
from initjax import fans as fans
from initjax import gains as gains
from initjax import init as init

__version__ = "0.1.0"

_ON_USE = ("meanfield", "recipes", "models", "engine", "probes")


def __getattr__(name: str) -> ModuleType:
    if name in _ON_USE:
        return importlib.import_module(f"initjax.{name}")
    raise AttributeError(f"module 'initjax' has no attribute {name!r}")
