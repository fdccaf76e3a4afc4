"""Faults, counted: customers live for years while servers die, and an independent checker looks for what was lost, doubled or wrong."""
