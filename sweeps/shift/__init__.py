"""What ``sweeps.distribution_shift`` computes: shifted data, and corrections."""
