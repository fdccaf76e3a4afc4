"""Claims on cases: money given back once, in one transaction that holds the order line, or kept waiting for an approval."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from typing import Any

from activities.billing import credits
from activities.claims import claim_rows
from activities.kernel.pool import Connection
from activities.service.case_work import CaseActivities, CaseLook, CaseWorker
from domain.catalogue.pricebook import PriceUnit
from domain.claims.claims import (
    NOTHING_LEFT,
    UNKNOWN_LINE,
    BookPrice,
    BoughtLine,
    Claim,
    Claimant,
    ClaimKind,
    ClaimStatus,
)
from domain.claims.rules import Assessment, assess, check_goodwill, check_shown
from domain.kernel.calendar import local_day
from domain.kernel.money import Money
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.service import claim_decisions
from domain.service import claim_work as claim_work
from domain.service.casework import Work
from domain.service.claim_requests import ApproveClaim, ClaimPriceMatch, DisputeRefund, GrantGoodwill, RejectClaim


@dataclass(frozen=True)
class _At:
    """Where a claim is judged: the transaction, the case's work, whose it is, and their local day."""

    connection: Connection
    work: Work
    account_id: str
    today: date


class Claims(CaseActivities):
    """How money is claimed, approved, refused and disputed, in one transaction in which account, case and line are held."""

    def __init__(self, worker: CaseWorker) -> None:
        super().__init__(worker)
        self._policy = worker.book.claims
        self.looks = {
            "claim_price_match": _judging(self._price_match),
            "grant_goodwill": _judging(self._goodwill),
            "approve_claim": _judging(self._approve),
            "reject_claim": _judging(self._reject),
            "dispute_refund": _judging(_dispute),
        }

    async def _price_match(self, at: _At, request: ClaimPriceMatch) -> None:
        claim_work.check_open(at.work)
        line = await _line(at, request.order_id, request.line_id)
        price, elsewhere = await claim_rows.price_now(at.connection, line, at.today)
        found = await self._assess(at, line, price, quantity=request.quantity, elsewhere=elsewhere)
        found.checked()
        check_shown(request.refund, found)
        claim = claim_work.price_match(at.work, request, found, self._policy, await _next_id(at), at.today)
        await self._settle(at, claim, line)

    async def _goodwill(self, at: _At, request: GrantGoodwill) -> None:
        claim_work.check_open(at.work)
        case = at.work.case
        order_id, line_id = request.order_id or case.order_id, request.line_id or case.line_id
        if order_id is None or line_id is None:
            raise Refusal(UNKNOWN_LINE, "goodwill is credited to what was bought; name order_id and line_id")
        line = await _line(at, order_id, line_id)
        used = await claim_rows.used_in_year(
            at.connection, at.account_id, line.currency, ClaimKind.GOODWILL, at.today.year
        )
        amount = Money(amount=request.amount, currency=request.currency or line.currency)
        check_goodwill(self._policy, line, amount, used, at.today.year)
        claim = claim_work.goodwill(at.work, request, line, self._policy, await _next_id(at), at.today)
        await self._settle(at, claim, line)

    async def _approve(self, at: _At, request: ApproveClaim) -> None:
        waiting = claim_decisions.waiting_claim(at.work, request.claim_id)
        claim = claim_decisions.decided(at.work, request, waiting)
        line = await _line(at, claim.order_id or "", claim.line_id or "")
        others = tuple(one for one in line.claims if one.claim_id != claim.claim_id)
        if claim.kind is ClaimKind.PRICE_MATCH:
            # As of the day on which it was claimed, but with all that was returned and credited since.
            rest = line.having(claims=others)
            quantity = min(claim.quantity or rest.kept, rest.kept) or None
            found = await self._assess(at, rest, _price_of(claim), quantity=quantity, waiting=claim)
            claim = claim_decisions.still_owed(claim, found)
        await self._settle(at, claim.having(status=ClaimStatus.REFUNDED), line)

    async def _reject(self, at: _At, request: RejectClaim) -> None:
        claim = claim_decisions.waiting_claim(at.work, request.claim_id)
        line = await _line(at, claim.order_id or "", claim.line_id or "")
        claim_decisions.reject(at.work, request, claim, line)

    async def _assess(
        self,
        at: _At,
        line: BoughtLine,
        price: BookPrice | None,
        *,
        quantity: int | None,
        elsewhere: str | None = None,
        waiting: Claim | None = None,
    ) -> Assessment:
        """What the line gives back: today, or for a claim that waited on the day on which it was made."""
        day = waiting.claimed_on if waiting else at.today
        used = await claim_rows.used_in_year(
            at.connection,
            at.account_id,
            line.currency,
            ClaimKind.PRICE_MATCH,
            day.year,
            waiting.claim_id if waiting else None,
        )
        segment = at.work.before.account.segment if at.work.before.account else ""
        who = Claimant(segment=segment, today=day, used_year=used)
        return assess(self._policy, line, price, who, quantity=quantity, elsewhere=elsewhere)

    async def _settle(self, at: _At, claim: Claim, line: BoughtLine) -> None:
        """The money is booked under the claim's key, or the claim waits for whoever may decide it."""
        await claim_rows.keep_policy(at.connection, self._policy)
        if claim.status is ClaimStatus.WAITING:
            claim_work.await_approval(at.work, claim, line)
            return
        credit = claim_work.credit_of(claim, line)
        booked = await credits.book_credit(at.connection, at.account_id, credit, as_of=at.work.as_of, on=at.today)
        if booked is None:
            raise Refusal(NOTHING_LEFT, f"{line.name}: all of its price was given back before")
        claim_work.refund(at.work, claim, line, booked)


def _judging(judge: Callable[[_At, Any], Awaitable[None]]) -> CaseLook:
    """Has a claim judged where it is looked up; all that comes of it is in the case's work then."""

    async def judged(connection: Connection, work: Work, request: Any) -> tuple[()]:
        account_id = claim_work.account_of(work)
        zone = work.before.account.time_zone if work.before.account else "UTC"
        await judge(_At(connection, work, account_id, local_day(work.as_of, zone)), request)
        return ()

    return judged


async def _dispute(at: _At, request: DisputeRefund) -> None:
    claim_decisions.dispute(at.work, request)


async def _line(at: _At, order_id: str, line_id: str) -> BoughtLine:
    line = await claim_rows.find_line(at.connection, at.account_id, order_id, line_id, lock=True)
    if line is None:
        raise Refusal(UNKNOWN_LINE, f"{at.account_id} bought no line {line_id!r} of an order {order_id!r}")
    if (asset := await claim_rows.gone_over(at.connection, order_id, line_id, at.account_id)) is not None:
        says = f"line {line_id!r} of order {order_id!r} went over to {at.account_id} as asset {asset}, with what was charged for it"
        raise Refusal(NOT_ALLOWED, f"{says}; amend_assets or cancel_assets of that one gives money back")
    return line


async def _next_id(at: _At) -> str:
    return f"{at.work.case_id}.r{await claim_rows.count_of_case(at.connection, at.work.case_id) + 1}"


def _price_of(claim: Claim) -> BookPrice | None:
    """The price by which a claim was made."""
    if claim.unit_now is None or claim.price_book is None or claim.price_since is None:
        return None
    return BookPrice(
        book=claim.price_book,
        currency=claim.currency,
        price=claim.unit_now,
        per=PriceUnit.ONCE,
        since=claim.price_since,
    )
