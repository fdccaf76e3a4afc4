"""Random customers through the real doors: `python -m tests.driver --minutes 30 --seed N`.

`--in-memory` lives them on PostgreSQL alone (`in_memory/`): faster by far, and every agenda is compared with the facts on the way.
"""
