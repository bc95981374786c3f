"""Whether the settings of ``sweeps.lenet_depth`` make sense, before anything is made."""

from collections.abc import Sequence

from sweeps import axes
from sweeps.lenet.config import ACTIVATIONS, CURES, Config
from sweeps.lenet.studies import ASKED

_MOST = 100_000
_PLAIN = ("relu_modules", "sigmoid_modules", "clip_modules")
_STEPS = ("steps", "sigmoid_steps", "layer_steps")
_NUMBERS = ("rate", "sigmoid_rate", "sgd_rate", "clip_norm", "clip_value")
_SERIES = ("rates", "epsilons", "floors")


def check(config: Config) -> None:
    """See that all networks can be made.

    Raises:
        ValueError: if some cannot.
    """
    for axis in ("start_seeds", "seeds", "deep_seeds", "layer_seeds", *_STEPS):
        axes.within(_option(axis), [getattr(config, axis)], 1, _MOST)
    for axis in ("batch", "start_batch", "layer_batch"):
        axes.within(_option(axis), [getattr(config, axis)], 1, 4000)
    for axis in (
        "start_modules",
        "modules",
        "relu_modules",
        "sigmoid_modules",
        "clip_modules",
    ):
        axes.within(_option(axis), getattr(config, axis), 0, _MOST)
    for axis in ("deep_modules", "profiles"):
        if values := getattr(config, axis):
            axes.within(_option(axis), values, 0, _MOST)
    axes.within("layer-modules", [config.layer_modules], 0, _MOST)
    for axis in _NUMBERS:
        axes.positive(_option(axis), [getattr(config, axis)])
    for axis in _SERIES:
        axes.positive(_option(axis), getattr(config, axis))
    _known("activations", config.activations, ACTIVATIONS)
    _known("cures", config.cures, CURES)
    _known("studies", config.studies, list(ASKED))
    _starts("starts", config.starts)
    _starts("deep-starts", config.deep_starts)


def _option(name: str) -> str:
    return name.replace("_", "-")


def _known(axis: str, values: Sequence[str], known: Sequence[str]) -> None:
    for value in values or [""]:
        if value not in known:
            raise ValueError(f"--{axis} must be of {', '.join(known)}; got {value!r}")


def _starts(axis: str, names: Sequence[str]) -> None:
    from sweeps.lenet.starts import canonical  # JAX, which drawing does without

    for name in names:
        try:
            spelled = canonical(name)
        except ValueError as error:
            raise ValueError(f"--{axis}: {error}") from error
        if spelled != name:
            raise ValueError(f"--{axis} must have {spelled!r}; got {name!r}")
