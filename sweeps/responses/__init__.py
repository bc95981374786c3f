"""What ``sweeps.gain_vs_activation`` computes: gains by samples, and networks with them."""
