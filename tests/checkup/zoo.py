"""All models with a known state, by name; those in two forms count once."""

from tests.checkup.zoo_convolutional import CONVOLUTIONAL
from tests.checkup.zoo_mlps import MLPS
from tests.checkup.zoo_others import OTHERS
from tests.checkup.zoo_specimen import Specimen as Specimen
from tests.checkup.zoo_transformers import TRANSFORMERS

ZOO = MLPS | CONVOLUTIONAL | TRANSFORMERS | OTHERS


def forms(name):
    """The names of the fields that hold a model: linen, nnx or both."""
    return [form for form in ("linen", "nnx") if getattr(ZOO[name], form) is not None]
