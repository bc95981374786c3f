"""What ``sweeps.init_distributions`` computes: samples of initializers against laws."""
