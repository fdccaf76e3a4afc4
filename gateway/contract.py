"""The contract of the Nexus service, made from the registry of requests: what a workflow elsewhere needs to call it.

perennial = workflow.create_nexus_client(service=Perennial, endpoint=ENDPOINT)
answer = await perennial.execute_operation("place_order", order, output_type=dict)
"""

from __future__ import annotations

from typing import Any

import nexusrpc
from pydantic import BaseModel

from domain.journey.registry import BEGINNINGS, JOURNEY, OPERATIONS

ENDPOINT = "perennial"
SERVICE = "perennial"


class OfAccount(BaseModel):
    """A request to a customer's journey."""

    account_id: str
    request: dict[str, Any]


class OfCase(BaseModel):
    """A request to a case."""

    case_id: str
    request: dict[str, Any]


def input_of(operation: str) -> Any:
    """What an operation takes: the document itself if it begins something, else the request with what it is asked of."""
    if operation in BEGINNINGS:
        return dict[str, Any]
    return OfAccount if operation in JOURNEY else OfCase


OFFERED = tuple(name for name, kind in OPERATIONS.items() if not kind.internal)
"""The operations, each by the name of its request; those of a case begin with `case_`."""


def _operation(name: str) -> nexusrpc.Operation[Any, dict[str, Any]]:
    operation = nexusrpc.Operation[Any, dict[str, Any]](name, input_of(name), dict[str, Any])
    operation.method_name = name
    return operation


Perennial: type = nexusrpc.service(name=SERVICE)(type("Perennial", (), {name: _operation(name) for name in OFFERED}))
"""The service, for `create_nexus_client`."""
