"""Customers without Temporal's server: workflows, activities, doors and PostgreSQL are real, what lies between is in memory.

Time passes as fast as it is asked to, and what is asked happens in one order alone. `run.py` is a workflow's run in the SDK's own
runtime, `acting.py` what activities come to, `server.py` what lets both happen, `service.py` that server as clients see it,
`lives.py` two customers and what is seen of them, `driving.py` a run of many.
"""
