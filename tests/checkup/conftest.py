"""An option for what takes minutes: all models of the zoo, mended too, and their rates."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--zoo", action="store_true", help="diagnose every model of the zoo")


def asked_for(config: pytest.Config) -> bool:
    """Whether the whole zoo is to be run."""
    return bool(config.getoption("--zoo", default=False))


@pytest.fixture
def whole_zoo(request: pytest.FixtureRequest) -> None:
    """Skips a test unless the whole zoo is asked for."""
    if not asked_for(request.config):
        pytest.skip("part of the whole zoo: pytest tests/checkup --zoo")
