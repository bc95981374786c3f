"""Fully connected networks trained on MNIST, many of one shape at once."""
