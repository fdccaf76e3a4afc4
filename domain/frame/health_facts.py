"""What is on record of a customer that their health is scored from, as of an instant: figures alone, no judgement."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from pydantic import AwareDatetime

from domain.frame.case_words import Priority
from domain.frame.customer import ContractStatus
from domain.frame.playbook import Reorder
from domain.kernel.base import Carried
from domain.kernel.calendar import local_day


class UseSign(Carried):
    """A subscribed product: its paid `seats`, and the means of daily active users over 28 days and the 28 before; null without data."""

    product: str
    name: str
    seats: int
    latest_day: date | None = None
    recent: Decimal | None = None
    earlier: Decimal | None = None
    last: Decimal | None = None


class TaskProgress(Carried):
    """The onboarding tasks of a customer: how many there are, are settled, and are open past their day; when anything changed last."""

    total: int
    settled: int
    late: int
    at: AwareDatetime | None = None


class CaseSign(Carried):
    """A case of the last half year; `open` at the instant. `resolution_late`: its promise was broken."""

    case_id: str
    priority: Priority
    opened_at: AwareDatetime
    open: bool
    escalated: bool = False
    resolution_late: bool = False
    reopened: bool = False
    refund_dispute: bool = False
    at: AwareDatetime
    """when anything happened in it last"""


class Rated(Carried):
    """An answer to a survey."""

    score: int
    at: AwareDatetime


class GivenBack(Carried):
    """Money that was asked back and not refused; `waiting`: it is not decided yet."""

    claim_id: str
    waiting: bool
    at: AwareDatetime


class RenewalSign(Carried):
    """A contract with its latest term as it stood; `answer_by`: the last day on which the customer can say what they want."""

    contract_id: str
    status: ContractStatus
    status_at: AwareDatetime
    number: int
    until: date
    auto_renew: bool
    answer_by: date
    renewed: bool = False
    """true if the next term is sold already"""
    requested_at: AwareDatetime | None = None
    quoted_at: AwareDatetime | None = None


class PaymentStatus(StrEnum):
    """What a ledger tells of an invoice."""

    OVERDUE = "overdue"
    PAID = "paid"


class PaymentSign(Carried):
    """What the ledger told last of an invoice: overdue since a day, or paid on one."""

    invoice: str
    status: PaymentStatus
    day: date
    at: AwareDatetime


class BlockSign(Carried):
    """A sales hold that blocks."""

    says: str
    since: AwareDatetime


class HealthOverride(Carried):
    """What a person said the health is, until an instant."""

    band: str
    reason: str
    by: str
    since: AwareDatetime
    until: AwareDatetime


class ScoreBefore(Carried):
    """A score on record: `since` when its band is what it is; `costs`: what each input lacked of all its points."""

    at: AwareDatetime
    score: int | None = None
    band: str
    since: AwareDatetime | None = None
    costs: dict[str, Decimal] = {}


class HealthEvidence(Carried):
    """All that the health of an account is scored from, as it was known at `as_of`; `today` is the local day then."""

    account_id: str
    segment: str
    time_zone: str
    since: AwareDatetime
    as_of: AwareDatetime
    today: date
    reorder: Reorder = Reorder()
    products: list[UseSign] = []
    tasks: TaskProgress | None = None
    orders: list[date] = []
    """the local days of orders of goods"""
    cases: list[CaseSign] = []
    ratings: list[Rated] = []
    """answers about cases, one to five"""
    recommends: Rated | None = None
    """the latest answer, nought to ten"""
    claims: list[GivenBack] = []
    payments: list[PaymentSign] = []
    heard_at: AwareDatetime | None = None
    """when the customer last said or did something themselves, orders aside"""
    ordered_at: AwareDatetime | None = None
    sponsor: str | None = None
    """the name of the sponsor"""
    sponsor_left_at: AwareDatetime | None = None
    renewals: list[RenewalSign] = []
    blocks: list[BlockSign] = []
    override: HealthOverride | None = None
    last: ScoreBefore | None = None
    known: ScoreBefore | None = None
    """the last one that was not unknown"""
    month_ago: ScoreBefore | None = None
    best: ScoreBefore | None = None
    """the best score of the last two months"""
    asked_to_look_at: AwareDatetime | None = None
    """when somebody was told last that the health has been unknown for long"""

    def day_of(self, at: datetime) -> date:
        """The local day at an instant."""
        return local_day(at, self.time_zone)

    @property
    def stays(self) -> bool:
        """True for a customer who still has something: a subscription or goods of the last year, or a contract that is not over."""
        ordered = any((self.today - day).days <= 365 for day in self.orders[-1:])
        return bool(self.products or self.renewals or ordered)
