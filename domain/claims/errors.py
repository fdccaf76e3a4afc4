"""What a rule about money given back refuses, each with its code."""

from __future__ import annotations

from domain.kernel.business_errors import ServiceRuleError


class InvalidAmountError(ServiceRuleError):
    """An amount that may not be, such as a negative one."""


class AboveLineError(ServiceRuleError):
    """More than what is left of an invoice line."""

    code = "higher_than_remaining_fee_amount"


class UnpaidInvoiceError(ServiceRuleError):
    """A refund of something that was not paid."""

    code = "cannot_refund_unpaid_invoice"


class PriceUnknownError(ServiceRuleError):
    """No current price to compare with."""

    code = "price_unknown"


class OtherCurrencyError(ServiceRuleError):
    """The price now is in another currency than the purchase."""

    code = "other_currency"


class LineReturnedError(ServiceRuleError):
    """Nothing of the line is left with the customer."""

    code = "line_returned"


class AlreadyClaimedError(ServiceRuleError):
    """The drop in price was refunded before; `earlier` names that claim."""

    code = "already_claimed"

    def __init__(self, message: str, earlier: str) -> None:
        super().__init__(message)
        self.earlier = earlier
