"""What diagnose says of models whose state is known, and how often it errs.

Some models run in every test, here and in ``test_zoo_architectures``; ``pytest
tests/checkup --zoo`` takes all of them, in both forms, and 20 keys of each.
"""

from collections import Counter

import jax
import pytest

from tests.checkup.conftest import asked_for
from tests.checkup.test_zoo_architectures import SLOW
from tests.checkup.zoo import ZOO, forms
from tests.checkup.zoo_diagnosed import diagnosed, right_and_healed

# Each verdict, and each architecture that looks like one but is healthy. Deep stacks of
# convolutions are left to the whole zoo: they take minutes as tests compile them.
QUICK = (
    *(("gaussian_1_relu", "linen"), ("xavier_relu_100", "nnx"), ("he_relu_100", "linen")),
    *(("zeros", "nnx"), ("bias_minus_8_relu", "linen"), ("sigmoid_saturated", "linen")),
    *(("tanh_ordered_60", "linen"), ("nan_at_layer_3", "linen"), ("lenet_relu", "nnx")),
    *(("bfloat16_by_jax", "nnx"), ("rnn_forgets", "linen"), ("scanned_48", "nnx")),
)
EVERY = [(name, form) for name in ZOO for form in forms(name)]
KEYS = 20


def pytest_generate_tests(metafunc):
    if "form" in metafunc.fixturenames:
        elsewhere = set(SLOW)
        whole = [one for one in EVERY if one not in elsewhere]
        cases = whole if asked_for(metafunc.config) else QUICK
        metafunc.parametrize(("name", "form"), cases, ids=["-".join(one) for one in cases])


def test_what_runs_in_every_test_has_every_verdict():
    picked = QUICK + SLOW
    assert set(picked) <= set(EVERY)
    assert len({name for name, _ in picked}) >= 24
    seen = {verdict for name, _ in picked for verdict in ZOO[name].verdicts}
    assert seen == {verdict for specimen in ZOO.values() for verdict in specimen.verdicts}


def test_the_verdict_is_right_and_the_remedy_heals(name, form):
    right_and_healed(name, form)


@pytest.mark.usefixtures("whole_zoo")
def test_rates_over_twenty_keys():
    """False alarms, and what is missed, of 20 keys for every model.

    The verdicts of one model are not independent: the bounds, 1 % of alarms and 2 % of
    wrong verdicts, are chosen for these models and say nothing of others.
    """
    wrong, alarms = Counter[str](), Counter[str]()
    for name, specimen in ZOO.items():
        for key in jax.random.split(jax.random.key(11), KEYS):
            diagnosis = diagnosed(name, forms(name)[0], key)
            wrong[name] += diagnosis.verdict not in specimen.verdicts
            if specimen.verdicts == ("healthy",):
                alarms[name] += bool(diagnosis.findings)
    assert wrong.total() <= 0.02 * KEYS * len(ZOO), +wrong
    assert alarms.total() <= 0.01 * KEYS * len(alarms), +alarms
