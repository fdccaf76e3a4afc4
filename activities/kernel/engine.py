"""What Temporal's errors say of a workflow."""

from __future__ import annotations

from temporalio.service import RPCError, RPCStatusCode

_NO_NAMESPACE = "temporal.api.errordetails.v1.NamespaceNotFoundFailure"


def is_unknown(error: BaseException | None) -> bool:
    """True if the server says that it has no such workflow. That it has no such namespace, as one may say that has just begun, says
    nothing about workflows."""
    if not isinstance(error, RPCError) or error.status is not RPCStatusCode.NOT_FOUND:
        return False
    status = error.grpc_status
    return not any(detail.TypeName() == _NO_NAMESPACE for detail in (status.details if status else ()))
