"""Sites of a model, read and not run."""

import jax

from initjax.probes import batches, networks, programs
from initjax.probes.drafts import finished
from initjax.probes.probe import parted


def read(model, batch):
    """Sites and the reader of a linen module or a callable Rngs -> nnx module."""
    given = batches.read(batch)
    network = networks.read(model, given, given=False)
    variables = jax.eval_shape(network.init, jax.random.key(0), given.arrays)
    params, paths, others, tree = parted(variables)

    def apply(params, others, key, arrays):
        return network.apply(tree(params, others), key, arrays)

    program = programs.make(apply, params, paths, others, given.arrays, None)
    return finished(program.reader.drafts)[1], program.reader


def kinds(model, batch):
    """Path to kind."""
    sites, _ = read(model, batch)
    return {site.path: site.kind for site in sites}


def named(sites):
    """Path to site."""
    return {site.path: site for site in sites}
