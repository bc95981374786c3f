"""Figures of the sweeps: tables in, Axes out; ``python -m analysis.<name>``.

Each module has the name of its sweep and ends with FIGURES. The theory drawn
over a measurement comes from ``initjax.meanfield``; nothing here measures.
"""
