"""The same with initjax."""

from functools import partial

from sweeps.contest import import_flax

run = partial(import_flax.run, words=f"{import_flax.WORDS}, initjax")
