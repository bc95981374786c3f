"""Run a grid of settings and keep what was measured; knows nothing of networks."""
