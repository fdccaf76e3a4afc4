"""Random customers through the real doors: `python -m tests.driver --minutes 30 --seed N`."""
