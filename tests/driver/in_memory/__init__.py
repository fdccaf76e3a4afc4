"""Customers without Temporal's server: workflows, activities, doors and PostgreSQL are real, what lies between is in memory.

Time passes as fast as it is asked to, and what is asked happens in one order alone. `run.py` is a workflow's run in the SDK's own
runtime, `server.py` what lets runs happen, `service.py` the server as clients see it, `acting.py` what activities come to,
`living.py` the lives, `living_on.py` a whole run of them.
"""
