"""What is handed over by a transfer, as both customers' sides know it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from pydantic import AwareDatetime

from domain.assets.bundles import Relationship
from domain.assets.move import Conveyed
from domain.kernel.base import Carried
from domain.orders.order import BillingFrequency, FirstInvoice, PricePer
from domain.orders.terms import Evergreen


class TransferStatus(StrEnum):
    """Where a transfer stands: the target has taken what was handed over, or never will."""

    UNDER_WAY = "under_way"
    RECEIVED = "received"
    REFUSED = "refused"


@dataclass(frozen=True)
class Receiver:
    """The account that is to take assets, with its contracts and the ids of assets that exist already."""

    account_id: str
    closed: bool
    contracts: frozenset[str] = frozenset()
    taken: frozenset[str] = frozenset()
    leaving: bool = False
    """it is on its way into another account"""


@dataclass(frozen=True)
class Transferred:
    """A transfer as it is on record, with the `reason` if it was refused."""

    transfer_id: str
    from_account: str
    to_account: str
    status: TransferStatus
    reason: str
    consignment: Consignment


class TermAhead(Carried):
    """A term that is sold and has not begun."""

    starts_at: AwareDatetime
    ends_at: AwareDatetime


class Conditions(Carried):
    """What the contract of the source says, for one like it at the target."""

    contract_id: str
    """the id of the new contract"""
    currency: str
    auto_renew: bool
    renewal_months: int
    notice_days: int
    uplift_percent: str
    billing: BillingFrequency
    first_invoice: FirstInvoice = FirstInvoice.START
    ends_at: AwareDatetime
    anchor_day: int | None = None
    billed_from: date | None = None
    """where the billing periods are counted from that the source has paid for"""
    evergreen: Evergreen | None = None
    """it goes on period after period, until notice is given"""
    coming: TermAhead | None = None
    """the next term, if it is sold already; `ends_at` is then that of the present one"""


class Parcel(Carried):
    """What one asset hands over, with what it is sold by and the contract that it comes from."""

    conveyed: Conveyed
    per: PricePer
    unit_price: str
    contract: str | None = None


class Joining(Carried):
    """Who goes along with what is handed over."""

    contacts: list[str]
    """contact ids of the source"""
    whole: bool = False
    """the source goes on as part of the target, with cases, surveys and usage"""


class Consignment(Carried):
    """All that a target needs to take what a source hands over."""

    request_id: str
    """the transfer's id in the source's ledger"""
    to_contract_id: str | None = None
    parcels: list[Parcel]
    contracts: dict[str, Conditions] = {}
    """by the source's contract id"""
    bundles: list[Relationship] = []
    """the edges of bundles that are handed over, by the new ids"""
    joining: Joining | None = None
