"""What ``sweeps.width_fluctuations`` computes: many narrow networks, one by one."""
