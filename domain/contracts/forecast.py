"""Renewal forecast: what falls due, how far each renewal has come, and what it is likely to bring."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum

from domain.frame.customer import ContractStatus
from domain.kernel.base import Carried


class RenewalCategory(StrEnum):
    """How far a renewal has come: `commit` renews by itself and can no longer be declined; `open` has not been quoted yet."""

    RENEWED = "renewed"
    COMMIT = "commit"
    PROBABLE = "probable"
    OPEN = "open"
    AT_RISK = "at_risk"
    LOST = "lost"


PROBABILITIES: Mapping[RenewalCategory, Decimal] = {
    RenewalCategory.RENEWED: Decimal(1),
    RenewalCategory.COMMIT: Decimal("0.95"),
    RenewalCategory.PROBABLE: Decimal("0.8"),
    RenewalCategory.OPEN: Decimal("0.6"),
    RenewalCategory.AT_RISK: Decimal("0.3"),
    RenewalCategory.LOST: Decimal(0),
}
"""How likely a renewal of each category is, where nobody says otherwise."""


class DueRenewal(Carried):
    """A term of a contract that ends. `until` is the first day after it; `arr` what its assets bring in a year when it ends,
    in `currency`; `status` and `reason` those of the contract; `renewed` if a next term is on record, `quoted` if its price is."""

    contract_id: str
    account_id: str
    account: str
    owner: str
    currency: str
    until: date
    arr: Decimal
    auto_renew: bool
    notice_days: int
    status: ContractStatus
    reason: str = ""
    renewed: bool = False
    quoted: bool = False
    band: str | None = None
    blocked: bool = False


class Forecast(Carried):
    """A renewal with its category, why it is in it, and what it is likely to bring in a year."""

    due: DueRenewal
    category: RenewalCategory
    why: str
    likely: Decimal

    @property
    def month(self) -> str:
        """The month in which the term ends, as `2027-03`."""
        return f"{self.due.until - timedelta(days=1):%Y-%m}"


def forecast(
    renewals: Iterable[DueRenewal], today: date, probabilities: Mapping[RenewalCategory, Decimal] = PROBABILITIES
) -> list[Forecast]:
    """Each renewal with what it is likely to bring, the first to end first. More than is held today is never counted."""
    found = []
    for one in sorted(renewals, key=lambda one: (one.until, one.contract_id)):
        category, why = category_of(one, today)
        found.append(Forecast(due=one, category=category, why=why, likely=one.arr * probabilities[category]))
    return found


def category_of(one: DueRenewal, today: date) -> tuple[RenewalCategory, str]:
    """How far a renewal has come on a day, and why."""
    if one.renewed:
        return RenewalCategory.RENEWED, "the next term is on record"
    if one.status in (ContractStatus.DECLINED, ContractStatus.ENDED):
        return RenewalCategory.LOST, one.reason or one.status
    if one.status == ContractStatus.GRACE:
        return RenewalCategory.AT_RISK, "in grace since the term ended"
    if one.blocked:
        return RenewalCategory.AT_RISK, "service holds sales back"
    if one.band in ("watch", "critical"):
        return RenewalCategory.AT_RISK, f"health is {one.band}"
    if one.auto_renew and today > one.until - timedelta(days=1 + one.notice_days):
        return RenewalCategory.COMMIT, "renews by itself, and the last day to decline has passed"
    if one.auto_renew:
        return RenewalCategory.PROBABLE, "renews by itself unless it is declined"
    if one.quoted:
        return RenewalCategory.PROBABLE, "quoted"
    return RenewalCategory.OPEN, "not quoted yet"
