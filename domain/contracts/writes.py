"""What decisions about contracts write: terms, quotes for the next one, and what comes or goes without an order."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from domain.assets.model import Asset
from domain.contracts.consignments import TransferStatus
from domain.contracts.forecast import RenewalCategory
from domain.frame.customer import ContractFacts, ContractStatus
from domain.frame.renewal_facts import ChurnReason, RenewalVersion, VersionState
from domain.frame.renewal_promises import Rung
from domain.kernel.base import Write
from domain.orders.order import PricePer
from domain.orders.terms import Evergreen


@dataclass(frozen=True)
class QuoteRenewal(Write):
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
class SaveRenewalVersion(Write):
    """A version of the quote for term `term` of a contract that is not simply the present term once more, and why."""

    contract_id: str
    term: int
    made: RenewalVersion
    reason: str
    at: datetime


@dataclass(frozen=True)
class SettleRenewalVersion(Write):
    """A version that waited is approved (`offered`) or not (`rejected`), by somebody of a role."""

    contract_id: str
    term: int
    version: int
    state: VersionState
    role: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True)
class GiveTerm(Write):
    """A contract without an end has one from now on, and renews by these terms."""

    contract_id: str
    auto_renew: bool
    renewal_months: int
    uplift_percent: Decimal
    evergreen: Evergreen | None = None


@dataclass(frozen=True)
class NoteChurn(Write):
    """Why a contract is not renewed, what was said of it, and who gave the reason. The latest counts."""

    contract_id: str
    reason: ChurnReason
    said: str
    by: str
    at: datetime


@dataclass(frozen=True)
class ExpectRenewal(Write):
    """What a person expects of the renewal that makes term `term`, and why. The latest counts, those before are kept."""

    contract_id: str
    term: int
    category: RenewalCategory
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True)
class ClimbRung(Write):
    """A step of the ladder before a renewal is our people's task now: the one whose key is `task`; it was due on `due_on`."""

    contract_id: str
    term: int
    rung: Rung
    due_on: date
    task: str
    at: datetime


@dataclass(frozen=True)
class OpenAsset(Write):
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
class OpenContract(Write):
    """A contract that came without an order, with its first term."""

    contract: ContractFacts
    origin: str
    at: datetime


@dataclass(frozen=True)
class MoveTerm(Write):
    """The latest term of a contract gets other dates."""

    contract_id: str
    number: int
    start_on: date
    until: date
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class DropTerm(Write):
    """A term that was sold and has not begun is taken back."""

    contract_id: str
    number: int


@dataclass(frozen=True)
class SendAssets(Write):
    """Assets have left for another account; `body` is all that it needs to take them."""

    transfer_id: str
    to_account: str
    body: dict[str, Any]
    at: datetime


@dataclass(frozen=True)
class TakeContacts(Write):
    """Contacts of another account are this one's too: who is known by their address stays who they are. Who is new has come at `at`."""

    from_account: str
    contact_ids: tuple[str, ...]
    at: datetime


@dataclass(frozen=True)
class TakeHistory(Write):
    """Cases, surveys and usage of another account, which goes on as part of this one, are this one's."""

    from_account: str
    at: datetime


@dataclass(frozen=True)
class MergedInto(Write):
    """The account goes on as part of another."""

    to_account: str


@dataclass(frozen=True)
class Unmerge(Write):
    """Another account is part of this one no more."""

    account: str


@dataclass(frozen=True)
class SettleTransfer(Write):
    """The other account has taken the assets (`received`), or never will (`refused`)."""

    transfer_id: str
    status: TransferStatus
    reason: str
    at: datetime


@dataclass(frozen=True)
class BeginTerm(Write):
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
class SetContractStatus(Write):
    """A contract is active, declined, in grace or ended, with the reason."""

    contract_id: str
    status: ContractStatus
    reason: str
    at: datetime
