"""What all tests share: no display, eight devices, compilations counted."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass

import matplotlib

matplotlib.use("Agg")
# What is compiled is counted, here and in processes that tests start.
os.environ["JAX_ENABLE_COMPILATION_CACHE"] = "false"
# Most programs of the tests run once, and take longer to optimize than to run.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "true")

import jax
import matplotlib.pyplot as plt
import pytest

# Eight devices on any machine, so that sharded and unsharded results are compared.
jax.config.update("jax_num_cpu_devices", 8)


def pytest_addoption(parser: pytest.Parser) -> None:
    text = "measure default presets anew and test their claims, not the committed tables"
    parser.addoption("--remeasure", action="store_true", help=text)


@dataclass
class Count:
    """Number of programs that XLA compiled."""

    value: int = 0


@pytest.fixture
def compilations():
    """A context manager that counts the compilations made inside it."""

    @contextlib.contextmanager
    def counting() -> Iterator[Count]:
        count = Count()

        def listen(event: str, duration: float, **_: object) -> None:
            count.value += event == "/jax/core/compile/backend_compile_duration"

        jax.monitoring.register_event_duration_secs_listener(listen)
        try:
            yield count
        finally:
            jax.monitoring.unregister_event_duration_listener(listen)

    return counting


@pytest.fixture(scope="module")
def optimized() -> Iterator[None]:
    """Programs as users have them, for modules that compare the bits of two of them."""
    before = jax.config.read("jax_disable_most_optimizations")
    jax.config.update("jax_disable_most_optimizations", False)
    jax.clear_caches()
    yield
    jax.config.update("jax_disable_most_optimizations", before)
    jax.clear_caches()


@pytest.fixture(autouse=True)
def no_open_figures() -> Iterator[None]:
    yield
    plt.close("all")
