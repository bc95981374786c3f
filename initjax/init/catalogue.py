"""The table of all initializers, each once: factory, law, formula, use, reference."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from initjax.init.entries import PLAIN, SCALED, STRUCTURED
from initjax.init.laws import Law
from initjax.init.sampled import Lawful
from initjax.typing import DType, Shape


@dataclass(frozen=True)
class Entry:
    """One initializer.

    Attributes:
        factory: Function of the scheme's arguments that returns an initializer.
        defaults: Arguments for those that the factory requires.
        formula: Law of an entry, with the defaults of the factory.
        use: When to use it.
        reference: Where the scheme was published.
    """

    factory: Callable[..., Lawful]
    defaults: Mapping[str, Any]
    formula: str
    use: str
    reference: str

    def law(self, shape: Shape, dtype: DType = None, **arguments: Any) -> Law:
        """Law of an entry of a kernel of ``shape``, see ``Law``."""
        return self.build(**arguments).law(shape, dtype)

    def build(self, **arguments: Any) -> Lawful:
        """The initializer with ``arguments`` over the defaults."""
        return self.factory(**{**self.defaults, **arguments})


INITIALIZERS: Mapping[str, Entry] = MappingProxyType(
    {
        factory.__name__: Entry(
            factory, MappingProxyType(defaults), formula, use, reference
        )
        for factory, defaults, formula, use, reference in (*PLAIN, *SCALED, *STRUCTURED)
    }
)
