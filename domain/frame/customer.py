"""The customer as the facts show them at one instant: what every decision reads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime

from domain.frame.agreed import by_month
from domain.frame.keys import StageId, StageKind
from domain.frame.mail_kinds import topic_of
from domain.frame.people_facts import PeopleChange
from domain.frame.renewal_facts import ChurnReason, RenewalVersion
from domain.frame.success_facts import HealthFacts, OfferFacts, ReferenceFacts, SurveyFacts, TaskFacts, UsageFacts
from domain.frame.term_facts import TermFacts
from domain.frame.unread import under
from domain.frame.unreadable import Unreadable, check_all, check_contract
from domain.kernel.base import Carried
from domain.kernel.calendar import (
    add_months,
    anchor_from,
    business_day_from,
    is_business_day,
    local_day,
    local_instant,
    month_grids,
    start_of_day,
)
from domain.kernel.money import rounding_of
from domain.kernel.zones import local_time
from domain.orders.order import TERM_KINDS, BillingFrequency, ContactRole, FirstInvoice, PricePer, ProductKind
from domain.orders.terms import Evergreen

OPENS, CLOSES = time(9), time(18)
"""Hours at which people read what we write."""


class AccountFacts(Carried):
    """The account's own row. `since` is the activation of its first order."""

    account_id: str
    name: str
    country: str
    time_zone: str
    language: str
    segment: str
    playbook_version: int
    since: AwareDatetime
    closed_at: AwareDatetime | None = None
    """set while the customer's journey is closed"""
    merged_into: str | None = None
    """the account that this one goes on as part of"""
    billed_until: date | None = None
    """the day that it was where the customer was before they moved"""


class StaffFacts(Carried):
    """One of the seller's people."""

    staff_id: str
    name: str
    email: str
    language: str | None = None
    """in which they are told things; null: the company's"""
    left_at: AwareDatetime | None = None
    """since when they are not with us any more"""


class ContactFacts(Carried):
    """A person at the customer; `rejected` once a mail server refused the address for good, `unsubscribed` once they want
    no optional mails. `declined`: topics of optional mails that they do not want; `every_days`: how far apart, null as usual."""

    contact_id: str
    name: str
    email: str
    role: ContactRole
    language: str
    time_zone: str
    rejected: bool = False
    unsubscribed: bool = False
    declined: tuple[str, ...] = ()
    every_days: int | None = None

    def wants(self, template: str) -> bool:
        """True for a mail that they have not said they do not want."""
        return not self.unsubscribed and topic_of(template) not in self.declined


class ContractStatus(StrEnum):
    """How a contract stands: it runs, will not be renewed, waits for an answer after its term, or is over."""

    ACTIVE = "active"
    DECLINED = "declined"
    GRACE = "grace"
    ENDED = "ended"


class ContractFacts(Carried):
    """A contract with its latest term, and the one before. `status`: active, declined (runs out), grace or ended.

    `order_id` is null for a contract that came by transfer or import.
    """

    contract_id: str
    order_id: str | None
    currency: str
    auto_renew: bool
    renewal_months: int
    notice_days: int
    uplift_percent: Decimal
    status: ContractStatus
    first_start: date
    first_until: date
    term: TermFacts
    billing: BillingFrequency = BillingFrequency.YEARLY
    first_invoice: FirstInvoice = FirstInvoice.START
    evergreen: Evergreen | None = None
    """by which periods it goes on, if it was sold without an end; once notice was given its term has one"""
    previous: TermFacts | None = None
    status_reason: str = ""
    anchor_day: int | None = None
    """the day of the month that months are counted by, where it is not that of the first term's start: see `anchor`"""
    billed_from: date | None = None
    """where the billing periods are counted from, of a contract that takes over those of another: else its first term's start"""
    starts: list[date] = []
    """the first days of all terms, as they were on record"""
    offered: RenewalVersion | None = None
    """the version of the next term's quote that the customer has, if it is not simply the present term once more"""
    waiting: RenewalVersion | None = None
    """one that waits for an approval"""
    versions: int = 1
    """how many versions of the next term's quote there were"""
    saved: bool = False
    """true once it was offered, or asked, by what somebody who has declined may be kept"""
    churn: ChurnReason | None = None
    """why it was not renewed, as far as anybody knows"""

    def first_invoice_on(self, today: date) -> date:
        """The day on which the first period of the latest term is invoiced, if it is sold on `today`."""
        return today if self.first_invoice is FirstInvoice.ORDER else max(today, self.term.start_on)

    @property
    def anchor(self) -> int:
        """The day of the month by which the months of the latest term are counted: that of the contract's first start.

        A term that begins where one of its months does counts on by it (31 Jan, 28 Feb, 31 Mar), any other by its own first day.
        """
        return self._grids()[-1][1]

    def grid_on(self, day: date) -> tuple[date, int]:
        """Where the billing periods that hold on `day` are counted from, and by which day of the month."""
        grids = self._grids()
        start, by = next((grid for grid in reversed(grids) if grid[0] <= day), grids[0])
        return self.billed_from or start if start == grids[0][0] else start, by

    @property
    def term_starts(self) -> list[date]:
        """The first days of all terms, in order."""
        latest = [term.start_on for term in (self.previous, self.term) if term is not None]
        return [*(start for start in self.starts if start < latest[0]), *latest]

    def _grids(self) -> list[tuple[date, int]]:
        return month_grids(self.term_starts, self.anchor_day or self.first_start.day)

    def end_after(self, number: int) -> date:
        """The first day after term `number`, by whole renewal terms from the end of the latest one; the next one may be offered
        for a length of its own."""
        until, terms = self.term.until, number - self.term.number
        months = terms * self.renewal_months
        if terms and self.offered is not None and self.offered.months is not None:
            months += self.offered.months - self.renewal_months
        return add_months(until, months, anchor_from(until, self.anchor))

    def by_itself(self) -> ContractFacts:
        """As it renews without the customer's yes: for the units and the length of before, at the price that was given."""
        return self.having(offered=self.offered.by_itself()) if self.offered is not None else self

    def months_from(self, zone: str, on: date | None = None) -> datetime:
        """An instant on whose day, in `zone`, the months of what comes under the contract begin: those of a day, or of the latest
        term."""
        # January has every day.
        by = self.anchor if on is None else self.grid_on(on)[1]
        return start_of_day(date(self.first_start.year, 1, by), zone)

    def term_at(self, at: datetime) -> TermFacts:
        """The latest term, or the one before it if that is still in force at `at`."""
        return self.previous if self.previous and at < self.term.starts_at else self.term

    @property
    def stage(self) -> str:
        """The id of the stage that ends the latest term."""
        return str(StageId(StageKind.RENEWAL, self.contract_id, str(self.term.number)))


class PeriodFacts(Carried):
    """An asset state period, half open: quantity and MRR are constant from `starts_at` until `ends_at` (null: for ever)."""

    starts_at: AwareDatetime
    ends_at: AwareDatetime | None
    quantity: int
    mrr: Decimal | None

    def covers(self, at: datetime) -> bool:
        """True if the period is in force at `at`."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


class AssetFacts(Carried):
    """Something sold to the customer, with its state periods in order; none if it was given up before it began."""

    asset_id: str
    product: str
    product_name: str
    kind: ProductKind
    contract_id: str | None
    currency: str
    per: PricePer
    unit_price: Decimal
    """what was agreed last of what is in force, for the time that `per` says"""
    periods: list[PeriodFacts]
    ramped: bool = False
    """its order has agreed other quantities or prices for later days of the term"""

    def at(self, instant: datetime) -> PeriodFacts | None:
        """The period in force at `instant`."""
        return next((period for period in self.periods if period.covers(instant)), None)

    def ramps_after(self, instant: datetime) -> bool:
        """True while a step of its ramp is still to come: until then nothing else is agreed of it."""
        return self.ramped and bool(self.periods) and self.periods[-1].starts_at > instant

    def units_from(self, instant: datetime) -> datetime | None:
        """The start of the first period, from `instant` on, in which there are units; null if none comes."""
        held = (p for p in self.periods if p.quantity and (p.ends_at is None or p.ends_at > instant))
        return next((period.starts_at for period in held), None)

    def monthly(self, unit_price: Decimal) -> Decimal:
        """A unit price of this asset for one month; that of something bought once stays as it is."""
        return by_month(unit_price, self.per)

    def mrr_of(self, quantity: int, unit_price: Decimal) -> Decimal:
        """The monthly recurring revenue of `quantity` units, rounded to the currency's minor unit."""
        if self.per is PricePer.ONCE:
            return Decimal(0)
        return rounding_of(self.currency).apply(quantity * self.monthly(unit_price))


class PurchaseFacts(Carried):
    """An order of goods: its local day, and while it is being accepted the names of its goods."""

    order_id: str
    day: date
    names: list[str] = []


class PlacedFacts(Carried):
    """An order of the last year or so, with the names of some of what it sold, and of some of what is sent to the customer."""

    order_id: str
    activated_at: AwareDatetime
    recorded_at: AwareDatetime | None = None
    names: list[str] = []
    sent: list[str] = []


class Customer(Carried):
    """Everything that a decision may know of a customer."""

    account: AccountFacts
    owner: StaffFacts
    success_manager: StaffFacts
    manager: StaffFacts | None = None
    """whom the owner reports to, if that is on record and they are still with us"""
    contacts: list[ContactFacts]
    contracts: list[ContractFacts] = []
    assets: list[AssetFacts] = []
    tasks: list[TaskFacts] = []
    usage: list[UsageFacts] = []
    offers: list[OfferFacts] = []
    surveys: list[SurveyFacts] = []
    """whether they would recommend us"""
    efforts: list[SurveyFacts] = []
    """how easy it was to begin"""
    references: list[ReferenceFacts] = []
    health: list[HealthFacts] = []
    staff_tasks: list[str] = []
    changes: list[PeopleChange] = []
    """of people, in the order of time"""
    purchases: list[PurchaseFacts] = []
    goods: list[str] = []
    """names of goods that the latest orders named"""
    orders: list[PlacedFacts] = []
    """the latest ones"""
    unreadable: list[Unreadable] = []
    """what there is and cannot be read; to ask for one of these raises `UnreadableError`"""

    def approver(self, asked_by: str) -> StaffFacts:
        """Who decides on what goes beyond whoever asked for it: the owner's manager, and without one somebody whom the owner asks."""
        return self.manager if self.manager is not None and self.manager.staff_id != asked_by else self.owner

    def contact(self, role: ContactRole = ContactRole.MAIN, contact_id: str | None = None) -> ContactFacts | None:
        """Who to write to: somebody of `role`, else the main contact, else anybody whose address works; or `contact_id` alone."""
        reachable = [contact for contact in self.contacts if not contact.rejected]
        if contact_id is not None:
            return next((contact for contact in reachable if contact.contact_id == contact_id), None)
        for wanted in (role, ContactRole.MAIN):
            for contact in reachable:
                if contact.role is wanted:
                    return contact
        return reachable[0] if reachable else None

    def contract(self, contract_id: str) -> ContractFacts | None:
        """The contract of that id."""
        check_all(self.unreadable, kind="contract", id=contract_id)
        contracts = under(self.contracts, contract_id)
        return next((contract for contract in contracts if contract.contract_id == contract_id), None)

    def asset(self, asset_id: str) -> AssetFacts | None:
        """The asset of that id."""
        check_all(self.unreadable, kind="asset", id=asset_id)
        return next((asset for asset in self.assets if asset.asset_id == asset_id), None)

    def assets_of(self, contract_id: str) -> Iterator[AssetFacts]:
        """The assets that a contract covers."""
        check_contract(self.unreadable, contract_id)
        return (asset for asset in under(self.assets, contract_id) if asset.contract_id == contract_id)

    def offer(self, offer_id: str) -> OfferFacts | None:
        """The offer of that id."""
        check_all(self.unreadable, kind="offer", id=offer_id)
        return next((offer for offer in self.offers if offer.offer_id == offer_id), None)

    def survey(self, survey_id: str) -> SurveyFacts | None:
        """The survey of that id, whatever it asked."""
        return next((one for one in (*self.surveys, *self.efforts) if one.survey_id == survey_id), None)

    def holds_term(self, at: datetime) -> bool:
        """True while something sold for a term is in force at `at` or still to begin."""
        return any(
            asset.kind in TERM_KINDS and asset.periods and _goes_on(asset.periods[-1], at) for asset in self.assets
        )

    def product_names(self, at: datetime | None = None) -> list[str]:
        """The names of what the customer owns (at an instant, what is kept running for them in grace included) and of the goods
        they buy, each once."""
        grace = {contract.contract_id for contract in self.contracts if contract.status == ContractStatus.GRACE}
        owned = (
            asset.product_name
            for asset in self.assets
            if at is None or _held(asset, at) or (asset.contract_id in grace and asset.periods)
        )
        return list(dict.fromkeys([*owned, *(self.goods if at is None or self.buys(at) else [])]))

    def owns(self, at: datetime) -> bool:
        """True if the customer owns something at `at`, or buys goods: not what is only kept running for them."""
        return bool(self.goods and self.buys(at)) or any(_held(asset, at) for asset in self.assets)

    def buys(self, at: datetime) -> bool:
        """True if goods were ordered within the year before `at`."""
        return any(self.day_of(at) - purchase.day <= timedelta(days=365) for purchase in self.purchases)

    def onboarded(self) -> bool:
        """True once no onboarding task is open."""
        return all(not task.is_open for task in self.tasks)

    def day_of(self, instant: datetime) -> date:
        """The customer's local day at `instant`."""
        return local_day(instant, self.account.time_zone)

    def billing_day(self, instant: datetime) -> date:
        """The day by which is invoiced and credited: the local one, but no day comes again for who has moved west."""
        today = self.day_of(instant)
        return max(today, self.account.billed_until or today)

    def at_work(self, instant: datetime) -> bool:
        """True from nine to six on a business day: an hour at which people read what we write."""
        return self.in_hours(instant) and is_business_day(self.day_of(instant), self.account.country)

    def in_hours(self, instant: datetime) -> bool:
        """True from nine to six, on whatever day."""
        return OPENS <= local_time(instant, self.account.time_zone).time() < CLOSES

    def closing(self, day: date) -> datetime:
        """The instant at which people stop working on a local day."""
        return local_instant(day, self.account.time_zone, CLOSES)

    def end_of(self, day: date) -> datetime:
        """The end of a local day: the first instant of the next one. What is named as the last day counts until then."""
        return start_of_day(day + timedelta(days=1), self.account.time_zone)

    def last_day_before(self, instant: datetime) -> date:
        """The last local day that begins before an instant."""
        return self.day_of(instant - timedelta(microseconds=1))

    def morning(self, day: date, *, business_day: bool = True) -> tuple[datetime, date]:
        """The instant of 9 o'clock on `day` (or the next business day) in the customer's zone, with that day."""
        if business_day:
            day = business_day_from(day, self.account.country)
        return local_instant(day, self.account.time_zone), day


def _held(asset: AssetFacts, at: datetime) -> bool:
    held = asset.at(at)
    return held is not None and held.quantity > 0


def _goes_on(period: PeriodFacts, at: datetime) -> bool:
    return period.ends_at is None or period.ends_at > at
