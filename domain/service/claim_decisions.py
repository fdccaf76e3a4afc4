"""Claims that wait on a case: decided by whoever may, refused by themselves once their time is over, and disputed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from domain.claims.claims import UNKNOWN_CLAIM, BoughtLine, Claim, ClaimKind, ClaimStatus
from domain.claims.rules import Assessment
from domain.frame.keys import case_key
from domain.frame.messages import OwnWords
from domain.kernel.refusals import NOT_ALLOWED, Refusal
from domain.service import case_mails
from domain.service.case import Happened
from domain.service.casework import SYSTEM, Work
from domain.service.claim_requests import ApproveClaim, DisputeRefund, RejectClaim
from domain.service.claim_work import check_open, detail_of, role_of, what_of
from domain.service.opening import CaseCategory

Wake = tuple[datetime, str]


def waiting_claim(work: Work, claim_id: str | None) -> Claim:
    """The claim that is to be decided.

    Raises:
        Refusal: it does not wait, or several do and none was named.
    """
    waiting = {claim.claim_id: claim for claim in work.before.claims if claim.status is ClaimStatus.WAITING}
    if claim_id in waiting:
        return waiting[claim_id]
    if claim_id is None and len(waiting) == 1:
        return next(iter(waiting.values()))
    listed = ", ".join(waiting) or "none"
    said = f"claim {claim_id!r} does not wait" if claim_id else f"{len(waiting)} claims wait, name one"
    raise Refusal(UNKNOWN_CLAIM, f"case {work.case_id!r}: {said}; waiting: {listed}")


def decided(work: Work, request: ApproveClaim, claim: Claim) -> Claim:
    """The claim as somebody decided it, if they may: not the one who asked, and in the role that it needs.

    Raises:
        Refusal: they may not.
    """
    if claim.due_at is not None and claim.due_at <= work.as_of:
        said = f"claim {claim.claim_id} had to be decided by {claim.due_at.isoformat()}; claim it again"
        raise Refusal(NOT_ALLOWED, said)
    role = role_of(work, request.by, request.role)
    if request.by == claim.claimed_by:
        raise Refusal(NOT_ALLOWED, f"{request.by!r} asked for claim {claim.claim_id}; somebody else has to decide it")
    if not role.reaches(claim.approval):
        raise Refusal(NOT_ALLOWED, f"claim {claim.claim_id} needs a {claim.approval.value}, not a {role.value}")
    return claim.having(decided_at=work.as_of, decided_by=request.by, decided_role=role.value, decision=request.reason)


def still_owed(claim: Claim, found: Assessment) -> Claim:
    """A claim that waited, with what the line gives back by now: the same or less.

    Raises:
        Refusal: the line gives nothing back any more.
    """
    found.checked()
    if found.amount >= claim.amount:
        return claim
    gross, tax = found.parts
    return claim.having(amount=found.amount, quantity=found.quantity, gross=gross, tax=tax)


def reject(work: Work, request: RejectClaim, claim: Claim, line: BoughtLine) -> None:
    """A named approver refused the claim."""
    ended = decided(work, request, claim).having(status=ClaimStatus.REJECTED)
    _refused(work, ended, line.product_name, f"{work.named(request.by)} refused it: {request.reason}")
    work.answer.update(ended.shown())


def _refused(work: Work, claim: Claim, product: str | None, why: str) -> None:
    """The agent is told why, the customer that there will be no refund."""
    at = claim.decided_at or work.as_of
    what = what_of(claim)
    work.claims.append(claim)
    work.happened(Happened.CLAIM_REFUSED, at, claim.decided_by or SYSTEM, {**detail_of(claim), "why": why})
    work.line(
        "claim_refused", f"{what[0].upper()}{what[1:]} refused", at, claim.decided_by or SYSTEM, **detail_of(claim)
    )
    work.report("claim_refused", at)
    context = {
        "product": product,
        "refund": claim.money.told(),
        "timed_out": claim.status is ClaimStatus.TIMED_OUT,
    }
    if claim.kind is ClaimKind.PRICE_MATCH:
        case_mails.about_claim(
            work,
            case_key(work.case_id, f"claim/{claim.claim_id}/refused"),
            "claim_declined",
            context,
            f"{what} declined",
        )
    title = f"Case {work.case_id}: {what} was refused"
    work.notify(
        case_key(work.case_id, f"claim/{claim.claim_id}/refused"),
        ("owner", claim.claimed_by),
        title,
        [work.case.subject, why],
    )


def dispute(work: Work, request: DisputeRefund) -> None:
    """The customer disputes a refund: as long as the case is open, sales is held back."""
    check_open(work)
    if work.case.category == CaseCategory.REFUND_DISPUTE:
        raise Refusal(NOT_ALLOWED, f"case {work.case_id!r} is a refund dispute already")
    before = work.case.category
    work.change(category=CaseCategory.REFUND_DISPUTE.value)
    work.happened(Happened.DISPUTED, work.as_of, request.by, {"reason": request.reason, "from": before})
    work.line("disputed", f"Case {work.case_id}: a refund is disputed", work.as_of, request.by, reason=request.reason)
    work.report("disputed", work.as_of)
    title = f"Case {work.case_id}: the customer disputes a refund"
    work.notify(
        f"{work.key}/disputed", ("owner", "lead", "sales"), title, [work.case.subject, OwnWords(request.reason)]
    )


# What waits


def look_after(work: Work) -> Iterator[Wake]:
    """Approvals that wait are asked for again, and refused once their time is over."""
    settled = {claim.claim_id for claim in work.claims}
    waiting = [claim for claim in work.before.claims if claim.claim_id not in settled]
    for claim in [*waiting, *(claim for claim in work.claims if claim.status is ClaimStatus.WAITING)]:
        if claim.status is not ClaimStatus.WAITING or claim.due_at is None:
            continue
        if claim.due_at <= work.as_of:
            ended = claim.having(status=ClaimStatus.TIMED_OUT, decided_at=claim.due_at, decided_by=SYSTEM)
            _refused(work, ended, None, f"no {claim.approval.value} decided in time")
        elif claim.reminded_at is None and claim.remind_at is not None and claim.remind_at <= work.as_of:
            work.claims.append(claim.having(reminded_at=claim.remind_at))
            title = f"Case {work.case_id}: {what_of(claim)} still needs your approval"
            lines = [work.case.subject, f"Claim {claim.claim_id}; it is refused by itself when its time is over."]
            work.notify(
                case_key(work.case_id, f"claim/{claim.claim_id}/reminder"),
                (claim.approval.value,),
                title,
                lines,
                due=claim.due_at,
            )
            yield claim.due_at, "an approval times out"
        elif claim.reminded_at is None and claim.remind_at is not None:
            yield min(claim.remind_at, claim.due_at), "asking for an approval again"
        else:
            yield claim.due_at, "an approval times out"
