import jax
import numpy as np
import pytest

from sweeps import data


def test_mnist_is_real_and_standardized():
    images, labels = data.mnist()
    assert images.shape == (5000, 784)
    assert np.bincount(labels).tolist() == [500] * 10
    assert abs(images.mean(dtype=np.float64)) < 1e-6
    assert images.std(dtype=np.float64) == pytest.approx(1, abs=1e-6)
    assert abs(np.corrcoef(images[0], images[1])[0, 1]) < 0.99


def test_mnist_batches_are_images_with_their_labels():
    batch = data.draw("mnist", jax.random.key(0), batch=64, width=3)
    images, labels = data.mnist()
    rows = [int(np.flatnonzero((images == x).all(1))[0]) for x in np.asarray(batch.inputs)]
    assert len(set(rows)) == 64
    np.testing.assert_array_equal(labels[rows], batch.labels)


def test_other_inputs():
    for kind in ("gaussian", "ones"):
        batch = data.draw(kind, jax.random.key(1), batch=500, width=20)
        assert batch.inputs.shape == (500, data.features(kind, 20)) == (500, 20)
        assert set(np.unique(batch.labels)) == set(range(10))
    assert float(data.draw("ones", jax.random.key(1), batch=2, width=2).inputs.min()) == 1
    with pytest.raises(ValueError, match="'noise' is unknown"):
        data.draw("noise", jax.random.key(0), batch=1, width=1)
