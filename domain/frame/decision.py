"""What a decision can say: the journal's line, what is written, who is told, and what the journey learns. All done in one transaction."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from domain.assets.model import Asset, AssetRecord
from domain.billing.billing import Credit
from domain.frame.account_writes import AccountWrite
from domain.frame.customer import ContractFacts
from domain.frame.state import Outcome
from domain.holds.guard import Person
from domain.holds.holds import Purpose
from domain.holds.writes import HoldWrite
from domain.orders.fulfilments import RecordFulfilment
from domain.orders.order import ContactRole, PricePer
from domain.quotes.writes import QuoteWrite


@dataclass(frozen=True)
class JournalLine:
    """A line of the customer's history. `name` tells several lines of one step apart."""

    title: str
    at: datetime | None = None
    name: str = ""
    kind: str | None = None
    detail: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Mail:
    """A mail to the customer, to the contact who has `role`, or to `contact_id` alone. Contractual mails cannot be unsubscribed from.

    A hold keeps it back by its `purpose` and the `product` that it is about; without one, that of the template counts.
    `completes`: the task of its stage that is done once it has left. `documents`: what it takes along, see `OutgoingMail`.
    """

    template: str
    context: dict[str, Any] = field(default_factory=dict)
    role: ContactRole = ContactRole.MAIN
    contact_id: str | None = None
    contractual: bool = False
    purpose: Purpose | None = None
    product: str | None = None
    completes: str | None = None
    documents: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class Notice:
    """An internal notice to the owner or the success manager, or to `person`."""

    title: str
    lines: list[str]
    to: str = "success_manager"
    due: datetime | None = None
    person: Person | None = None
    words: str = ""
    """what somebody wrote, if that is passed on"""
    case_id: str | None = None
    """the case whose customer gets what is replied to it"""


@dataclass(frozen=True)
class OpenOnboardingTask:
    """An onboarding task is promised."""

    stage: str
    name: str
    title: dict[str, str]
    owner: str
    due_on: date
    due_at: datetime
    status: str = "open"


@dataclass(frozen=True)
class CompleteOnboardingTask:
    """An onboarding task is done; `value` marks the customer's first value."""

    stage: str
    name: str
    at: datetime
    by: str
    evidence: str = ""
    value: bool = False


@dataclass(frozen=True)
class DropOnboarding:
    """What is still open of an onboarding will not be done any more."""

    stage: str


@dataclass(frozen=True)
class DropTask:
    """An onboarding task will not be done any more, as somebody said for a reason."""

    stage: str
    name: str
    by: str
    reason: str


@dataclass(frozen=True)
class OpenStaffTask:
    """A task for one of the seller's people, at most one open per key."""

    key: str
    title: str
    to: str
    due_at: datetime


@dataclass(frozen=True)
class CloseStaffTasks:
    """Tasks whose keys start with `prefix` are settled."""

    prefix: str
    at: datetime


@dataclass(frozen=True)
class RecordHealth:
    """A health score with everything that explains it."""

    at: datetime
    score: int | None
    band: str
    parts: list[dict[str, Any]]


@dataclass(frozen=True)
class QuoteRenewal:
    """A quote for the next term of a contract."""

    quote_id: str
    contract_id: str
    term: int
    total: Decimal
    currency: str
    valid_until: date
    lines: list[dict[str, Any]]
    at: datetime


@dataclass(frozen=True)
class AssetChange:
    """An asset before (null: it is new) and after a business event, and the unit price agreed last of what is in force."""

    before: AssetRecord | None
    after: AssetRecord
    unit_price: Decimal

    @property
    def mrr_change(self) -> Decimal:
        """What the event changes in monthly revenue."""
        return self.after.actions[-1].mrr_change or Decimal(0)


@dataclass(frozen=True)
class SetUnitPrice:
    """A price that was agreed before is in force from now on."""

    asset_id: str
    unit_price: Decimal


@dataclass(frozen=True)
class OpenAsset:
    """The row of an asset that came without an order, from `start` to `end`; its first action follows as an `AssetChange`.

    `taxed_as`: the asset of another customer whose tax rates go with it; without one they are those of the customer's orders.
    `invoiced_from`: what fell due before this day was charged elsewhere.
    """

    asset: Asset
    per: PricePer
    unit_price: Decimal
    start: datetime
    end: datetime | None
    taxed_as: str | None = None
    invoiced_from: date | None = None


@dataclass(frozen=True)
class OpenContract:
    """A contract that came without an order, with its first term."""

    contract: ContractFacts
    origin: str
    at: datetime


@dataclass(frozen=True)
class MoveTerm:
    """The latest term of a contract gets other dates."""

    contract_id: str
    number: int
    start_on: date
    until: date
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class DropTerm:
    """A term that was sold and has not begun is taken back."""

    contract_id: str
    number: int


@dataclass(frozen=True)
class SendAssets:
    """Assets have left for another account; `body` is all that it needs to take them."""

    transfer_id: str
    to_account: str
    body: dict[str, Any]
    at: datetime


@dataclass(frozen=True)
class SettleTransfer:
    """The other account has taken the assets (`received`), or never will (`refused`)."""

    transfer_id: str
    status: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class BeginTerm:
    """The next term of a contract, sold by acceptance or automatically."""

    contract_id: str
    number: int
    start_on: date
    until: date
    starts_at: datetime
    ends_at: datetime
    origin: str
    at: datetime


@dataclass(frozen=True)
class SetContractStatus:
    """A contract is active, declined, in grace or ended, with the reason."""

    contract_id: str
    status: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class MakeOffer:
    """An offer of more units."""

    offer_id: str
    asset_id: str
    add: int
    unit_price: Decimal
    currency: str
    mrr_change: Decimal
    at: datetime
    expires_at: datetime


@dataclass(frozen=True)
class SettleOffer:
    """An offer is accepted, declined or expired."""

    offer_id: str
    status: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class SendSurvey:
    """A survey goes out, to the address `sent_to` in lower case."""

    survey_id: str
    kind: str
    at: datetime
    sent_to: str


@dataclass(frozen=True)
class RecordSurveyAnswer:
    """A survey is answered."""

    survey_id: str
    score: int
    comment: str
    at: datetime


@dataclass(frozen=True)
class RequestProvisioning:
    """The lines of an order are to be provided by the provisioning service."""

    order_id: str
    items: list[dict[str, Any]]


@dataclass(frozen=True)
class BillDue:
    """What has fallen due of a contract's assets, or of one asset without a contract, is invoiced."""

    contract_id: str | None = None
    asset_id: str | None = None


@dataclass(frozen=True)
class BillPurchase:
    """Goods or work of an order, no asset: `quantity` units at `unit_price` are invoiced."""

    order_id: str
    line_id: str
    description: str
    quantity: int
    unit_price: Decimal
    currency: str


@dataclass(frozen=True)
class BookCredit:
    """A credit memo, each line capped by what is left of the charge that it names."""

    credit: Credit


@dataclass(frozen=True)
class StopOptionalMails:
    """A contact wants no optional mails any more."""

    contact_id: str
    at: datetime


@dataclass(frozen=True)
class FlagContact:
    """Mail to a contact's address came back for good."""

    contact_id: str
    email: str
    at: datetime
    reason: str


@dataclass(frozen=True)
class Convey:
    """The assets of a transfer are to be taken to the other account's journey."""

    transfer_id: str
    to_account: str
    stage: str


@dataclass(frozen=True)
class CloseAccount:
    """The customer's journey has ended."""

    reason: str
    at: datetime


Write = (
    OpenOnboardingTask
    | CompleteOnboardingTask
    | DropOnboarding
    | DropTask
    | OpenStaffTask
    | CloseStaffTasks
    | RecordHealth
    | QuoteRenewal
    | AssetChange
    | OpenAsset
    | OpenContract
    | BeginTerm
    | MoveTerm
    | SetUnitPrice
    | DropTerm
    | SendAssets
    | SettleTransfer
    | SetContractStatus
    | MakeOffer
    | SettleOffer
    | SendSurvey
    | RecordSurveyAnswer
    | StopOptionalMails
    | FlagContact
    | BillDue
    | BillPurchase
    | BookCredit
    | CloseAccount
    | AccountWrite
    | HoldWrite
    | QuoteWrite
    | RecordFulfilment
)


@dataclass(frozen=True)
class Decision:
    """The whole of what one step or request does."""

    line: JournalLine
    outcome: Outcome = field(default_factory=Outcome)
    writes: list[Write] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    provisioning: RequestProvisioning | None = None
    more_lines: list[JournalLine] = field(default_factory=list)
    conveyance: Convey | None = None
