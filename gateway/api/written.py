"""What can be written beside requests, or previewed: one entry each, with its document, who may do it, and an example."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, Field, RootModel

from activities.journey.trying import TRIED
from domain.catalogue.pricebook import PriceBook
from domain.claims.preview import PricePreview
from domain.frame.request_kinds import RequestKind
from domain.journey.registry import JOURNEY
from domain.kernel.base import Received
from domain.kernel.ids import OrderRef
from domain.kernel.refusals import Problem
from domain.kernel.requests import Remark
from domain.quotes.quote import Quote
from domain.quotes.requests import RequestQuote
from domain.service.claim_requests import LineRef, Units
from domain.service.desk import AgentDocument, EntitlementDocument, TeamDocument
from domain.success.usage import UsageRow
from gateway.api.resources import RESOURCE_OF
from gateway.prices import NewPrice
from gateway.views.deliveries import EventDelivery
from gateway.views.previews import RequestPreview
from gateway.views.shown import View
from gateway.writing import MOST_ROWS, Kept, RowStatus, UsageAnswer

MOST_ITEMS = 100


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


class AskedItem(Received):
    """One request, by its name among all operations, and of which account or case it is asked; what begins one says so itself."""

    operation: Annotated[str, Field(min_length=1, max_length=80)]
    of: Annotated[str, Field(max_length=64)] = ""
    request: dict[str, Any]


class AskedItems(Received):
    """Requests, each of them done or refused for itself; of one customer or case in their order."""

    items: Annotated[list[AskedItem], Field(min_length=1, max_length=MOST_ITEMS)]


class ItemAnswer(View):
    """What became of a request: `done` with its answer, `refused`, or `open`: passed on, and not answered yet."""

    index: int
    status: RowStatus
    request_id: str
    code: str | None = None
    detail: str = ""
    problems: list[Problem] = []
    answer: dict[str, Any] | None = None


class ItemsAnswer(View):
    """An answer for each request, in their order."""

    done: int
    items: list[ItemAnswer]


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
ASK_MANY = Written(
    "ask_many",
    "POST",
    "/requests",
    "requests",
    AskedItems,
    ItemsAnswer,
    "Asks many requests, with an answer for each",
    '{"items": [{"operation": "complete_task", "of": "acme", "request": {"task": "kickoff", "order_id": "SO-1"}}]}',
)


def preview_written(kind: RequestKind[Any]) -> Written:
    """The preview of a request that can be tried."""
    example = {name: value for name, value in json.loads(kind.example).items() if name not in ("by", "role")}
    return Written(
        f"preview_{kind.update}",
        "POST",
        f"/accounts/{{account_id}}/requests/{kind.update}/preview",
        RESOURCE_OF[kind.update],
        kind.model,
        RequestPreview,
        f"{kind.words}: what it would come to; nothing is written",
        json.dumps(example),
    )


_ALL = (
    *(preview_written(JOURNEY[update]) for update in sorted(TRIED)),
    ASK_MANY,
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
