"""Networks over the plane (σ_w, σ_b), for ``sweeps.phase_diagram``."""
