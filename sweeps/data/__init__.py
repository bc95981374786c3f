"""Inputs of the sweeps: noise, ones, real images, a person's file, and two moons."""

from sweeps.data.archive import is_archive as is_archive
from sweeps.data.batches import INPUTS as INPUTS
from sweeps.data.batches import Batch as Batch
from sweeps.data.batches import count as count
from sweeps.data.batches import draw as draw
from sweeps.data.batches import features as features
from sweeps.data.batches import files as files
from sweeps.data.batches import name as name
from sweeps.data.digits import digits as digits
from sweeps.data.examples import CLASSES as CLASSES
from sweeps.data.mnist import MNIST_IMAGES as MNIST_IMAGES
from sweeps.data.mnist import MNIST_PIXELS as MNIST_PIXELS
from sweeps.data.mnist import mnist as mnist
