import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from initjax.fans import conv, dense, fans

sizes = st.integers(0, 9)


@given(st.lists(sizes, min_size=2, max_size=5))
def test_product_of_fans_counts_the_window_twice(shape):
    fan_in, fan_out = fans(tuple(shape))
    window = math.prod(shape[:-2])
    assert (fan_in, fan_out) == (shape[-2] * window, shape[-1] * window)


@given(st.lists(sizes, min_size=3, max_size=5))
def test_batch_axes_count_for_neither_fan(shape):
    assert fans(tuple(shape), batch_axis=0) == fans(tuple(shape[1:]))


def test_axes_by_role():
    # Einsum btd,dhk->bthk: one input axis, two output axes.
    assert fans((64, 8, 16), in_axis=0, out_axis=(1, 2)) == (64, 128)
    # torch's layout (out, in).
    assert fans((10, 20), in_axis=1, out_axis=0) == (20, 10)


def test_numpy_integers_are_axes_and_sizes():
    assert fans((np.int64(3), 4), in_axis=np.int64(0)) == (3, 4)
    with pytest.raises(TypeError):
        fans((3.5, 4))


def test_dense_and_conv():
    assert dense((3, 7)) == (3, 7)
    assert conv((5, 5, 6, 16)) == (150, 400)
    assert conv((3, 3, 8, 32), feature_group_count=4) == (72, 72)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: fans((5,)), "in_axis=-2"),
        (lambda: fans((5, 6), in_axis=2), "in_axis=2"),
        (lambda: fans((5, 6), in_axis=1), "two roles"),
        (lambda: fans((5, 6), batch_axis=0), "two roles"),
        (lambda: dense((1, 2, 3)), "Dense kernel"),
        (lambda: conv((2, 3)), "Conv kernel"),
        (lambda: conv((3, 3, 2, 10), feature_group_count=3), "feature_group_count=3"),
        (lambda: conv((3, 3, 2, 10), feature_group_count=0), "feature_group_count=0"),
    ],
)
def test_errors_name_the_argument(call, match):
    with pytest.raises(ValueError, match=match):
        call()
