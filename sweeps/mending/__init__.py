"""Networks of Flax as people write them, checked, mended and trained on digits."""
