"""What is told of orders, assets, contracts, quotes and payments to whoever asked something of them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated

from pydantic import AwareDatetime

from domain.frame.access import FieldGroup
from domain.kernel.money import Money
from domain.quotes.quote import QuoteTotals
from gateway.views.shown import Exact, View


class LineStands(View):
    """Where a line of an order stands: how much of it has come how far, and how much of that is late."""

    order_id: str
    line_id: str
    state: str
    in_part: bool
    late: int
    shipped: int
    delivered: int
    installed: int
    returned: int


class OfferAnswered(View):
    """What became of an offer. `quantity`: how many more were taken."""

    offer_id: str
    status: str
    quantity: int | None = None


class RenewalAnswered(View):
    """What becomes of a contract. `until`: the last day of the term that was agreed; `runs_until`: its own last day, if it is not renewed;
    `version` and `role`: what was asked for to keep them, and who has to approve of it."""

    contract_id: str
    status: str | None = None
    until: date | None = None
    runs_until: date | None = None
    quote_id: str | None = None
    version: int | None = None
    state: str | None = None
    role: str | None = None
    total: Annotated[Decimal | None, FieldGroup.PRICES] = None
    category: str | None = None
    reason: Annotated[str | None, FieldGroup.HEALTH] = None


class ChangedAsset(View):
    """What was done to an asset. `settled_on`: when the amount is invoiced or credited; `until` is null without an end."""

    asset_id: str
    change: str
    version: int
    effective: AwareDatetime
    quantity: int
    until: date | AwareDatetime | None
    settled_on: date
    mrr_change: Annotated[Exact | None, FieldGroup.PRICES]
    amount_change: Annotated[Decimal | None, FieldGroup.PRICES]
    currency: str
    to_asset_id: str | None = None


class ChangedTerm(View):
    """The term of a contract whose assets have changed."""

    contract_id: str
    status: str
    term: int
    start: date
    until: date | None


class AssetsChanged(View):
    """What was done to assets, and to the terms of their contracts. `undone`: the request that a rollback takes back."""

    request_id: str
    assets: list[ChangedAsset]
    contracts: list[ChangedTerm]
    undone: str | None = None
    contract_id: str | None = None
    runs_until: date | None = None
    moved: str | None = None


class AssetsSent(View):
    """Assets that are on their way to another account."""

    request_id: str
    transfer_id: str
    status: str
    to_account: str
    assets: list[ChangedAsset]


class AssetsReceived(View):
    """Assets that came from another account."""

    transfer_id: str
    status: str
    assets: list[ChangedAsset]
    contracts: list[str]


class GoesItsOwnWay(View):
    """The account that is no part of another one any more."""

    account: str


class QuotedAmount(View):
    """A line of a quote, in short."""

    line_id: str
    asset_id: str | None
    product: str
    quantity: int
    amount: Annotated[Decimal | None, FieldGroup.PRICES]
    monthly: Annotated[Exact | None, FieldGroup.PRICES]


class ApprovalNeeded(View):
    """Who has to approve of a quote, and of which discount."""

    role: str
    percent: Annotated[Decimal, FieldGroup.PRICES]


class QuoteStands(View):
    """Where a quote stands, the instant that it was made for, and what it comes to; `lines` are left out of a long one."""

    quote_id: str
    version: int
    state: str
    as_of: AwareDatetime
    valid_until: AwareDatetime
    price_book: str | None
    totals: Annotated[QuoteTotals, FieldGroup.PRICES]
    approval: ApprovalNeeded | None = None
    lines: list[QuotedAmount] | None = None


class QuoteTaken(QuoteStands):
    """A quote that was accepted, with what came of it: the order, what changed, and what is new."""

    request_id: str | None = None
    assets: list[ChangedAsset] | None = None
    contracts: list[ChangedTerm] | None = None
    order_id: str | None = None
    new_assets: list[str] | None = None
    new_contracts: list[str] | None = None
    first_invoices: dict[str, date] | None = None
    lead_id: str | None = None
    case_id: str | None = None


class InvoiceSaid(View):
    """What is on record of an invoice's payment now."""

    number: int
    status: str
    on: date


class PaidShare(View):
    """The part of a payment that went to an invoice, and what is still owed on it."""

    invoice_id: str
    number: int
    amount: Annotated[Money, FieldGroup.PRICES]
    owed: Annotated[Money, FieldGroup.PRICES]


class PaymentBooked(View):
    """What a payment settled; `over`: what is too much of it. `booked_before`: it was on record already."""

    payment_id: str
    invoices: list[PaidShare] | None = None
    over: Annotated[Money | None, FieldGroup.PRICES] = None
    booked_before: bool | None = None


class HoldingsTaken(View):
    """What was taken over from records of before."""

    account_id: str
    assets: int
    contracts: list[str]
