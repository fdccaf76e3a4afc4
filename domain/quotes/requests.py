"""What can be asked about quotes: one model for each update, in the customer's own days.

A day such as `2027-03-01` is one of the customer's zone: as a start or an effective date its first instant (today stands for
now where something changes), as an end the last day. An instant has its offset, and ends are half open then.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import AwareDatetime, Field, StringConstraints, model_validator

from domain.kernel.base import Received
from domain.kernel.ids import ContractRef, OrderRef
from domain.kernel.money import CurrencyCode
from domain.kernel.requests import Remark, Request
from domain.orders.order import BillingFrequency, FirstInvoice, Text
from domain.quotes.discounts import Discount
from domain.quotes.request_lines import MOST_LINES, Months, QuoteId

Role = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,30}$")]


class NewContract(Received):
    """The contract that sales for a term will stand under; what is left out is as in an order."""

    contract_id: ContractRef | None = None
    auto_renew: bool = False
    renewal_months: Months | None = None
    notice_days: Annotated[int, Field(ge=0, le=366)] = 30
    uplift_percent: Annotated[str, StringConstraints(pattern=r"^\d{1,3}(\.\d{1,6})?$")] = "0"
    billing: BillingFrequency | None = None
    first_invoice: FirstInvoice | None = None


class RequestQuote(Request):
    """A quote, or with a known `quote_id` its next version. `PerennialClient.preview_quote` makes the same and writes nothing.

    `lines` are sales and changes of assets (`sale`, `quantity`, `price`, `attributes`, `start`, `end`, `renew`, `cancel`, `swap`), as in
    `domain.quotes.request_lines`. Whatever came with an order, an import or a transfer can be quoted: what the standard price book does
    not name costs what this customer has or ordered it for, before discounts. `contract_id` puts the sales under a contract that
    runs, to end with it; otherwise each term becomes a contract by `new_contract`. `as_of` is the instant of a preview of the
    last day, so that the quote comes to what was previewed. `role` is that of whoever makes the quote, for its discounts.
    """

    quote_id: QuoteId
    version: Annotated[int, Field(ge=1)] | None = None
    lines: Annotated[tuple[dict[str, Any], ...], Field(min_length=1, max_length=MOST_LINES)]
    discounts: Annotated[tuple[Discount, ...], Field(max_length=100)] = ()
    role: Role = "sales"
    price_book: Text | None = None
    currency: CurrencyCode | None = None
    contract_id: ContractRef | None = None
    new_contract: NewContract = NewContract()
    valid_days: Annotated[int, Field(ge=1, le=366)] | None = None
    as_of: AwareDatetime | None = None

    @property
    def extent(self) -> int:
        """Of how many lines it is."""
        return len(self.lines)


class ApproveQuote(Request):
    """What whoever is asked says to a quote's discounts; `role` is theirs. A rejection needs its reason.

    A discount above what its maker's role may give waits for this, with a reminder, and is given up in time.
    """

    quote_id: QuoteId
    version: Annotated[int, Field(ge=1)] | None = None
    decision: Annotated[str, StringConstraints(pattern=r"^(approve|reject)$")] = "approve"
    role: Role
    reason: Remark = ""

    @model_validator(mode="after")
    def _says_why_not(self) -> Self:
        if self.decision == "reject" and not self.reason:
            raise ValueError("a rejection needs its reason")
        return self


class AcceptQuote(Request):
    """The customer takes a quote: it becomes an order, `order_id` (by default the quote's id).

    Order, assets, contract, invoice and agenda come in one transaction; `first_invoices` in the answer says the days. `new_contract` of
    the quote takes `billing` and `first_invoice` as an order's contract does.
    """

    quote_id: QuoteId
    version: Annotated[int, Field(ge=1)] | None = None
    order_id: OrderRef | None = None


class DeclineQuote(Request):
    """The customer does not take a quote."""

    quote_id: QuoteId
    version: Annotated[int, Field(ge=1)] | None = None
    reason: Remark = ""
