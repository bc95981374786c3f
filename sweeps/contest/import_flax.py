"""A fresh process that imports what a Flax user has imported already."""

import subprocess
import sys

WORDS = "import jax, flax"


def run(work: None, words: str = WORDS) -> None:
    """Start it and wait for its end."""
    subprocess.run([sys.executable, "-c", words], check=True)
