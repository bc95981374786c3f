"""Which networks each question asks for; one that two of them ask for is made once."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from sweeps.harness.grid import Cell, product
from sweeps.lenet.config import ACTIVATIONS, CURES, Config, source

RECORDS = 5
"""Records after the start of a network whose layers are followed through training."""
_UNTRAINED: dict[str, Any] = {"optimizer": ["-"], "rate": [0.0], "epsilon": [0.0]}
_PLAIN: dict[str, Any] = {"transform": ["none"], "threshold": [0.0]}
LONG = 1000
"""Steps from which on a network is also tested half way."""
Axes = dict[str, Any]


def networks(config: Config) -> list[Cell]:
    """Every network once, under the first question that asks for it."""
    found: dict[tuple[Any, ...], Cell] = {}
    data = source(config.data_dir)
    for cell in (*_starts(config, data), *_trained(config, data)):
        if fits(cell) and _wanted(cell, config):
            identity = tuple(value for name, value in cell.items() if name != "study")
            found.setdefault(identity, cell)
    return list(found.values())


def fits(cell: Cell) -> bool:
    """Whether there is such a start: Fixup wants shortcuts and no normalization."""
    return cell["scheme"] != "fixup" or cell["cure"] == "shortcut"


def _deep(cell: Cell) -> bool:
    """Of a thousand modules: every cure of ReLUs, and what is told of others."""
    told = cell["scheme"] == "torch" or cell["activation"] == "relu"
    cures = cell["scheme"] == "torch" and cell["activation"] == "relu"
    return told and (cures or cell["cure"] == "plain")


def _wanted(cell: Cell, config: Config) -> bool:
    if cell["study"] == "deep" and not _deep(cell):
        return False
    return cell["activation"] in config.activations and cell["cure"] in config.cures


def records(cell: Cell) -> list[int]:
    """Steps after which a network in training is looked at.

    Example:
        >>> records({"part": "train", "steps": 250})
        [0, 250]
        >>> records({"part": "train", "steps": 5000})
        [0, 2500, 5000]
    """
    count = 1 + (cell["steps"] >= LONG) if cell["part"] == "train" else RECORDS
    return np.unique(np.linspace(0, cell["steps"], count + 1).astype(int)).tolist()


def _starts(config: Config, data: str) -> Iterator[Cell]:
    """Networks before training."""
    seeds = range(config.start_seeds)
    groups = (
        ("start", "ladder", config.starts, config.start_modules, seeds),
        ("start", "deep", config.deep_starts, config.deep_modules, seeds),
        ("layers", "profile", config.starts, config.profiles, range(1)),
    )
    for part, study, schemes, modules, some in groups:
        yield from product(
            part=[part],
            study=[study],
            data=[data],
            activation=ACTIVATIONS,
            cure=CURES,
            scheme=schemes,
            modules=modules,
            **_UNTRAINED,
            **_PLAIN,
            steps=[0],
            seed=some,
        )


def _trained(config: Config, data: str) -> Iterator[Cell]:
    """Networks in training, question by question."""
    for study in config.studies:
        for axes in ASKED[study](config):
            part = "layers" if study == "layers" else "train"
            own = {**_adam(config), **_PLAIN, "steps": [config.steps]}
            own |= {"seed": range(config.seeds), **axes}
            yield from product(part=[part], study=[study], data=[data], **_ordered(own))


def _ordered(axes: Axes) -> Axes:
    names = ("activation", "cure", "scheme", "modules", "optimizer", "rate", "epsilon")
    return {
        name: axes[name] for name in (*names, "transform", "threshold", "steps", "seed")
    }


def _adam(config: Config) -> Axes:
    return {"optimizer": ["adam"], "rate": [config.rate], "epsilon": [1e-8]}


def _sgd(config: Config) -> Axes:
    return {"optimizer": ["sgd"], "rate": [config.sgd_rate], "epsilon": [0.0]}


def _kind(activation: str, cure: str, scheme: str) -> Axes:
    return {"activation": [activation], "cure": [cure], "scheme": [scheme]}


def _by_depth(config: Config) -> list[Axes]:
    """The depths of the map, fewer seeds from where they are dear."""
    shallow = [n for n in config.modules if n < config.deep]
    deep = [n for n in config.modules if n >= config.deep]
    return [
        {"modules": shallow},
        {"modules": deep, "seed": range(min(config.deep_seeds, config.seeds))},
    ]


def _map(config: Config) -> list[Axes]:
    """How deep does each activation train, with each cure?

    ReLUs from torch's default, sigmoids from Xavier's law. Plain networks, and sigmoids,
    only to where they fail in so many steps.
    """
    found = list[Axes]()
    for cure in CURES:
        for depths in _by_depth(config)[: 1 if cure == "plain" else 2]:
            found.append(_kind("relu", cure, "torch") | depths)
        own = {"modules": config.sigmoid_map, **_slow(config)}
        found.append(_kind("sigmoid", cure, "xavier_normal") | own)
    return found


def _slow(config: Config) -> Axes:
    """The way of training of sigmoids from Xavier's law."""
    return {"steps": [config.sigmoid_steps], "rate": [config.sigmoid_rate]}


def _shallow(config: Config, activation: str, scheme: str = "torch") -> Axes:
    """Plain networks, whose frontier is looked for module by module."""
    own: Axes = {"modules": config.relu_modules}
    if activation == "sigmoid":
        own = {"modules": config.sigmoid_modules, "steps": [config.sigmoid_steps]}
        own |= _slow(config) if scheme != "torch" else {}
    return _kind(activation, "plain", scheme) | own


def _plain(config: Config) -> list[Axes]:
    """After how many modules does a plain network no longer train?"""
    return [_shallow(config, activation) for activation in ACTIVATIONS]


def _epsilon(config: Config) -> list[Axes]:
    """How far does a smaller ε move that?"""
    return [_shallow(config, "relu") | {"epsilon": config.epsilons}]


def _rates(config: Config) -> list[Axes]:
    """And another rate, or SGD?"""
    few: Axes = {"modules": config.clip_modules}
    ways: tuple[Axes, ...] = ({"rate": config.rates}, _sgd(config))
    return [_shallow(config, "relu") | few | way for way in ways]


def _schemes(config: Config) -> list[Axes]:
    """And another initialization; and Fixup where there are shortcuts?"""
    others = ("xavier_normal", "kaiming_normal", "delta_orthogonal")
    fixup = _kind("relu", "shortcut", "fixup")
    return [
        *(_shallow(config, "relu", scheme) for scheme in others),
        _shallow(config, "sigmoid", "xavier_normal"),
        *(fixup | depths for depths in _by_depth(config)),
    ]


def _patience(config: Config) -> list[Axes]:
    """And a longer training?"""
    longer: Axes = {"modules": config.patient_modules, "steps": [config.patient_steps]}
    longer["seed"] = range(min(config.deep_seeds, config.seeds))
    return [_shallow(config, "sigmoid", "xavier_normal") | longer]


def _clipping(config: Config) -> list[Axes]:
    """Does clipping cure gradients that explode, and those that vanish?"""
    ways = (
        _PLAIN,
        {"transform": ["clip_by_norm"], "threshold": [config.clip_norm]},
        {"transform": ["clip_by_value"], "threshold": [config.clip_value]},
    )
    return [
        _shallow(config, "relu", scheme)
        | {"modules": config.clip_modules}
        | _sgd(config)
        | way
        for scheme in ("uniform(-0.5, 0.5)", "torch")
        for way in ways
    ]


def _floor(config: Config) -> list[Axes]:
    """Does a floor under small gradients bring vanished ones back?"""
    way: Axes = {"transform": ["floor"], "threshold": config.floors}
    way |= {"modules": config.clip_modules}
    return [_shallow(config, "relu") | _sgd(config) | way]


def _layers(config: Config) -> list[Axes]:
    """After training with shortcuts, are some layers without gradient or weights?"""
    deep: Axes = {"modules": [config.layer_modules], "steps": [config.layer_steps]}
    deep |= {"seed": range(config.layer_seeds)}
    return [_kind("relu", "shortcut", "torch") | deep]


ASKED: Mapping[str, Callable[[Config], list[Axes]]] = {
    "map": _map,
    "plain": _plain,
    "epsilon": _epsilon,
    "rates": _rates,
    "schemes": _schemes,
    "patience": _patience,
    "clipping": _clipping,
    "floor": _floor,
    "layers": _layers,
}


def batch(cell: Cell, config: Config) -> int:
    """Images of a minibatch, and of the one that signals are measured on."""
    if not cell["steps"]:
        return config.start_batch
    return config.layer_batch if cell["part"] == "layers" else config.batch
