"""What is asked of a journey about its agenda."""

from __future__ import annotations

from domain.frame.requests import Request


class Reconcile(Request):
    """The agenda becomes what follows from the facts: what is missing is added, what nothing calls for is taken off, and
    messages that nobody carries go on their way. A customer without a running journey gets one."""
