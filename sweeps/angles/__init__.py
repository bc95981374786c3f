"""What ``sweeps.near_orthogonality`` computes: angles, lengths and singular values."""
