"""Claims on a case as they are made: who may decide, what they wait for, how they are paid, and who hears of it."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from domain.billing.billing import Credit, Credited, CreditLine
from domain.claims.claims import BoughtLine, Claim, ClaimKind, ClaimStatus
from domain.claims.policy import ClaimPolicy
from domain.claims.rules import Assessment
from domain.frame.case_words import RUNNING, CaseState
from domain.frame.keys import case_key
from domain.kernel.money import money, rounding_of
from domain.kernel.refusals import NOT_ALLOWED, Problem, Refusal
from domain.service import case_mails
from domain.service.case import Happened
from domain.service.casework import Work
from domain.service.claim_requests import ClaimPriceMatch, GrantGoodwill, Role

_NAMES = {ClaimKind.PRICE_MATCH: "price match", ClaimKind.GOODWILL: "goodwill"}


# Who may


def role_of(work: Work, by: str, role: Role) -> Role:
    """The role in which `by` acts: the one given, unless the case's team knows its people better.

    Raises:
        Refusal: the team has somebody else for that role.
    """
    team = work.before.teams.get(work.case.team or "")
    people = {Role.LEAD: team.lead, Role.MANAGER: team.manager, Role.DIRECTOR: team.director} if team else {}
    known = {who.staff_id: name for name, who in people.items() if who is not None}
    if role is Role.AGENT or not known:
        return role
    if by not in known or list(Role).index(known[by]) < list(Role).index(role):
        named = ", ".join(f"{who} ({name.value})" for who, name in known.items())
        problem = Problem(field="by", problem=f"{by!r} is no {role.value} of team {work.case.team!r}; ask {named}")
        raise Refusal(NOT_ALLOWED, "this cannot be decided by them", [problem])
    return known[by]


def account_of(work: Work) -> str:
    """Whose case it is.

    Raises:
        Refusal: nobody knows yet.
    """
    if work.case.account_id is None:
        raise Refusal(NOT_ALLOWED, f"nobody knows yet whose case {work.case_id!r} is; identify it first")
    return work.case.account_id


def check_open(work: Work) -> None:
    """Whether money can be claimed on a case. What waits already may be decided even if the case has ended meanwhile.

    Raises:
        Refusal: the case has ended.
    """
    case = work.case
    if case.status not in RUNNING | {CaseState.RESOLVED}:
        raise Refusal(NOT_ALLOWED, f"case {case.case_id!r} is {case.status.value}; reopen it, or open another")


# Claims


def price_match(
    work: Work, request: ClaimPriceMatch, found: Assessment, policy: ClaimPolicy, claim_id: str, today: date
) -> Claim:
    """The claim that a request makes, for an assessment that passes. It waits if the agent may not decide it."""
    answer, line, price = found.checked(), found.line, found.price
    gross, tax = found.parts
    return _waiting_or_not(
        work,
        policy,
        role_of(work, request.by, request.role),
        Claim(
            claim_id=claim_id,
            key=answer.key,
            kind=ClaimKind.PRICE_MATCH,
            account_id=line.account_id,
            case_id=work.case_id,
            order_id=line.order_id,
            line_id=line.line_id,
            currency=line.currency,
            amount=found.amount,
            quantity=found.quantity,
            unit_paid=line.unit_price,
            unit_now=price.price if price else None,
            gross=gross,
            tax=tax,
            limited_by=answer.reason.value if answer.reason else None,
            paid_on=line.bought_on,
            price_book=price.book if price else None,
            price_since=price.since if price else None,
            price_version=price.version if price else None,
            window_ends_on=answer.window_ends_on,
            policy_version=policy.version,
            approval=answer.approval,
            status=ClaimStatus.REFUNDED,
            reason=request.reason,
            claimed_at=work.as_of,
            claimed_on=today,
            claimed_by=request.by,
        ),
    )


def goodwill(
    work: Work, request: GrantGoodwill, line: BoughtLine, policy: ClaimPolicy, claim_id: str, today: date
) -> Claim:
    """The grant that a request makes, once it was checked against line and budget."""
    return _waiting_or_not(
        work,
        policy,
        role_of(work, request.by, request.role),
        Claim(
            claim_id=claim_id,
            key=f"goodwill:{claim_id}",
            kind=ClaimKind.GOODWILL,
            account_id=line.account_id,
            case_id=work.case_id,
            order_id=line.order_id,
            line_id=line.line_id,
            currency=line.currency,
            amount=request.amount,
            policy_version=policy.version,
            approval=policy.goodwill_approval(request.amount, line.currency),
            status=ClaimStatus.REFUNDED,
            reason=request.reason,
            claimed_at=work.as_of,
            claimed_on=today,
            claimed_by=request.by,
        ),
    )


def _waiting_or_not(work: Work, policy: ClaimPolicy, role: Role, claim: Claim) -> Claim:
    if role.reaches(claim.approval):
        changes: dict[str, Any] = {
            "decided_at": work.as_of,
            "decided_by": claim.claimed_by,
            "decided_role": role.value,
        }
    else:
        changes = {
            "status": ClaimStatus.WAITING,
            "remind_at": _in_business_days(work, policy.remind_after),
            "due_at": _in_business_days(work, policy.decide_within),
        }
    return claim.having(**changes)


def _in_business_days(work: Work, days: int) -> datetime:
    if work.clock is None:
        return work.as_of + timedelta(days=days)
    return work.clock.add_days(work.as_of, days)


def credit_of(claim: Claim, line: BoughtLine) -> Credit:
    """The credit memo that pays a claim: one for its key, whatever is tried again."""
    if claim.kind is ClaimKind.GOODWILL:
        description = f"Goodwill for {line.product_name}"
    else:
        description = (
            f"Price match for {line.product_name}: {claim.quantity} × ({claim.unit_paid} - {claim.unit_now})"
            f" {claim.currency}{_less_before(claim)}{f', with tax of {claim.tax}' if claim.tax else ''}"
        )
    return Credit(
        key=claim.key,
        currency=claim.currency,
        reason="price_protection" if claim.kind is ClaimKind.PRICE_MATCH else "goodwill",
        lines=(
            CreditLine(
                key=f"{claim.key}/line",
                amount=claim.amount,
                description=description,
                kind="price_protection" if claim.kind is ClaimKind.PRICE_MATCH else "goodwill",
                order_id=claim.order_id,
                line_id=claim.line_id,
                quantity=claim.quantity,
                with_tax=True,
            ),
        ),
    )


def _less_before(claim: Claim) -> str:
    """What of the difference was given back before, so that the line adds up for its reader; empty if nothing was."""
    if claim.unit_paid is None or claim.unit_now is None or claim.quantity is None:
        return ""
    difference = rounding_of(claim.currency).apply(claim.quantity * (claim.unit_paid - claim.unit_now))
    before = difference - (claim.amount - (claim.tax or 0))
    return f", less {before} that was given back before" if before > 0 else ""


def await_approval(work: Work, claim: Claim, line: BoughtLine) -> None:
    """The claim waits: whoever may approve it is told, and until when."""
    what = what_of(claim, line)
    work.claims.append(claim)
    work.happened(Happened.CLAIMED, work.as_of, claim.claimed_by, detail_of(claim))
    title = f"Case {work.case_id}: {what} needs your approval"
    lines = [
        work.case.subject,
        f"Asked by {work.named(claim.claimed_by)}. {claim.reason}".strip(),
        f"Claim {claim.claim_id}.",
    ]
    work.notify(
        case_key(work.case_id, f"claim/{claim.claim_id}/asked"), (claim.approval.value,), title, lines, due=claim.due_at
    )
    work.answer.update(claim.shown())


def refund(work: Work, claim: Claim, line: BoughtLine, credited: Credited) -> None:
    """The money was booked: case, customer, rep and journal hear of it, once."""
    claim = _as_booked(claim, credited)
    what = what_of(claim, line)
    work.claims.append(claim)
    # Whoever pays takes it from here, once, by its id.
    work.memos.append({"credit_memo_id": credited.memo_id, **credited.told})
    work.happened(Happened.REFUNDED, work.as_of, claim.decided_by or claim.claimed_by, detail_of(claim))
    work.line("goodwill", f"{what[0].upper()}{what[1:]} given back", work.as_of, claim.claimed_by, **detail_of(claim))
    context: dict[str, Any] = {
        "product": line.product_name,
        "refund": claim.money.told(),
        "credit_memo": credited.memo_id,
    }
    template = "goodwill_granted"
    if claim.kind is ClaimKind.PRICE_MATCH:
        template = "price_match"
        context |= {
            "order_id": line.order_id,
            "quantity": claim.quantity,
            "paid": money(line.unit_price, line.currency).told(),
            "paid_on": line.bought_on.isoformat(),
            "now": money(claim.unit_now or Decimal(0), line.currency).told(),
            "tax": money(claim.tax, line.currency).told() if claim.tax else None,
        }
    case_mails.about_claim(
        work,
        case_key(work.case_id, f"claim/{claim.claim_id}/refunded"),
        template,
        context,
        f"{what} ({credited.memo_id})",
    )
    lines = [
        work.case.subject,
        f"Decided by {work.named(claim.decided_by)} ({claim.decided_role}). {claim.reason}".strip(),
    ]
    work.notify(
        case_key(work.case_id, f"claim/{claim.claim_id}/told"),
        ("sales",),
        f"Case {work.case_id}: {what} was given back",
        lines,
    )
    work.answer.update(claim.shown())


def _as_booked(claim: Claim, credited: Credited) -> Claim:
    """The claim with what the ledger gave: never more than it had left of the charge."""
    parts = {"gross": credited.net, "tax": credited.total - credited.net} if claim.gross is not None else {}
    return claim.having(status=ClaimStatus.REFUNDED, amount=credited.total, credit_memo_id=credited.memo_id, **parts)


# How a claim is told


def what_of(claim: Claim, line: BoughtLine | None = None) -> str:
    """A claim in some words."""
    about = f" for {line.product_name}" if line else ""
    return f"{_NAMES[claim.kind]} of {claim.amount} {claim.currency}{about}"


def detail_of(claim: Claim) -> dict[str, Any]:
    """What the case and the journal keep of a claim; the rest is in its row."""
    kept = {
        "claim_id": claim.claim_id,
        "claim": claim.kind.value,
        "refund": claim.money.told(),
        "order_id": claim.order_id,
        "line_id": claim.line_id,
        "paid": str(claim.unit_paid) if claim.unit_paid is not None else None,
        "paid_on": claim.paid_on.isoformat() if claim.paid_on else None,
        "now": str(claim.unit_now) if claim.unit_now is not None else None,
        "price_version": claim.price_version,
        "credit_memo": claim.credit_memo_id,
        "decided_by": claim.decided_by,
        "reason": claim.reason or None,
    }
    return {name: value for name, value in kept.items() if value is not None}
