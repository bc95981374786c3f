"""The programs behind a measurement, lowered as it would run them."""

import importlib

import jax

from initjax.engine import cores

NAMES = {
    "_draw_networks": "initjax.engine.draws",
    "_enter_chains": "initjax.engine.measure_chains",
    "_run_chains": "initjax.engine.measure_chains",
    "_run_blocks": "initjax.engine.measure_blocks",
}


class _Enough(Exception):
    pass


def jitted():
    """The jitted functions by name; only now, as the engine is imported late."""
    return {
        name: getattr(importlib.import_module(module), name)
        for name, module in NAMES.items()
    }


def _rows(array, rows):
    """Some rows, of an array or of what only says its shape."""
    if not isinstance(array, jax.ShapeDtypeStruct):
        return array[rows]
    return jax.ShapeDtypeStruct((rows.stop - rows.start, *array.shape[1:]), array.dtype)


def lowered(monkeypatch, measure, run=False):
    """What ``measure()`` lowers, by name; none of it is run unless ``run``."""
    seen = {}

    def watching(name, function):
        def instead(*args, **settings):
            seen[name] = function.lower(*args, **settings)
            if run:
                return function(*args, **settings)
            if name.startswith("_run"):
                raise _Enough
            return jax.eval_shape(lambda *a: function(*a, **settings), *args)

        return instead

    with monkeypatch.context() as patch:
        patch.setattr(cores, "_rows", _rows)
        for name, function in jitted().items():
            module = importlib.import_module(NAMES[name])
            patch.setattr(module, name, watching(name, function))
        try:
            measure()
        except _Enough:
            assert not run
    return seen


def megabytes(program):
    """Memory of a lowered program: arguments, output and temporaries."""
    sizes = program.compile().memory_analysis()
    return (
        sizes.argument_size_in_bytes + sizes.output_size_in_bytes + sizes.temp_size_in_bytes
    ) / 1e6
