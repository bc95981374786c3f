"""Runs of the tiny sweep, as its command line would make them."""

import pandas as pd

from sweeps.harness.directory import plain, prepare
from sweeps.harness.files import Store
from sweeps.harness.hosts import Hosts
from sweeps.harness.lock import held
from sweeps.harness.runner import Engine, run
from sweeps.harness.table import load
from tests.harness import tiny

CODE = {"commit": "c0ffee", "dirty": False, "code": "0123"}
OTHER_CODE = {**CODE, "code": "4567"}
_ALONE = Hosts()


def measure(
    out, told=None, report=lambda *_: None, hosts=_ALONE, redo=False, stop=None, **settings
):
    """Measure one seed at a time into a directory or URL."""
    config, store = tiny.Config(**settings), Store(out)
    log = (lambda line: None) if told is None else told.append
    prepare(store, plain(config), tiny.SCHEMA)
    with held(store, log):
        return run(
            *("tiny", tiny, config, out, report),
            redo=redo,
            stop=stop,
            log=log,
            engine=Engine(at_once=1, hosts=hosts),
        )


def finish(out, whole, **options):
    """Measure, and see that the table is that of an undisturbed run."""
    outcome = measure(out, **options)
    assert outcome.failed == []
    pd.testing.assert_frame_equal(load(outcome.table), whole)
    return outcome


def files(out):
    """Names of all files in a directory and below."""
    return {p.name for p in out.rglob("*") if p.is_file()}


def ends(error, after):
    """A report that ends the run when so many seeds are measured, as a crash would."""

    def report(done, total):
        if len(tiny.CALLS) == after:
            raise error

    return report
