"""The table of all initializers, each once: factory, law, reference."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from initjax.init import first_names, last_names, orthogonal, plain, scaled
from initjax.init.bases import Law
from initjax.init.scaled import ScaledInitializer
from initjax.typing import Shape


@dataclass(frozen=True)
class Entry:
    """One initializer.

    Attributes:
        factory: Function of the scheme's arguments that returns an initializer.
        defaults: Arguments for those that the factory requires.
        reference: Where the scheme was published.
    """

    factory: Callable[..., ScaledInitializer]
    defaults: Mapping[str, Any]
    reference: str

    def law(self, shape: Shape, **arguments: Any) -> Law:
        """Mean, variance, kurtosis and support of an entry of a kernel of ``shape``."""
        return self.factory(**{**self.defaults, **arguments}).law(shape)

    def build(self, **arguments: Any) -> ScaledInitializer:
        """The initializer with ``arguments`` over the defaults."""
        return self.factory(**{**self.defaults, **arguments})


_GLOROT = "Glorot & Bengio (2010), AISTATS"
_HE = "He et al. (2015), arXiv:1502.01852"
_LECUN = "LeCun et al. (1998), Efficient BackProp"
_SAXE = "Saxe et al. (2014), arXiv:1312.6120"
_NONE = "elementary"

_ENTRIES: tuple[tuple[Callable[..., Any], dict[str, Any], str], ...] = (
    (plain.zeros, {}, _NONE),
    (plain.ones, {}, _NONE),
    (plain.constant, {"value": 0.1}, _NONE),
    (plain.normal, {}, _NONE),
    (plain.uniform, {}, _NONE),
    (scaled.variance_scaling, {"scale": 1.0}, f"{_GLOROT}; {_HE}"),
    (first_names.xavier_uniform, {}, _GLOROT),
    (first_names.xavier_normal, {}, _GLOROT),
    (first_names.kaiming_uniform, {}, _HE),
    (first_names.kaiming_normal, {}, _HE),
    (last_names.glorot_uniform, {}, _GLOROT),
    (last_names.glorot_normal, {}, _GLOROT),
    (last_names.he_uniform, {}, _HE),
    (last_names.he_normal, {}, _HE),
    (last_names.lecun_uniform, {}, _LECUN),
    (last_names.lecun_normal, {}, _LECUN),
    (orthogonal.orthogonal, {}, _SAXE),
)

INITIALIZERS: Mapping[str, Entry] = MappingProxyType(
    {
        factory.__name__: Entry(factory, MappingProxyType(defaults), reference)
        for factory, defaults, reference in _ENTRIES
    }
)
