"""Is the signal alive? A verdict on any Flax model before it is trained.

``diagnose`` probes a model and decides; ``rules`` holds one rule a verdict, ``limits``
what an architecture makes normal, ``remedies`` what mends it.
"""

from initjax.checkup.diagnose import diagnose as diagnose
from initjax.checkup.diagnosis import Diagnosis as Diagnosis
from initjax.checkup.diagnosis import Unhealthy as Unhealthy
from initjax.checkup.finding import Finding as Finding
from initjax.checkup.finding import Remedy as Remedy
