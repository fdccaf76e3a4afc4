"""What a deployment registers with Temporal: search attributes, and the endpoint by which workflows elsewhere reach it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Mapping
from datetime import timedelta

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.nexus.v1 import EndpointSpec, EndpointTarget
from temporalio.api.operatorservice.v1 import (
    AddSearchAttributesRequest,
    CreateNexusEndpointRequest,
    ListNexusEndpointsRequest,
    ListSearchAttributesRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.kernel.refusals import MendableError
from gateway.contract import ENDPOINT
from workflows.visibility import SEARCH_ATTRIBUTES

# A namespace or attribute that was made a moment ago is not yet known everywhere; another `register` may be faster.
_NOT_YET = frozenset(
    {
        RPCStatusCode.NOT_FOUND,
        RPCStatusCode.INVALID_ARGUMENT,
        RPCStatusCode.ALREADY_EXISTS,
        RPCStatusCode.UNAVAILABLE,
        RPCStatusCode.DEADLINE_EXCEEDED,
    }
)
_PAUSE_SECONDS = 0.2


_NOT_HERE = frozenset({RPCStatusCode.UNIMPLEMENTED, RPCStatusCode.PERMISSION_DENIED})
"""A server whose endpoints are made elsewhere, such as Temporal Cloud."""


class RegistrationError(MendableError, RuntimeError):
    """Something else has one of our names; the message says what, and what to do."""


async def register_search_attributes(client: Client, *, patience: timedelta = timedelta(minutes=1)) -> list[str]:
    """Registers the search attributes of `workflows.visibility` that the namespace of `client` lacks; returns their names.

    It returns once all of them can be queried, so that a worker started afterwards meets none that is unknown.
    Called again, it changes nothing and returns an empty list.

    Raises:
        RegistrationError: an attribute is there with another type. Nothing was registered.
        RPCError: Temporal still refused after `patience`.
    """
    deadline = time.monotonic() + patience.total_seconds()
    wanted = {name: _type(kind) for name, kind in SEARCH_ATTRIBUTES.items()}
    added: set[str] = set()
    while True:
        try:
            added |= await _add_missing(client, wanted)
            await client.count_workflows(" OR ".join(f"`{name}` IS NOT NULL" for name in wanted))
            return sorted(added)
        except RPCError as error:
            if error.status not in _NOT_YET or time.monotonic() > deadline:
                raise
        await asyncio.sleep(_PAUSE_SECONDS)


async def register_endpoint(client: Client, task_queue: str, name: str = ENDPOINT) -> bool | None:
    """Makes the Nexus endpoint that leads to our workers; false if it is there, null if this server does not let us make any.

    Raises RegistrationError if the endpoint of that name leads elsewhere.
    """
    ours = EndpointTarget(worker=EndpointTarget.Worker(namespace=client.namespace, task_queue=task_queue))
    spec = EndpointSpec(name=name, target=ours)
    try:
        await client.operator_service.create_nexus_endpoint(CreateNexusEndpointRequest(spec=spec))
        return True
    except RPCError as error:
        if error.status in _NOT_HERE:
            return None
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
    listed = await client.operator_service.list_nexus_endpoints(ListNexusEndpointsRequest(name=name))
    there = next((found.spec.target.worker for found in listed.endpoints), None)
    if there != ours.worker:
        leads = f"namespace {there.namespace!r}, task queue {there.task_queue!r}" if there else "another place"
        raise RegistrationError(
            f"the Nexus endpoint {name!r} leads to {leads}; give this deployment's another name: `perennial register --endpoint NAME`"
        )
    return False


async def endpoints_here(client: Client, task_queue: str) -> dict[str, bool] | None:
    """Every Nexus endpoint of the server by its name, and whether it leads to our workers; null if this server tells nobody."""
    ours = EndpointTarget.Worker(namespace=client.namespace, task_queue=task_queue)
    found: dict[str, bool] = {}
    page = b""
    while True:
        try:
            listed = await client.operator_service.list_nexus_endpoints(ListNexusEndpointsRequest(next_page_token=page))
        except RPCError as error:
            if error.status in _NOT_HERE:
                return None
            raise
        found |= {one.spec.name: one.spec.target.worker == ours for one in listed.endpoints}
        if not (page := listed.next_page_token):
            return found


async def _add_missing(client: Client, wanted: Mapping[str, IndexedValueType.ValueType]) -> set[str]:
    listed = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace)
    )
    for name, kind in wanted.items():
        found = listed.custom_attributes.get(name, kind)
        if found != kind:
            raise RegistrationError(
                f"the search attribute {name} of namespace {client.namespace!r} is {IndexedValueType.Name(found)} "
                f"and should be {IndexedValueType.Name(kind)}; a type cannot be changed: use another namespace"
            )
    missing = {name: kind for name, kind in wanted.items() if name not in listed.custom_attributes}
    if missing:
        await client.operator_service.add_search_attributes(
            AddSearchAttributesRequest(namespace=client.namespace, search_attributes=missing)
        )
    return set(missing)


def _type(kind: str) -> IndexedValueType.ValueType:
    """The server's constant for a type as it is written: `KeywordList` is INDEXED_VALUE_TYPE_KEYWORD_LIST."""
    return IndexedValueType.Value("INDEXED_VALUE_TYPE_" + re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind).upper())
