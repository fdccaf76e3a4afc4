"""Kernel: what every area stands on: money, time, ids, models, refusals."""
