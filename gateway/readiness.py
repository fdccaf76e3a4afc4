"""Whether calls can be taken and work can be done: what an orchestrator asks every few seconds, so it looks at little."""

from __future__ import annotations

from datetime import timedelta

import asyncpg
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from activities.frame import customers, schema_rows
from activities.kernel.engine import is_unknown
from activities.kernel.pool import Connection, Pool
from domain.kernel.ids import journey_id
from domain.kernel.shown import counted

_ANSWERS_WITHIN = timedelta(seconds=5)


async def shortcomings(temporal: Client, pool: Pool) -> list[str]:
    """What is missing, in words; nothing if all is there. Raises what the driver raises while PostgreSQL is away."""
    async with pool.acquire() as connection:
        found = await _schema(connection)
        if found:
            return [found]
        some = await customers.some_under_contract(connection)
    try:
        return [said] if (said := await _engine(temporal, some)) else []
    except RPCError as error:
        return [f"Temporal is away ({error.status.name.lower()}); `perennial doctor` says more"]


async def engine_answers(temporal: Client, within: timedelta) -> None:
    """Returns once the server has answered for the namespace. Raises RPCError.

    Not for its system's info, which its frontend says by itself while its database is away.
    """
    request = DescribeNamespaceRequest(namespace=temporal.namespace)
    try:
        await temporal.workflow_service.describe_namespace(request, timeout=within)
    except RPCError as error:
        if error.status is not RPCStatusCode.PERMISSION_DENIED:  # a key that may use it need not be let look at it
            raise


async def _schema(connection: Connection) -> str | None:
    """Whether every migration of this release has been applied; those of a newer one may be there as well."""
    try:
        missing = await schema_rows.migrations_to_apply(connection)
    except asyncpg.UndefinedTableError:
        return "the database has no schema yet; run `perennial migrate`"
    if missing:
        return f"{counted(len(missing), 'migration')} to be applied, the first is {missing[0]}; run `perennial migrate`"
    return None


async def _engine(temporal: Client, some: list[str]) -> str | None:
    """Whether the namespace is there and has the journeys of customers under contract, such as `some`."""
    try:
        await engine_answers(temporal, _ANSWERS_WITHIN)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return f"Temporal has no namespace {temporal.namespace!r}; make it, then run `perennial register`"
    if not some or any([await _runs(temporal, account) for account in some]):
        return None
    query = "WorkflowType = 'CustomerJourney' AND ExecutionStatus = 'Running'"
    async for _ in temporal.list_workflows(query, page_size=1, limit=1):
        return None
    return (
        f"namespace {temporal.namespace!r} has no journey, and the database has customers under contract: it was emptied, or is another"
        " one's; `perennial doctor --reconcile --mend` begins them anew"
    )


async def _runs(temporal: Client, account_id: str) -> bool:
    try:
        described = await temporal.get_workflow_handle(journey_id(account_id)).describe(rpc_timeout=_ANSWERS_WITHIN)
    except RPCError as error:
        if not is_unknown(error):
            raise
        return False
    return described.status is WorkflowExecutionStatus.RUNNING
