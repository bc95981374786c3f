"""Computations of the sweeps ``isometry`` and ``learning_time``."""
