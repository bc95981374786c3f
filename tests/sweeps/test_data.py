import jax
import numpy as np
import pytest

from sweeps import data


@pytest.mark.parametrize(
    ("load", "shape", "least"),
    [(data.mnist, (5000, 784), 500), (data.digits, (1797, 64), 174)],
)
def test_images_are_real_and_standardized(load, shape, least):
    images, labels = load()
    assert images.shape == shape
    assert images.dtype == np.float32
    assert len(np.bincount(labels)) == 10
    assert np.bincount(labels).min() == least
    assert abs(images.mean(dtype=np.float64)) < 1e-6
    assert images.std(dtype=np.float64) == pytest.approx(1, abs=1e-6)
    assert abs(np.corrcoef(images[0], images[1])[0, 1]) < 0.99
    centers = np.stack([images[labels == digit].mean(0) for digit in range(10)])
    distances = ((images[:300, None] - centers) ** 2).sum(-1)
    assert (distances.argmin(1) == labels[:300]).mean() > 0.7, "labels are of the images"


@pytest.mark.parametrize(("kind", "load"), [("mnist", data.mnist), ("digits", data.digits)])
def test_batches_are_images_with_their_labels(kind, load):
    batch = data.draw(kind, jax.random.key(0), batch=64, width=3)
    images, labels = load()
    rows = [int(np.flatnonzero((images == x).all(1))[0]) for x in np.asarray(batch.inputs)]
    assert len(set(rows)) == 64
    np.testing.assert_array_equal(labels[rows], batch.labels)


def test_noise_is_as_long_as_a_network_is_wide():
    for kind in ("gaussian", "ones"):
        batch = data.draw(kind, jax.random.key(1), batch=500, width=20)
        assert batch.inputs.shape == (500, data.features(kind, 20)) == (500, 20)
        assert set(np.unique(batch.labels)) == set(range(10))
        assert data.count(kind) is None
    assert float(data.draw("ones", jax.random.key(1), batch=2, width=2).inputs.min()) == 1


@pytest.mark.parametrize("kind", ["mnist", "digits"])
def test_sizes_are_those_of_the_images(kind):
    known = data.count(kind), data.features(kind, 3)
    assert known == getattr(data, kind)()[0].shape


def test_other_kinds_are_refused():
    for use in (data.features, lambda kind, width: data.count(kind)):
        with pytest.raises(
            ValueError, match="'noise' is unknown; use one of gaussian, ones"
        ):
            use("noise", 3)
    with pytest.raises(ValueError, match="'noise' is unknown"):
        data.draw("noise", jax.random.key(0), batch=1, width=1)
