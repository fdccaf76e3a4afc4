"""What can be written beside requests, or previewed: one entry each, with its document, who may do it, and an example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field, RootModel

from domain.catalogue.pricebook import PriceBook
from domain.claims.preview import PricePreview
from domain.kernel.base import Received
from domain.kernel.ids import OrderRef
from domain.kernel.requests import Remark
from domain.quotes.quote import Quote
from domain.quotes.requests import RequestQuote
from domain.service.claim_requests import LineRef, Units
from domain.service.desk import AgentDocument, EntitlementDocument, TeamDocument
from domain.success.usage import UsageRow
from gateway.prices import NewPrice
from gateway.views.deliveries import EventDelivery
from gateway.writing import MOST_ROWS, Kept, UsageAnswer


class UsageReport(Received):
    """Usage of products, day by day. Of an account all rows are recorded, or none."""

    rows: Annotated[list[UsageRow], Field(min_length=1, max_length=MOST_ROWS)]


class Prices(RootModel[PriceBook | NewPrice]):
    """An edition of a price book, or one product's new price from a day on."""


class ClaimPreview(Received):
    """A line of an order whose price may have fallen. `quantity`: only so many of its units."""

    order_id: OrderRef
    line_id: LineRef
    quantity: Units | None = None


class Redelivery(Received):
    """An event is told once more, at once, under the id that it had. `reason` is kept in the audit log."""

    reason: Remark = ""


@dataclass(frozen=True)
class Written:
    """One thing that can be written, with the view that answers it and an example of its document."""

    name: str
    method: str
    path: str
    resource: str
    model: type[BaseModel]
    answer: type[BaseModel]
    text: str
    example: str


_STAFF = '{"staff_id": "s-7", "name": "Aki Agent", "email": "aki@seller.example"}'

RECORD_USAGE = Written(
    "record_usage",
    "POST",
    "/usage",
    "usage",
    UsageReport,
    UsageAnswer,
    "Records usage, with an answer for each row",
    '{"rows": [{"account_id": "acme", "product": "SEATS", "day": "2027-03-12", "active_users": 34}]}',
)
PUBLISH_PRICES = Written(
    "publish_prices",
    "POST",
    "/prices",
    "prices",
    Prices,
    Kept,
    "Publishes an edition of a price book, or one new price",
    '{"product": "SEATS", "price": "1300", "currency": "JPY", "valid_from": "2027-04-01", "per": "month"}',
)
PREVIEW_QUOTE = Written(
    "preview_quote",
    "POST",
    "/accounts/{account_id}/quotes/preview",
    "quotes",
    RequestQuote,
    Quote,
    "What a quote would come to; nothing is written",
    '{"quote_id": "Q-1", "lines": [{"kind": "sale", "line_id": "1", "product": "SEATS", "quantity": 10, "start": "2027-06-01", "months": 12}]}',
)
PREVIEW_CLAIM = Written(
    "preview_claim",
    "POST",
    "/accounts/{account_id}/claims/preview",
    "claims",
    ClaimPreview,
    PricePreview,
    "What claiming a price match would give back; nothing is written",
    '{"order_id": "SO-1", "line_id": "3", "quantity": 2}',
)
PUT_TEAM = Written(
    "put_team",
    "PUT",
    "/teams/{team}",
    "teams",
    TeamDocument,
    Kept,
    "Keeps a team of service, as told last",
    f'{{"team": "first-line", "name": "First line", "lead": {_STAFF}}}',
)
PUT_AGENT = Written(
    "put_agent",
    "PUT",
    "/agents/{staff_id}",
    "teams",
    AgentDocument,
    Kept,
    "Keeps somebody who takes cases, as told last",
    f'{{"staff": {_STAFF}, "team": "first-line", "skills": ["ja"]}}',
)
PUT_ENTITLEMENT = Written(
    "put_entitlement",
    "PUT",
    "/entitlements/{entitlement_id}",
    "entitlements",
    EntitlementDocument,
    Kept,
    "Keeps what support a customer is owed, as told last",
    '{"entitlement_id": "E-1", "account_id": "acme", "policy_id": "standard", "starts_on": "2027-01-01"}',
)
REDELIVER_EVENT = Written(
    "redeliver_event",
    "POST",
    "/deliveries/{delivery_id}/redeliver",
    "deliveries",
    Redelivery,
    EventDelivery,
    "Tells an event once more",
    '{"reason": "they lost it"}',
)
_ALL = (
    RECORD_USAGE,
    PUBLISH_PRICES,
    PREVIEW_QUOTE,
    PREVIEW_CLAIM,
    PUT_TEAM,
    PUT_AGENT,
    PUT_ENTITLEMENT,
    REDELIVER_EVENT,
)
WRITTEN = {one.name: one for one in _ALL}
"""All of them, by name."""
