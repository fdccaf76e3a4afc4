"""Refusals of worked cases, by their codes."""

from __future__ import annotations

from pydantic import ValidationError

from domain.kernel.business_errors import ServiceRuleError


class LineNotFoundError(ServiceRuleError):
    """A line that the invoice does not have."""

    code = "line_not_found"


class AboveInvoiceError(ServiceRuleError):
    """More than what is left of an invoice."""

    code = "higher_than_remaining_invoice_amount"


def code_of(error: ValueError) -> str:
    """The code of a service error, also when a model's validation carries it.

    Args:
        error: a `ServiceRuleError`, a pydantic `ValidationError`, or any other `ValueError`.

    Returns:
        The code of the first service error found, else `invalid_value`.
    """
    if isinstance(error, ServiceRuleError):
        return error.code
    if isinstance(error, ValidationError):
        for item in error.errors():
            cause = item.get("ctx", {}).get("error")
            if isinstance(cause, ServiceRuleError):
                return cause.code
    return ServiceRuleError.code
