"""Where a thousand modules have what comes back measured instead of kept."""

from initjax.engine.statistics import log10_rms
from initjax.probes.taps import tap_of

tap = tap_of(log10_rms)
"""Its slot tells log10 √(mean (∂L/∂z)²)."""
