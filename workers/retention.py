"""For how long the engine keeps runs that are over, with their histories: one setting for the embedded stack, compose and the doctor."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta

from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client

from domain.kernel.refusals import MendableError

RETENTION = "TEMPORAL_RETENTION"
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}
_SAID = re.compile(r"([1-9]\d{0,5})([hd])")


class RetentionError(MendableError):
    """A period that cannot be read; the message says how it is written."""


def wanted_retention(environment: Mapping[str, str]) -> timedelta | None:
    """The period that the environment names; null if it names none. Raises RetentionError."""
    said = environment.get(RETENTION)
    if not said:
        return None
    found = _SAID.fullmatch(said)
    period = int(found[1]) * _UNITS[found[2]] if found else timedelta(0)
    if period < timedelta(days=1):
        raise RetentionError(f"{RETENTION} is {said!r}; write days or hours, a day at least, such as 365d")
    return period


async def retention_of(temporal: Client) -> timedelta:
    """The period of a client's namespace."""
    asked = DescribeNamespaceRequest(namespace=temporal.namespace)
    described = await temporal.workflow_service.describe_namespace(asked)
    return described.config.workflow_execution_retention_ttl.ToTimedelta()
