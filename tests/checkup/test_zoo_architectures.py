"""Verdicts on the models of the zoo that take long to compile, beside ``test_zoo``."""

import pytest

from tests.checkup.zoo_diagnosed import right_and_healed

SLOW = (
    *(("bfloat16_by_initjax", "nnx"), ("residual_plain", "linen"), ("gpt2", "nnx")),
    *(("residual_rezero", "linen"), ("vgg_he", "linen"), ("swiglu", "linen")),
    *(("text_classifier", "linen"), ("attention_only_batch", "linen")),
    *(("pre_ln", "nnx"), ("rnn_lstm", "linen"), ("ensemble", "linen")),
    *(("lenet_tanh", "linen"), ("mixer", "linen"), ("siren", "linen")),
)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "form"), SLOW, ids=["-".join(one) for one in SLOW])
def test_the_verdict_is_right_and_the_remedy_heals(name, form):
    right_and_healed(name, form)
