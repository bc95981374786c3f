"""``python -m analysis`` redraws every figure and writes the report, from the tables."""

import sys

from analysis.report.command import main

if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
