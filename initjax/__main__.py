"""The command line: ``python -m initjax diagnose package.module:model --batch …``."""

import sys

from initjax.checkup.command import run

if __name__ == "__main__":
    sys.exit(run())
