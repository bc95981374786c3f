"""Inputs of the sweeps: Gaussian noise, ones, real images, and two moons, with labels."""

from sweeps.data.mnist import CLASSES as CLASSES
from sweeps.data.mnist import INPUTS as INPUTS
from sweeps.data.mnist import MNIST_IMAGES as MNIST_IMAGES
from sweeps.data.mnist import MNIST_PIXELS as MNIST_PIXELS
from sweeps.data.mnist import Batch as Batch
from sweeps.data.mnist import draw as draw
from sweeps.data.mnist import features as features
from sweeps.data.mnist import mnist as mnist
