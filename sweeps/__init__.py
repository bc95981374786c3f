"""Experiments, one file each: ``python -m sweeps.<name>`` from a checkout.

A sweep is a question (its docstring), a ``Config`` (its command line), a
``SCHEMA`` (its table), ``cells`` (its grid) and ``measure`` (its work);
``sweeps.harness`` does the rest.
"""
