"""Packages that only some outputs need."""

import importlib.util


def needed(package: str, use: str) -> None:
    """See that a package is there.

    Args:
        package: Its name.
        use: What needs it.

    Raises:
        ModuleNotFoundError: if it is not, with the command that installs it.
    """
    if importlib.util.find_spec(package) is None:
        raise ModuleNotFoundError(
            f'{use} needs {package}: pip install "initjax[checkup]"', name=package
        )
