"""The Nexus service: orders and requests of workflows elsewhere, asked through the same clients as those of every other door.

A caller's server delivers an operation until it is answered, under one id: a request without an id of its own goes by that one, and is
done once.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from types import MappingProxyType
from typing import Any

import nexusrpc
from nexusrpc.handler import StartOperationContext, service_handler, sync_operation
from temporalio import nexus
from temporalio.exceptions import ApplicationError

from domain.frame.access import AccessRole, Principal
from domain.journey.registry import OPERATIONS
from domain.kernel.refusals import Refusal
from gateway.acting import Acting
from gateway.calling import NoAnswerError
from gateway.contract import OFFERED, OfAccount, OfCase, Perennial
from gateway.doors import Doors

_WITHIN = timedelta(seconds=8)
"""For so long an answer is waited for: after ten seconds the caller's server asks again."""


Roles = Mapping[str, frozenset[AccessRole]]
"""As what whoever calls an endpoint counts, by its name."""


def service_of(doors: Doors, roles: Roles = MappingProxyType({})) -> object:
    """The service with a handler for each request that somebody outside may make; by an endpoint without `roles` as a program."""
    acting = Acting(doors.waiting(_WITHIN), "nexus")
    handlers = {name: sync_operation(_handler(acting, name, roles)) for name in OFFERED}
    service: type[object] = service_handler(service=Perennial)(type("Asked", (), handlers))
    return service()


def _handler(acting: Acting, operation: str, roles: Roles) -> Callable[..., Awaitable[dict[str, Any]]]:
    kind = OPERATIONS[operation]

    async def start(_: object, context: StartOperationContext, given: Any) -> dict[str, Any]:
        of, request = _parts(given)
        if "request_id" in kind.model.model_fields:
            request.setdefault("request_id", f"nx-{context.request_id}")
        try:
            return await acting.carry_out(_caller(roles), operation, of, request)
        except Refusal as refusal:
            problems = [problem.model_dump(mode="json") for problem in refusal.problems]
            refused = ApplicationError(str(refusal), problems, type=refusal.type, non_retryable=True)
            raise nexusrpc.OperationError(str(refusal), state=nexusrpc.OperationErrorState.FAILED) from refused
        except NoAnswerError as error:
            raise nexusrpc.HandlerError(str(error), type=nexusrpc.HandlerErrorType.UPSTREAM_TIMEOUT) from error

    start.__name__ = operation
    return start


def _parts(given: OfAccount | OfCase | dict[str, Any]) -> tuple[str, dict[str, Any]]:
    match given:
        case OfAccount():
            return given.account_id, dict(given.request)
        case OfCase():
            return given.case_id, dict(given.request)
        case _:
            return "", dict(given)


def _caller(roles: Roles) -> Principal:
    """Whoever calls an endpoint: who may do that is said where the endpoint is made."""
    endpoint = nexus.info().endpoint
    return Principal(f"nexus:{endpoint}", "nexus", roles.get(endpoint, frozenset({AccessRole.PROGRAM})))
