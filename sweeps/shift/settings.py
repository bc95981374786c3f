"""What all parts of the sweep are told."""

from typing import NamedTuple


class Settings(NamedTuple):
    """Sizes of the data, and how a softmax regression is trained.

    Attributes:
        images: Of the source, and of the target, under covariate shift.
        noise: Standard deviation of the noise, in those of the pixels.
        label_images: Of the source, of those held out, and of the target, under label
            shift.
        steps: Of Adam, on all images of a problem at once.
        rate: Learning rate of Adam.
        l2: λ of the penalty ½ λ |W|².
    """

    images: int
    noise: float
    label_images: int
    steps: int
    rate: float
    l2: float
