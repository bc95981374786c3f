"""A model of the zoo, diagnosed."""

import jax

from initjax import diagnose
from tests.checkup.zoo import ZOO


def diagnosed(name, form, key, **settings):
    """Its diagnosis."""
    specimen = ZOO[name]
    settings |= {"loss": specimen.loss, "key": key}
    return diagnose(getattr(specimen, form), specimen.batch, **settings)


def right_and_healed(name, form):
    """The verdict is right, and with the remedy the model is healthy.

    A finding without a remedy is one that no start of the parameters can mend.
    """
    diagnosis = diagnosed(name, form, jax.random.key(0))
    assert diagnosis.verdict in ZOO[name].verdicts, str(diagnosis)
    assert (diagnosis.verdict == "healthy") == (not diagnosis.findings), str(diagnosis)
    if diagnosis.healthy or not ZOO[name].curable:
        return
    assert any(finding.remedy for finding in diagnosis.findings), str(diagnosis)
    again = diagnosed(name, form, jax.random.key(1), variables=diagnosis.remedied)
    assert again.healthy, f"{diagnosis}\nremedied:\n{again}"
